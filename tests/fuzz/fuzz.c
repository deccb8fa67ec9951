/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fuzz.h"

#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void fuzz_fail(const char *file, int line, const char *condition)
{
	dprintf(STDOUT_FILENO, "%s:%d: property does not hold: %s\n", file, line, condition);
	abort();
}

uint8_t fuzz_byte(struct fuzz_input *in)
{
	uint8_t byte;

	fuzz_bytes(in, &byte, 1);
	return byte;
}

void fuzz_bytes(struct fuzz_input *in, void *to, size_t size)
{
	size_t some = size < in->size ? size : in->size;

	memset(to, 0, size);
	if (some)
		memcpy(to, in->data, some);
	in->data += some;
	in->size -= some;
}

char *fuzz_copy(const struct fuzz_input *in)
{
	char *copy = malloc(in->size);

	if (in->size)
		memcpy(copy, in->data, in->size);
	return copy;
}

char *fuzz_text(const struct fuzz_input *in)
{
	size_t len = in->size ? strnlen((const char *)in->data, in->size) : 0;
	char *text = malloc(len + 1);

	if (len)
		memcpy(text, in->data, len);
	text[len] = '\0';
	return text;
}

FILE *fuzz_stream(const struct fuzz_input *in)
{
	FILE *file;

	/* It takes no buffer of no bytes. */
	file = in->size ? fmemopen((void *)in->data, in->size, "r") : fopen("/dev/null", "r");
	FUZZ_CHECK(file);
	return file;
}

bool fuzz_is_utf8(const char *text, size_t len)
{
	json_t *string = json_stringn(text, len);
	bool valid = string;

	json_decref(string);
	return valid;
}

bool fuzz_is_printable(const char *text, size_t len, const char *allowed)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = text[i];

		if ((c < 0x20 || c == 0x7f) && !(c && strchr(allowed, c)))
			return false;
		/* C1: U+0080 to U+009F. */
		if (c == 0xc2 && i + 1 < len && (unsigned char)text[i + 1] < 0xa0)
			return false;
	}
	return fuzz_is_utf8(text, len);
}

bool fuzz_message_is_raw;

/* Messages are written at once. What a target puts into one must not act on the terminal. */
ssize_t __real_write(int fd, const void *text, size_t len);
ssize_t __wrap_write(int fd, const void *text, size_t len);

ssize_t __wrap_write(int fd, const void *text, size_t len)
{
	if (fd != STDERR_FILENO)
		return __real_write(fd, text, len);
	FUZZ_CHECK(len && ((const char *)text)[len - 1] == '\n');
	FUZZ_CHECK(fuzz_message_is_raw || len <= PIPE_BUF);
	FUZZ_CHECK(fuzz_is_printable(text, len - 1, fuzz_message_is_raw ? "\t\n" : "\t"));
	return len;
}
