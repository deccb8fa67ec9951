/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Payload as a writer has it that takes one character after the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "escape.h"
#include "tls-payload.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define INPUTS     10000
#define LONG_EVERY 100
#define SHORT_MAX  150
#define LONG_MAX   20000 /* more than is written at once */

static size_t encode(unsigned char *to, uint32_t code)
{
	static const uint32_t ends[] = {0x80, 0x800, 0x10000, 0x110000};
	static const unsigned char marks[] = {0, 0xc0, 0xe0, 0xf0};
	size_t len = 1;

	while (code >= ends[len - 1])
		len++;
	for (size_t i = len - 1; i; i--, code >>= 6)
		to[i] = 0x80 | (code & 0x3f);
	to[0] = marks[len - 1] | code;
	return len;
}

/* The length of the character at src; what is one is encoded again as it was. 0: there is none. */
static size_t character(const unsigned char *src, size_t len)
{
	for (size_t n = 1; n <= 4 && n <= len; n++) {
		uint32_t code = n == 1 ? src[0] : src[0] & (0x7f >> n);
		unsigned char again[4];

		for (size_t i = 1; i < n; i++)
			code = code << 6 | (src[i] & 0x3f);
		if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
			continue;
		if (encode(again, code) == n && !memcmp(again, src, n))
			return n;
	}
	return 0;
}

static bool is_mark(const unsigned char *src, size_t len)
{
	return len >= strlen(TLS_MARK) && !memcmp(src, TLS_MARK, strlen(TLS_MARK));
}

static void expect_text(FILE *out, const unsigned char *src, size_t len)
{
	char escaped[32];

	for (size_t i = 0, n; i < len; i += n) {
		size_t left = len - i;
		bool line_ends = left == 1 || src[i + 1] == '\n';

		n = character(src + i, left) ?: 1;
		escape(escaped, sizeof(escaped), (const char *)src + i, n, ESCAPE_TERMINAL);
		if ((!i || src[i - 1] == '\n') && is_mark(src + i, left))
			fputs("\\x2d", out);
		else if (src[i] == '\n' || src[i] == '\t' || (src[i] == '\r' && line_ends))
			fputc(src[i], out);
		else
			fputs(escaped, out);
	}
}

static void expect_json(FILE *out, const unsigned char *src, size_t len)
{
	static const char *const escapes[128] = {
		['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n",  ['\f'] = "\\f",
		['\r'] = "\\r", ['"'] = "\\\"", ['\\'] = "\\\\",
	};

	for (size_t i = 0, n; i < len; i += n ?: 1) {
		n = character(src + i, len - i);
		if (!n)
			fputs("\xef\xbf\xbd", out);
		else if (n == 1 && escapes[src[i]])
			fputs(escapes[src[i]], out);
		else if (src[i] < ' ')
			fprintf(out, "\\u%04x", src[i]);
		else
			fwrite(src + i, 1, n, out);
	}
}

static void write_text(FILE *out, const unsigned char *src, size_t len)
{
	struct sink s = {.out = out};

	tls_payload_text(&s, src, len);
	sink__flush(&s);
}

static void write_json(FILE *out, const unsigned char *src, size_t len)
{
	struct sink s = {.out = out};

	tls_payload_json(&s, src, len);
	sink__flush(&s);
}

typedef void (*write_fn)(FILE *out, const unsigned char *src, size_t len);

static char *written(write_fn write, const unsigned char *src, size_t len, size_t *size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size);

	assert_non_null(out);
	write(out, src, len);
	fclose(out);
	return text;
}

static void check_by(write_fn write, write_fn expect, const unsigned char *src, size_t len)
{
	size_t size, expected_size, i = 0;
	char *text = written(write, src, len, &size);
	char *expected = written(expect, src, len, &expected_size);

	while (i < size && i < expected_size && text[i] == expected[i])
		i++;
	if (i < size || i < expected_size)
		fail_msg("of %zu bytes, from byte %zu of the result on: '%.40s' is not '%.40s'",
			 len, i, text + i, expected + i);
	free(text);
	free(expected);
}

/* In memory without a byte to spare: the sanitizer sees who reads too far. */
static void check(const void *src, size_t len)
{
	unsigned char *own = malloc(len);

	if (len)
		memcpy(own, src, len);
	check_by(write_text, expect_text, own, len);
	check_by(write_json, expect_json, own, len);
	free(own);
}

static uint32_t number(uint32_t below)
{
	static uint32_t seed = 1;

	seed = seed * 1664525 + 1013904223;
	return (seed >> 16) % below;
}

static size_t any_byte(unsigned char *to)
{
	*to = number(256);
	return 1;
}

/* Where ranges of UTF-8's first and other bytes begin and end: most of what they make is wrong. */
static size_t edge_byte(unsigned char *to)
{
	static const unsigned char edges[] = {
		0x00, 0x1f, 0x7f, 0x80, 0x8f, 0x90, 0x9b, 0x9c, 0x9f, 0xa0, 0xbb,
		0xbf, 0xc0, 0xc1, 0xc2, 0xc3, 0xd7, 0xd8, 0xdf, 0xe0, 0xe1, 0xe2,
		0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
	};

	*to = edges[number(ARRAY_SIZE(edges))];
	return 1;
}

