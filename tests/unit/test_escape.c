/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <ctype.h>
#include <iconv.h>
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

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define BAD "\xef\xbf\xbd" /* U+FFFD */

struct text {
	const char *bytes;
	size_t len;
};

/* A literal with its length, so that it may hold NULs. */
#define T(s)                       \
	{                          \
		(s), sizeof(s) - 1 \
	}

struct escape_case {
	struct text in;
	struct text terminal;
	struct text message; /* no bytes: as terminal */
	struct text utf8;    /* no bytes: as in */
};

#define PASSES(s)                            \
	{                                    \
		.in = T(s), .terminal = T(s) \
	}
#define ESCAPED(s, out)                        \
	{                                      \
		.in = T(s), .terminal = T(out) \
	}
#define INVALID(s, out, u)                                   \
	{                                                    \
		.in = T(s), .terminal = T(out), .utf8 = T(u) \
	}
#define OTHER(s, out, m, u)                                                   \
	{                                                                     \
		.in = T(s), .terminal = T(out), .message = T(m), .utf8 = T(u) \
	}

static const struct escape_case cases[] = {
	PASSES(""),
	PASSES("plain ~ text"),
	PASSES("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x9d"),
	OTHER("a\\b", "a\\\\b", "a\\b", "a\\b"),
	/* C0, DEL, NUL */
	OTHER("a\nb\tc\rd", "a\\nb\\tc\\rd", "a\\nb\tc\\rd", "a\nb\tc\rd"),
	ESCAPED("\x01\x07\x08\x0b\x0c\x1f", "\\x01\\x07\\x08\\x0b\\x0c\\x1f"),
	ESCAPED("a\0b\0", "a\\x00b\\x00"),
	ESCAPED("\x7f", "\\x7f"),
	/* sequences that colour, set the title, and load the clipboard */
	ESCAPED("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
	ESCAPED("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
	OTHER("\x1b]52;c;Zm9v\x1b\\", "\\x1b]52;c;Zm9v\\x1b\\\\", "\\x1b]52;c;Zm9v\\x1b\\",
	      "\x1b]52;c;Zm9v\x1b\\"),
	/* C1: as UTF-8, and as raw bytes, which are no UTF-8 */
	ESCAPED("\xc2\x80\xc2\x85\xc2\x9b[\xc2\x9f", "\\xc2\\x80\\xc2\\x85\\xc2\\x9b[\\xc2\\x9f"),
	PASSES("\xc2\xa0"),
	INVALID("\x80\x85\x9b[\x9f", "\\x80\\x85\\x9b[\\x9f", BAD BAD BAD "[" BAD),
	/* the neighbours of the bidi, zero-width and line separator ranges pass */
	ESCAPED("\xe2\x80\x8a\xe2\x80\x8b\xe2\x80\x8f\xe2\x80\x90",
		"\xe2\x80\x8a\\xe2\\x80\\x8b\\xe2\\x80\\x8f\xe2\x80\x90"),
	ESCAPED("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa\xe2\x80\xae\xe2\x80\xaf",
		"\xe2\x80\xa7\\xe2\\x80\\xa8\\xe2\\x80\\xa9"
		"\\xe2\\x80\\xaa\\xe2\\x80\\xae\xe2\x80\xaf"),
	ESCAPED("\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xb0",
		"\\xe2\\x81\\xa6\\xe2\\x81\\xa9\xe2\x81\xb0"),
	ESCAPED("\xef\xbb\xbfx", "\\xef\\xbb\\xbfx"),
	/* overlong: '/', DEL, NUL, ESC */
	INVALID("\xc0\xaf", "\\xc0\\xaf", BAD BAD),
	INVALID("\xc1\xbf", "\\xc1\\xbf", BAD BAD),
	INVALID("\xe0\x80\x80", "\\xe0\\x80\\x80", BAD BAD BAD),
	INVALID("\xf0\x80\x80\x9b", "\\xf0\\x80\\x80\\x9b", BAD BAD BAD BAD),
	/* surrogates, the last character and what is above, lead bytes that do not exist */
	INVALID("\xed\xa0\x80", "\\xed\\xa0\\x80", BAD BAD BAD),
	INVALID("\xed\xbf\xbf", "\\xed\\xbf\\xbf", BAD BAD BAD),
	PASSES("\xf4\x8f\xbf\xbf"),
	INVALID("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", BAD BAD BAD BAD),
	INVALID("\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80", BAD BAD BAD BAD BAD),
	INVALID("\xfe\xff", "\\xfe\\xff", BAD BAD),
	/* truncated at the end and in the middle */
	INVALID("a\xc3", "a\\xc3", "a" BAD),
	INVALID("a\xe2\x82", "a\\xe2\\x82", "a" BAD BAD),
	INVALID("a\xf0\x9f\x90", "a\\xf0\\x9f\\x90", "a" BAD BAD BAD),
	INVALID("\xe2\x82z", "\\xe2\\x82z", BAD BAD "z"),
	INVALID("\xc3\xc3\xbc", "\\xc3\xc3\xbc", BAD "\xc3\xbc"),
	/* escapes of all lengths side by side, for the test of cuts */
	OTHER("\xe2\x82\xac\n\x1b\xf0\x9f\x90\x9d\xe2\x80\xae\0\xff\\\xc3\xbcz\xf0\x9f",
	      "\xe2\x82\xac\\n\\x1b\xf0\x9f\x90\x9d\\xe2\\x80\\xae"
	      "\\x00\\xff\\\\\xc3\xbcz\\xf0\\x9f",
	      "\xe2\x82\xac\\n\\x1b\xf0\x9f\x90\x9d\\xe2\\x80\\xae"
	      "\\x00\\xff\\\xc3\xbcz\\xf0\\x9f",
	      "\xe2\x82\xac\n\x1b\xf0\x9f\x90\x9d\xe2\x80\xae\0" BAD "\\\xc3\xbcz" BAD BAD),
};

static struct text expected(const struct escape_case *c, enum escape_mode mode)
{
	switch (mode) {
	case ESCAPE_TERMINAL:
		return c->terminal;
	case ESCAPE_MESSAGE:
		return c->message.bytes ? c->message : c->terminal;
	case ESCAPE_UTF8:
		return c->utf8.bytes ? c->utf8 : c->in;
	}
	fail();
	return c->in;
}

/* On the heap and without a byte to spare, so that the sanitizer sees each read past it. */
static char *exact_copy(const char *bytes, size_t len)
{
	char *copy = malloc(len);

	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

static void check_modes(void (*check)(struct text in, struct text out, enum escape_mode mode))
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *in = exact_copy(cases[i].in.bytes, cases[i].in.len);

		for (int mode = ESCAPE_TERMINAL; mode <= ESCAPE_UTF8; mode++)
			check((struct text){in, cases[i].in.len}, expected(&cases[i], mode), mode);
		free(in);
	}
}

static void check_whole(struct text in, struct text out, enum escape_mode mode)
{
	char dst[256];

	assert_int_equal(escape(dst, sizeof(dst), in.bytes, in.len, mode), out.len);
	assert_memory_equal(dst, out.bytes, out.len);
	assert_int_equal(dst[out.len], '\0');
}

static void test_cases(void **state)
{
	(void)state;
	check_modes(check_whole);
}

/* Callers reserve that much for text that must not be cut. */
static void check_growth(struct text in, struct text out, enum escape_mode mode)
{
	(void)mode;
	assert_in_range(out.len, 0, in.len * ESCAPE_GROWTH);
}

static void test_growth(void **state)
{
	(void)state;
	check_modes(check_growth);
}

static void test_null_source(void **state)
{
	char dst[4] = "abc";

	(void)state;
	assert_int_equal(escape(dst, sizeof(dst), NULL, 0, ESCAPE_TERMINAL), 0);
	assert_string_equal(dst, "");
}

/* Another decoder than ours. */
static bool is_utf8(const char *bytes, size_t len)
{
	uint32_t wide[256];
	char *in = (char *)bytes, *out = (char *)wide;
	size_t in_left = len, out_left = sizeof(wide);
	iconv_t cd = iconv_open("UTF-32LE", "UTF-8");
	size_t n;

	assert_true(cd != (iconv_t)-1);
	n = iconv(cd, &in, &in_left, &out, &out_left);
	iconv_close(cd);
	return n != (size_t)-1 && in_left == 0;
}

/* Length of the escape at text, 0 if there is a backslash that begins none. */
static size_t escape_length(const char *text, size_t len)
{
	if (len >= 2 && strchr("ntr\\", text[1]) && text[1])
		return 2;
	if (len >= 4 && text[1] == 'x' && isxdigit(text[2]) && isxdigit(text[3]))
		return 4;
	return 0;
}

static void assert_whole_escapes(const char *text, size_t len)
{
	size_t n;

	for (size_t i = 0; i < len; i += n) {
		n = text[i] == '\\' ? escape_length(text + i, len - i) : 1;
		assert_int_not_equal(n, 0);
	}
}

static size_t last_nul(const char *buf, size_t size)
{
	while (size && buf[size - 1])
		size--;
	return size - 1;
}

static void check_cuts(struct text in, struct text out, enum escape_mode mode)
{
	size_t kept = 0;

	for (size_t size = 1; size <= out.len + 1; size++) {
		char *dst = malloc(size);
		size_t len, previous = kept;

		memset(dst, 'X', size);
		assert_int_equal(escape(dst, size, in.bytes, in.len, mode), out.len);
		/* Untouched bytes are X, so the last NUL is the end. */
		kept = last_nul(dst, size);
		len = kept;
		assert_true(len < size);
		assert_memory_equal(dst, out.bytes, len);
		assert_true(is_utf8(dst, len));
		/* A message may hold backslashes that begin no escape. */
		if (mode == ESCAPE_TERMINAL)
			assert_whole_escapes(dst, len);
		assert_true(kept >= previous);
		/* The longest piece has 16 bytes: no more than 15 are given away. */
		assert_true(len + 16 >= size);
		free(dst);
	}
	assert_int_equal(kept, out.len);
}

static void test_cuts(void **state)
{
	(void)state;
	check_modes(check_cuts);
}

static void test_nothing_after_the_cut(void **state)
{
	char dst[6];

	(void)state;
	/* "\xe2..." does not fit, "z" would: the text must not get a hole. */
	assert_int_equal(escape(dst, sizeof(dst), "ab\xe2\x80\xaez", 6, ESCAPE_TERMINAL), 15);
	assert_string_equal(dst, "ab");
}

static size_t encode(uint32_t code, char *out)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/* All that the header promises to escape, range by range. */
static bool must_escape(uint32_t code)
{
	static const uint32_t ranges[][2] = {
		{0x0, 0x1f},      {0x7f, 0x9f},     {'\\', '\\'},     {0x200b, 0x200f},
		{0x2028, 0x202e}, {0x2066, 0x2069}, {0xfeff, 0xfeff},
	};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		if (code >= ranges[i][0] && code <= ranges[i][1])
			return true;
	}
	return false;
}

