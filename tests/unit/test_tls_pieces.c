/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "tls-feed.h"
#include "tls-pieces.h"

#define PIECE         TLS_PAYLOAD_MAX
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* What came out of tls-pieces.h. */
static struct {
	size_t cnt;
	struct tls_part parts[64];
	struct tls_record records[64];
	char *text; /* of all parts, one after the other */
	size_t len;
	const unsigned char *last_data;
} got;

static void take(void *arg, const struct tls_part *part)
{
	(void)arg;
	assert_in_range(got.cnt, 0, ARRAY_SIZE(got.parts) - 1);
	got.records[got.cnt] = *part->record;
	got.parts[got.cnt] = *part;
	got.parts[got.cnt].record = &got.records[got.cnt];
	got.cnt++;
	got.last_data = part->data;
	got.text = realloc(got.text, got.len + part->size + 1);
	if (part->size)
		memcpy(got.text + got.len, part->data, part->size);
	got.len += part->size;
}

static void begin(size_t limit, uint64_t keep)
{
	free(got.text);
	memset(&got, 0, sizeof(got));
	tls_pieces_open(limit, keep, take, NULL);
}

static void add(struct tls_record record, const char *payload, size_t piece)
{
	size_t left = record.captured - piece * PIECE;

	record.offset = piece * PIECE;
	record.size = left < PIECE ? left : PIECE;
	tls_pieces_add(&record, (const unsigned char *)payload + record.offset);
}

/* Text in which each place can be told. */
static char *payload_of(size_t len)
{
	char *payload = malloc(len + 1);

	for (size_t i = 0; i < len; i++)
		payload[i] = (char)('!' + (i + i / 89) % 89);
	payload[len] = '\0';
	return payload;
}

static void test_whole(void **state)
{
	static const size_t sizes[] = {0,    1,     4095,  4096,  8191,   8192,
				       8193, 16384, 16385, 65536, 1000000};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct tls_record record = feed_call(TLS_READ, sizes[i]);
		char *payload = payload_of(sizes[i]);

		begin(64 << 20, UINT64_MAX);
		for (size_t piece = 0; piece < feed_pieces(&record); piece++)
			add(record, payload, piece);
		assert_int_equal(got.cnt, 1);
		assert_int_equal(got.len, sizes[i]);
		assert_memory_equal(got.text, payload, sizes[i]);
		assert_false(got.parts[0].more || got.parts[0].missing || got.parts[0].cut);
		if (sizes[i] <= PIECE) /* not copied */
			assert_ptr_equal(got.last_data, payload);
		tls_pieces_close();
		assert_int_equal(got.cnt, 1);
		free(payload);
	}
}

static void test_between_threads(void **state)
{
	size_t len = 5 * PIECE + 7;
	char *payload = payload_of(len);
	struct tls_record a = feed_call(TLS_READ, len), b = feed_call(TLS_WRITE, len), c = a;

	(void)state;
	b.tid = a.tid + 1;
	c.tid = a.tid + 1024; /* in one bucket with a */
	begin(64 << 20, UINT64_MAX);
	for (size_t piece = 0; piece < 6; piece++) {
		struct tls_record between = feed_call(TLS_READ, 3);

		add(a, payload, piece);
		between.tid = 7;
		add(between, "abc", 0);
		add(b, payload, piece);
		add(c, payload, piece);
	}
	assert_int_equal(got.cnt, 9);
	assert_int_equal(got.parts[5].record->tid, a.tid);
	assert_int_equal(got.parts[7].record->tid, b.tid);
	assert_int_equal(got.parts[8].record->tid, c.tid);
	for (size_t i = 0; i < 9; i++)
		assert_int_equal(got.parts[i].size, i == 5 || i > 6 ? len : 3);
	assert_memory_equal(got.text + got.len - len, payload, len);
	assert_memory_equal(got.text + got.len - 2 * len, payload, len);
	tls_pieces_close();
	assert_int_equal(got.cnt, 9);
	free(payload);
}

