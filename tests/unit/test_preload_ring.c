/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The ring's memory is as large as it says, so that the sanitizer sees every step beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "preload-ring.h"

#define SIZE 65536

struct fixture {
	struct preload_slot slot;
	struct preload_ring ring;
	char *bytes;
};

static char record[PRELOAD_RECORD_MAX];

static int set_up(void **state)
{
	struct fixture *f = aligned_alloc(64, sizeof(*f));

	memset(f, 0, sizeof(*f));
	f->bytes = malloc(SIZE);
	memset(f->bytes, 0xee, SIZE);
	f->ring = (struct preload_ring){.slot = &f->slot, .bytes = f->bytes, .size = SIZE};
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	free(f->bytes);
	free(f);
	return 0;
}

static void put(struct fixture *f, uint64_t at, const void *from, size_t len)
{
	for (size_t i = 0; i < len; i++)
		f->bytes[(at + i) % SIZE] = ((const char *)from)[i];
}

/* As a process does it, without asking for room. */
static void write_record(struct fixture *f, uint64_t ns, const void *bytes, size_t size)
{
	struct preload_head head = {.size = size, .ns = ns};

	put(f, f->slot.head, &head, sizeof(head));
	put(f, f->slot.head + sizeof(head), bytes, size);
	f->slot.head += PRELOAD_ALIGN(sizeof(head) + size);
}

static void test_in_order_around_the_end(void **state)
{
	struct fixture *f = *state;
	char text[1000];

	for (unsigned int i = 0; i < 500; i++) {
		size_t size = 1 + i * 7 % sizeof(text);

		memset(text, 'a' + i % 26, sizeof(text));
		write_record(f, i, text, size);
		write_record(f, i, "x", 1);
		assert_true(preload_ring__look(&f->ring));
		assert_int_equal(f->ring.next.ns, i);
		assert_int_equal(f->ring.next.size, size);
		preload_ring__take(&f->ring, record);
		assert_memory_equal(record, text, size);
		/* Both were there when it was looked. */
		assert_int_equal(f->ring.next.size, 1);
		preload_ring__take(&f->ring, record);
		assert_int_equal(record[0], 'x');
		assert_false(preload_ring__look(&f->ring));
		assert_int_equal(f->slot.tail, f->slot.head);
	}
	assert_true(f->slot.head > 2 * SIZE);
	assert_int_equal(f->ring.damaged, 0);
}

/* After it good records are read again. */
static void assert_left_out(struct fixture *f)
{
	uint64_t before = f->ring.damaged;

	assert_false(preload_ring__look(&f->ring));
	assert_int_equal(f->ring.damaged, before + 1);
	f->slot.head = f->slot.tail;
	write_record(f, 1, "good", 5);
	assert_true(preload_ring__look(&f->ring));
	preload_ring__take(&f->ring, record);
	assert_string_equal(record, "good");
	assert_int_equal(f->ring.damaged, before + 1);
}

static void test_hostile_heads(void **state)
{
	static const uint64_t steps[] = {1, 15, SIZE + 8, SIZE * 2, UINT64_MAX, UINT64_MAX / 2};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		f->slot.head += steps[i];
		assert_left_out(f);
	}
}

static void test_hostile_sizes(void **state)
{
	static const uint32_t sizes[] = {0, 100, PRELOAD_RECORD_MAX + 1, SIZE, UINT32_MAX};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct preload_head head = {.size = sizes[i]};

		put(f, f->slot.head, &head, sizeof(head));
		f->slot.head += 64;
		assert_left_out(f);
	}
}

/* What was looked at is what is read, whatever is written there meanwhile. */
static void test_changes_after_look(void **state)
{
	struct fixture *f = *state;
	struct preload_head huge = {.size = UINT32_MAX};

	write_record(f, 1, "first", 6);
	write_record(f, 2, "second", 7);
	assert_true(preload_ring__look(&f->ring));
	put(f, 0, &huge, sizeof(huge));
	f->slot.tail = 12345;
	preload_ring__take(&f->ring, record);
	assert_string_equal(record, "first");
	preload_ring__take(&f->ring, record);
	assert_string_equal(record, "second");
	/* Back: all between was read already. */
	f->slot.head = 8;
	assert_left_out(f);
}

static void test_noise(void **state)
{
	struct fixture *f = *state;
	unsigned int taken = 0;

	srandom(1);
	for (unsigned int i = 0; i < 20000; i++) {
		for (unsigned int n = 0; n < 8; n++)
			f->bytes[random() % SIZE] = random() % 4 ? 0 : random();
		f->slot.head += random() % 5 ? random() % 256 : random();
		while (preload_ring__look(&f->ring) && f->ring.next.size) {
			assert_true(f->ring.next.size <= PRELOAD_RECORD_MAX);
			preload_ring__take(&f->ring, record);
			taken++;
		}
	}
	assert_true(taken > 0);
	assert_true(f->ring.damaged > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_in_order_around_the_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hostile_heads, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hostile_sizes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_changes_after_look, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_noise, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