static void test_every_code_point(void **state)
{
	char in[4], out[32];
	size_t escaped = 0;

	(void)state;
	for (uint32_t code = 0; code <= 0x10ffff; code++) {
		size_t len = encode(code, in);
		bool surrogate = code >= 0xd800 && code <= 0xdfff;
		size_t n = escape(out, sizeof(out), in, len, ESCAPE_TERMINAL);
		bool same = n == len && !memcmp(in, out, len);

		if (surrogate || must_escape(code))
			assert_false(same);
		escaped += !same;
		n = escape(out, sizeof(out), in, len, ESCAPE_UTF8);
		if (n != (surrogate ? 9 : len) || (!surrogate && memcmp(in, out, len)))
			fail_msg("U+%04X is not kept", code);
	}
	/* 2048 surrogates, the ranges above and other invisible controls, but little else */
	assert_in_range(escaped, 2048 + 33 + 33 + 1 + 5 + 7 + 4 + 1, 2048 + 300);
}

/* Each pair of bytes followed by continuation bytes: accepted just when iconv accepts it. */
static void test_against_iconv(void **state)
{
	char out[32];

	(void)state;
	for (unsigned int pair = 0; pair < 0x10000; pair++) {
		const char in[4] = {(char)(pair >> 8), (char)pair, '\x80', '\xbf'};

		for (size_t len = 1; len <= sizeof(in); len++) {
			size_t n = escape(out, sizeof(out), in, len, ESCAPE_UTF8);
			bool kept = n == len && !memcmp(in, out, len);

			assert_true(is_utf8(out, n));
			if (kept != is_utf8(in, len))
				fail_msg("%04x, %zu bytes", pair, len);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_null_source),
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_nothing_after_the_cut),
		cmocka_unit_test(test_every_code_point),
		cmocka_unit_test(test_against_iconv),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