static void test_lost_middle(void **state)
{
	size_t len = 4 * PIECE;
	char *payload = payload_of(len);
	struct tls_record record = feed_call(TLS_READ, len);

	(void)state;
	begin(64 << 20, UINT64_MAX);
	add(record, payload, 0);
	record.lost_calls = 1;
	record.lost_bytes = PIECE;
	add(record, payload, 2);
	record.lost_calls = record.lost_bytes = 0;
	add(record, payload, 3);
	assert_int_equal(got.cnt, 2);
	assert_true(got.parts[0].incomplete && got.parts[0].more);
	assert_int_equal(got.parts[0].missing, PIECE);
	assert_int_equal(got.parts[0].cut, PIECE);
	assert_int_equal(got.parts[0].lost_calls, 0);
	assert_true(got.parts[1].continued && got.parts[1].cut_before);
	assert_int_equal(got.parts[1].offset, 2 * PIECE);
	assert_int_equal(got.parts[1].lost_calls, 1);
	assert_int_equal(got.parts[1].missing, 0);
	assert_memory_equal(got.text, payload, PIECE);
	assert_memory_equal(got.text + PIECE, payload + 2 * PIECE, 2 * PIECE);
	free(payload);
}

static void test_lost_ends(void **state)
{
	size_t len = 3 * PIECE;
	char *payload = payload_of(len);
	struct tls_record record = feed_call(TLS_READ, len), next = record;

	(void)state;
	begin(64 << 20, UINT64_MAX);
	add(record, payload, 1); /* the first is lost, and the last */
	next.end_ns++;
	next.len = next.captured = 3;
	add(next, "abc", 0);
	assert_int_equal(got.cnt, 2);
	assert_int_equal(got.parts[0].offset, PIECE);
	assert_int_equal(got.parts[0].cut, 2 * PIECE);
	assert_int_equal(got.parts[0].missing, PIECE);
	assert_true(got.parts[0].incomplete && !got.parts[0].continued && !got.parts[0].more);
	assert_int_equal(got.parts[1].size, 3);
	add(record, payload, 0);
	tls_pieces_close();
	assert_int_equal(got.cnt, 3);
	assert_true(got.parts[2].incomplete);
	assert_int_equal(got.parts[2].cut, 2 * PIECE);
	free(payload);
}

static void test_keep(void **state)
{
	size_t len = 3 * PIECE;
	char *payload = payload_of(len);
	struct tls_record record = feed_call(TLS_READ, len);

	(void)state;
	begin(64 << 20, PIECE + 5);
	for (size_t i = 0; i < 3; i++)
		add(record, payload, i);
	assert_int_equal(got.cnt, 1);
	assert_int_equal(got.parts[0].size, PIECE + 5);
	assert_int_equal(got.parts[0].missing, len - PIECE - 5);
	/* What nobody wanted was lost. */
	add(record, payload, 0);
	add(record, payload, 1);
	tls_pieces_close();
	assert_int_equal(got.cnt, 2);
	assert_false(got.parts[1].incomplete);
	assert_int_equal(got.parts[0].cut + got.parts[1].cut, 0);
	free(payload);
}

