/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Text of a target on its way to a terminal, a message or JSON. */
#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "fuzz.h"
#include "log.h"
#include "render.h"

static size_t unescape_one(const char *text, char *to)
{
	static const char letters[] = "n\nt\tr\r\\\\";
	char hex[3] = "";

	if (*text != '\\') {
		*to = *text;
		return 1;
	}
	for (const char *at = letters; *at; at += 2) {
		if (text[1] != *at)
			continue;
		*to = at[1];
		return 2;
	}
	FUZZ_CHECK(text[1] == 'x');
	FUZZ_CHECK(isxdigit((unsigned char)text[2]) && isxdigit((unsigned char)text[3]));
	memcpy(hex, text + 2, 2);
	*to = strtol(hex, NULL, 16);
	return 4;
}

/* What is written for a terminal says exactly what was there. */
static void check_round_trip(const char *text, const char *src, size_t len)
{
	char byte;

	for (size_t i = 0; i < len; i++) {
		text += unescape_one(text, &byte);
		FUZZ_CHECK(byte == src[i]);
	}
	FUZZ_CHECK(!*text);
}

static void check_utf8(const char *text, size_t text_len, const char *src, size_t len)
{
	char *again = malloc(text_len + 1);

	FUZZ_CHECK(escape(again, text_len + 1, text, text_len, ESCAPE_UTF8) == text_len);
	FUZZ_CHECK(!memcmp(again, text, text_len));
	if (fuzz_is_utf8(src, len))
		FUZZ_CHECK(text_len == len && !memcmp(text, src, len));
	free(again);
}

static void check_cut(const char *whole, size_t size, const char *src, size_t len,
		      enum escape_mode mode)
{
	char *cut = malloc(size), *end;
	size_t total, kept;

	/* Nothing is written after the NUL that ends it, and X is none. */
	memset(cut, 'X', size);
	total = escape(cut, size, src, len, mode);
	end = memrchr(cut, '\0', size);
	FUZZ_CHECK(end);
	kept = end - cut;
	FUZZ_CHECK(kept <= total && !memcmp(cut, whole, kept));
	FUZZ_CHECK(fuzz_is_utf8(cut, kept));
	if (total < size)
		FUZZ_CHECK(kept == total);
	if (mode != ESCAPE_UTF8)
		FUZZ_CHECK(fuzz_is_printable(cut, kept, "\t"));
	free(cut);
}

static void check_mode(const char *src, size_t len, enum escape_mode mode, size_t cut)
{
	size_t size = len * ESCAPE_GROWTH + 1, total;
	char *whole = malloc(size);

	total = escape(whole, size, src, len, mode);
	FUZZ_CHECK(total < size && !whole[total]);
	FUZZ_CHECK(fuzz_is_utf8(whole, total));
	if (mode != ESCAPE_UTF8)
		FUZZ_CHECK(fuzz_is_printable(whole, total, mode == ESCAPE_MESSAGE ? "\t" : ""));
	if (mode == ESCAPE_TERMINAL)
		check_round_trip(whole, src, len);
	if (mode == ESCAPE_UTF8)
		check_utf8(whole, total, src, len);
	check_cut(whole, cut % size + 1, src, len, mode);
	free(whole);
}

/* jansson must read what it has written of it. */
static void check_json(const char *text)
{
	json_t *string = render_string(text), *again;
	char *dump;

	FUZZ_CHECK(json_is_string(string));
	dump = json_dumps(string, JSON_ENCODE_ANY | JSON_COMPACT);
	again = json_loads(dump, JSON_DECODE_ANY, NULL);
	FUZZ_CHECK(again && json_equal(string, again));
	FUZZ_CHECK(!strpbrk(dump, "\n\r"));
	free(dump);
	json_decref(string);
	json_decref(again);
}

static void say_raw(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_raw(fmt, args);
	va_end(args);
}

/* What is written is checked in fuzz.c. */
static void check_messages(const char *text)
{
	log_set_level(LOG_VERBOSE);
	FUZZ_CHECK(fail(-EPERM, "'%s'", text) == -EPERM);
	fuzz_message_is_raw = true;
	say_raw("%s\n", text);
	fuzz_message_is_raw = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	size_t cut = fuzz_byte(&in);
	char *bytes = fuzz_copy(&in), *text = fuzz_text(&in);

	for (enum escape_mode mode = ESCAPE_TERMINAL; mode <= ESCAPE_UTF8; mode++)
		check_mode(bytes, in.size, mode, cut);
	check_json(text);
	check_messages(text);
	free(bytes);
	free(text);
	return 0;
}