static size_t any_character(unsigned char *to)
{
	static const uint32_t below[] = {0x80, 0x100, 0x800, 0x2100, 0xd800, 0xffff};

	return encode(to, number(below[number(ARRAY_SIZE(below))]));
}

static size_t hostile_text(unsigned char *to)
{
	static const struct {
		const char *bytes;
		size_t len;
	} texts[] = {
#define T(text) {text, sizeof(text) - 1}
		T("\n" TLS_MARK),
		T(TLS_MARK),
		T("\n-----"),
		T("\n-"),
		T("\r\n"),
		T("\n"),
		T("\r"),
		T("\t"),
		T("\\"),
		T("\""),
		T("\0"),
		T("\b\f"),
		T("\033[2J"),
		T("plain text, which is long"),
		T("\xc2\x9b"),
		T("\xc2\xa0"),
		T("\xd8\x9c"),
		T("\xe1\xa0\x8e"),
		T("\xe2\x80\xae"),
		T("\xe2\x82\xac"),
		T("\xe2\x82"),
		T("\xef\xbb\xbf"),
		T("\xef\xbf\xba"),
		T("\xf3\xa0\x80\x81"),
		T("\xf0\x9f\x90\x9d"),
		T("\xf0\x9f\x90"),
		T("\xc0\x80"),
		T("\xe0\x80\xaf"),
		T("\xf0\x80\x80\xaf"),
		T("\xed\xa0\x80"),
		T("\xf4\x90\x80\x80"),
#undef T
	};
	size_t i = number(ARRAY_SIZE(texts));

	memcpy(to, texts[i].bytes, texts[i].len);
	return texts[i].len;
}

/* The end is cut where it happens to be. */
static size_t make_input(unsigned char *to, size_t len)
{
	static size_t (*const makers[])(unsigned char *to) = {
		any_byte,
		edge_byte,
		any_character,
		hostile_text,
	};
	size_t only = number(2 * ARRAY_SIZE(makers));

	for (size_t at = 0; at < len;) {
		unsigned char some[64];
		size_t n =
			makers[only < ARRAY_SIZE(makers) ? only : number(ARRAY_SIZE(makers))](some);

		n = n < len - at ? n : len - at;
		memcpy(to + at, some, n);
		at += n;
	}
	return len;
}

static void test_random(void **state)
{
	static unsigned char input[LONG_MAX];

	(void)state;
	for (unsigned int i = 0; i < INPUTS; i++) {
		size_t max = i % LONG_EVERY ? SHORT_MAX : LONG_MAX;

		check(input, make_input(input, number(max)));
	}
}

/* Each one there is, and what would be one. */
static void test_every_character(void **state)
{
	static unsigned char input[4 * 0x1000 + 1];

	(void)state;
	for (uint32_t block = 0; block < 0x110000; block += 0x1000) {
		size_t len = 0;

		for (uint32_t code = block; code < block + 0x1000; code++)
			len += encode(input + len, code);
		check(input, len);
	}
}

/* All that two bytes can be, before each kind of a third, and at the end. */
static void test_every_pair(void **state)
{
	static const unsigned char thirds[] = {'a', '\n', '-', 0x80, 0xbf, 0xc3};
	static unsigned char input[256 * ARRAY_SIZE(thirds) * 4];

	(void)state;
	for (unsigned int first = 0; first < 256; first++) {
		unsigned char *at = input;

		for (unsigned int i = 0; i < 256 * ARRAY_SIZE(thirds); i++) {
			*at++ = first;
			*at++ = i / ARRAY_SIZE(thirds);
			*at++ = thirds[i % ARRAY_SIZE(thirds)];
			*at++ = ' ';
			if (i % ARRAY_SIZE(thirds) == 0)
				check(at - 4, 2);
		}
		check(input, sizeof(input));
	}
}

/* Each place for it, in and across what is looked at together or written at once. */
static void test_every_place(void **state)
{
	static const char *const texts[] = {"\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x90\x9d",
					    "\r\n",     "\n" TLS_MARK,  "\xe2\x80\xae"};
	static unsigned char input[8192 + 64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		for (size_t at = 8192 - 24; at <= 8192 + 8; at++) {
			memset(input, '~', sizeof(input));
			memcpy(input + at, texts[i], strlen(texts[i]));
			check(input, sizeof(input));
			check(input, at + 1);
			check(input, at + strlen(texts[i]));
		}
	}
}

static void test_nothing(void **state)
{
	(void)state;
	check_by(write_text, expect_text, NULL, 0);
	check_by(write_json, expect_json, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),     cmocka_unit_test(test_every_character),
		cmocka_unit_test(test_every_pair), cmocka_unit_test(test_every_place),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
