/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "table.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MANY          1000 /* far more than a table has room for at first */
#define NUMBERS       3    /* of the values in the tests of differences */

struct numbers {
	uint64_t n[NUMBERS];
};

/* Each number below MANY once, in no order that a table could profit from. */
static uint32_t shuffled(uint32_t i)
{
	return i * 617 % MANY;
}

static void test_get_makes_zeros_once(void **state)
{
	static const uint64_t zeros[2];
	struct table t = {.key_size = 4, .value_size = sizeof(zeros)};
	uint32_t key = 7;
	uint64_t *value = table__get(&t, &key);

	(void)state;
	assert_non_null(value);
	assert_memory_equal(value, zeros, sizeof(zeros));
	value[1] = 5;
	value = table__get(&t, &key);
	assert_int_equal(value[1], 5);
	assert_int_equal(t.cnt, 1);
	table__free(&t);
}

static void test_get_keeps_values_of_many_keys(void **state)
{
	struct table t = {.key_size = 4, .value_size = 8};

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t key = shuffled(i);
		uint64_t *value = table__get(&t, &key);

		assert_non_null(value);
		assert_int_equal(*value, 0);
		*value = key * 3;
	}
	assert_int_equal(t.cnt, MANY);
	for (uint32_t key = 0; key < MANY; key++) {
		uint64_t *value = table__find(&t, &key);

		assert_non_null(value);
		assert_int_equal(*value, key * 3);
	}
	table__free(&t);
}

static void test_rows_are_in_the_order_of_the_bytes(void **state)
{
	struct table t = {.key_size = 4, .value_size = 8};

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t key = shuffled(i);

		assert_non_null(table__get(&t, &key));
	}
	for (size_t row = 1; row < t.cnt; row++)
		assert_true(memcmp(table__key(&t, row - 1), table__key(&t, row), 4) < 0);
	table__free(&t);
}

/* 512 is below 1 in memory of a little-endian machine: a comparison of numbers would differ. */
static void test_order_is_not_that_of_numbers(void **state)
{
	static const unsigned char first[4] = {0, 2, 0, 0}, second[4] = {1, 0, 0, 0};
	struct table t = {.key_size = 4, .value_size = 8};

	(void)state;
	table__get(&t, second);
	table__get(&t, first);
	assert_memory_equal(table__key(&t, 0), first, 4);
	assert_memory_equal(table__key(&t, 1), second, 4);
	table__free(&t);
}

static void test_find_invents_nothing(void **state)
{
	static const uint32_t there[] = {10, 20, 30}, absent[] = {0, 15, 25, 31, UINT32_MAX};
	struct table t = {.key_size = 4, .value_size = 8};

	(void)state;
	assert_null(table__find(&t, &there[0]));
	for (size_t i = 0; i < ARRAY_SIZE(there); i++)
		table__get(&t, &there[i]);
	for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
		assert_null(table__find(&t, &absent[i]));
	assert_int_equal(t.cnt, ARRAY_SIZE(there));
	table__free(&t);
}

/* Whatever the sizes, rows do not touch and 64-bit numbers lie where a CPU wants them. */
static void test_any_sizes(void **state)
{
	static const char key_a[64] = "a", key_b[64] = "b";
	static const struct {
		size_t key, value;
	} sizes[] = {{1, 8}, {4, 4}, {4, 104}, {7, 7}, {8, 520}, {20, 16}, {44, 8}, {64, 1}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct table t = {.key_size = sizes[i].key, .value_size = sizes[i].value};
		char *a, *b;

		memset(table__get(&t, key_b), 0x55, t.value_size);
		a = table__get(&t, key_a);
		memset(a, 0x11, t.value_size);
		b = table__find(&t, key_b);
		assert_int_equal((uintptr_t)a % 8, 0);
		assert_int_equal((uintptr_t)b % 8, 0);
		for (size_t byte = 0; byte < t.value_size; byte++)
			assert_int_equal(b[byte], 0x55);
		assert_memory_equal(table__key(&t, 0), key_a, t.key_size);
		assert_memory_equal(table__key(&t, 1), key_b, t.key_size);
		table__free(&t);
	}
}

static void test_merge_adds_numbers(void **state)
{
	struct numbers to = {{1, UINT64_MAX, 3}};
	static const struct numbers from = {{10, 2, 0}};

	(void)state;
	merge_u64(&to, &from, sizeof(to));
	assert_int_equal(to.n[0], 11);
	assert_int_equal(to.n[1], 1);
	assert_int_equal(to.n[2], 3);
}

static void set(struct table *t, uint32_t key, uint64_t a, uint64_t b, uint64_t c)
{
	struct numbers *value;

	t->key_size = sizeof(key);
	t->value_size = sizeof(*value);
	value = table__get(t, &key);
	assert_non_null(value);
	*value = (struct numbers){{a, b, c}};
}