/* Too much waits: in parts, in order, with no byte and no character broken. */
static void test_limit(void **state)
{
	size_t len = 40 * PIECE, limit = 8 * PIECE, seen = 0;
	char *payload = malloc(len);
	struct tls_record record = feed_call(TLS_READ, len);

	(void)state;
	for (size_t i = 0; i < len; i++)
		payload[i] = "\xe2\x82\xac"[i % 3];
	begin(limit, UINT64_MAX);
	output_begin(&feed.notes, STDERR_FILENO);
	for (size_t piece = 0; piece < 40; piece++)
		add(record, payload, piece);
	output_end(&feed.notes, STDERR_FILENO);
	assert_contains(feed.notes.text, "printed in parts");
	assert_in_range(got.cnt, 5, 40);
	for (size_t i = 0; i < got.cnt; i++) {
		assert_int_equal(got.parts[i].offset, seen);
		assert_in_range(got.parts[i].size, 1, limit);
		assert_int_equal(got.parts[i].more, i + 1 < got.cnt);
		assert_int_equal(got.parts[i].continued, i > 0);
		if (i + 1 < got.cnt)
			assert_int_equal(got.parts[i].size % 3, 0);
		assert_int_equal(got.parts[i].cut, 0);
		seen += got.parts[i].size;
	}
	assert_int_equal(got.len, len);
	assert_memory_equal(got.text, payload, len);
	free(payload);
}

/* Threads that begin and never go on do not keep others from being whole for ever. */
static void test_limit_of_threads(void **state)
{
	char *payload = payload_of(4 * PIECE);
	struct tls_record record = feed_call(TLS_READ, 4 * PIECE);

	(void)state;
	begin(16 * PIECE, UINT64_MAX);
	output_begin(&feed.notes, STDERR_FILENO);
	for (unsigned int i = 0; i < 20; i++) {
		record.tid = 100 + i;
		add(record, payload, 0);
	}
	record.tid = 5;
	for (size_t piece = 0; piece < 4; piece++)
		add(record, payload, piece);
	output_end(&feed.notes, STDERR_FILENO);
	assert_int_equal(got.parts[got.cnt - 1].record->tid, 5);
	assert_int_equal(got.parts[got.cnt - 1].size, 4 * PIECE);
	for (size_t i = 0; i + 1 < got.cnt; i++) {
		assert_int_equal(got.parts[i].size, PIECE);
		assert_true(got.parts[i].more);
	}
	tls_pieces_close();
	free(payload);
}

/* The same by the whole: text, what was lost, and no call counted twice. */
static void test_printed(void **state)
{
	size_t len = 3 * PIECE;
	char *payload = payload_of(len);
	struct tls_record record = feed_call(TLS_READ, len);
	const char *text;

	(void)state;
	feed_begin(REPORT_TEXT, (struct tls_output_options){.hexdump = true});
	feed_piece(record, payload, 0);
	record.lost_calls = 1;
	record.lost_bytes = PIECE;
	feed_piece(record, payload, 2);
	record.lost_calls = record.lost_bytes = 0;
	record.end_ns++;
	feed_piece(record, payload, 0);
	record.end_ns++;
	feed_piece(record, payload, 1);
	text = feed_end();
	assert_contains(text, "READ/RECV    0.000000000        nginx            42      49152 \n"
			      "----- DATA -----\n2122");
	assert_contains(text, "----- END DATA (TRUNCATED, 16384 bytes lost) (NO ROOM IN THE "
			      "BUFFER) (CONTINUES) -----\n\n\n"
			      "----- LOST (1 calls, 16384 bytes of PID 42, connection 1) -----\n"
			      "----- DATA (OF PID 42, TID 43, FROM BYTE 32768) -----\n");
	assert_contains(text, "----- END DATA (TRUNCATED, 32768 bytes lost) (NO ROOM IN THE "
			      "BUFFER) -----\n\n\nREAD/RECV    0.000000002 ");
	assert_contains(text, "\n----- DATA (FROM BYTE 16384) -----\n");
	assert_int_equal(feed.lost, 3);
	assert_contains(feed.notes.text, "lost 3 calls, 81920 bytes of 'nginx'");
	free(payload);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),       cmocka_unit_test(test_between_threads),
		cmocka_unit_test(test_lost_middle), cmocka_unit_test(test_lost_ends),
		cmocka_unit_test(test_keep),        cmocka_unit_test(test_limit),
		cmocka_unit_test(test_printed),     cmocka_unit_test(test_limit_of_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