static void assert_numbers(const struct table *t, uint32_t key, uint64_t a, uint64_t b, uint64_t c)
{
	const struct numbers *value = table__find(t, &key);

	assert_non_null(value);
	assert_int_equal(value->n[0], a);
	assert_int_equal(value->n[1], b);
	assert_int_equal(value->n[2], c);
}

static void test_first_delta_is_all(void **state)
{
	struct table t = {0}, seen = {0};

	(void)state;
	set(&t, 1, 10, 0, UINT32_MAX * 8ULL);
	assert_int_equal(table__take_delta(&t, &seen), 0);
	assert_numbers(&t, 1, 10, 0, UINT32_MAX * 8ULL);
	assert_numbers(&seen, 1, 10, 0, UINT32_MAX * 8ULL);
	table__free(&t);
	table__free(&seen);
}

static void test_delta_is_what_came_since(void **state)
{
	struct table first = {0}, second = {0}, seen = {0};

	(void)state;
	set(&first, 1, 10, 20, 30);
	table__take_delta(&first, &seen);
	set(&second, 1, 11, 20, 90);
	set(&second, 2, 5, 6, 7);
	assert_int_equal(table__take_delta(&second, &seen), 0);
	assert_numbers(&second, 1, 1, 0, 60);
	assert_numbers(&second, 2, 5, 6, 7);
	assert_numbers(&seen, 1, 11, 20, 90);
	table__free(&first);
	table__free(&second);
	table__free(&seen);
}

/* One number may be behind while another of the same key is ahead. */
static void test_delta_is_never_negative_and_is_paid_back(void **state)
{
	static const struct {
		struct numbers total, delta;
	} steps[] = {
		{{{10, 5, 100}}, {{10, 5, 100}}},
		{{{9, 7, 100}}, {{0, 2, 0}}},
		{{{12, 6, 99}}, {{2, 0, 0}}},
		{{{12, 8, 150}}, {{0, 1, 50}}},
	};
	struct table seen = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		const uint64_t *total = steps[i].total.n, *delta = steps[i].delta.n;
		struct table t = {0};

		set(&t, 1, total[0], total[1], total[2]);
		assert_int_equal(table__take_delta(&t, &seen), 0);
		assert_numbers(&t, 1, delta[0], delta[1], delta[2]);
		table__free(&t);
	}
	table__free(&seen);
}

/* A key that a snapshot has not at all counts on from where it was. */
static void test_absent_key_is_remembered(void **state)
{
	struct table with = {0}, without = {0}, again = {0}, seen = {0};

	(void)state;
	set(&with, 1, 10, 10, 10);
	set(&with, 2, 1, 1, 1);
	table__take_delta(&with, &seen);
	set(&without, 2, 2, 2, 2);
	table__take_delta(&without, &seen);
	assert_int_equal(without.cnt, 1);
	assert_numbers(&without, 2, 1, 1, 1);
	set(&again, 1, 13, 10, 10);
	table__take_delta(&again, &seen);
	assert_numbers(&again, 1, 3, 0, 0);
	table__free(&with);
	table__free(&without);
	table__free(&again);
	table__free(&seen);
}

/* Snapshots that miss a few of the events: reports add up to the last one that misses none. */
static void test_deltas_add_up(void **state)
{
	struct numbers sums = {{0}};
	struct table seen = {0};
	unsigned int random = 1;
	uint64_t truth = 0;

	(void)state;
	for (int report = 0; report < 1000; report++) {
		bool last = report == 999;
		struct table t = {0};
		uint32_t key = 1;

		truth += random % 7;
		random = random * 1664525u + 1013904223u;
		set(&t, 1, truth, truth * 2, last ? truth : truth - truth % (1 + random % 5));
		assert_int_equal(table__take_delta(&t, &seen), 0);
		merge_u64(&sums, table__find(&t, &key), sizeof(sums));
		assert_true(sums.n[2] <= truth);
		table__free(&t);
	}
	assert_true(truth > 1000);
	assert_int_equal(sums.n[0], truth);
	assert_int_equal(sums.n[1], truth * 2);
	assert_int_equal(sums.n[2], truth);
	table__free(&seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get_makes_zeros_once),
		cmocka_unit_test(test_get_keeps_values_of_many_keys),
		cmocka_unit_test(test_rows_are_in_the_order_of_the_bytes),
		cmocka_unit_test(test_order_is_not_that_of_numbers),
		cmocka_unit_test(test_find_invents_nothing),
		cmocka_unit_test(test_any_sizes),
		cmocka_unit_test(test_merge_adds_numbers),
		cmocka_unit_test(test_first_delta_is_all),
		cmocka_unit_test(test_delta_is_what_came_since),
		cmocka_unit_test(test_delta_is_never_negative_and_is_paid_back),
		cmocka_unit_test(test_absent_key_is_remembered),
		cmocka_unit_test(test_deltas_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
