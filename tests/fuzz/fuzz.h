/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the fuzz targets share. Each of them defines LLVMFuzzerTestOneInput(). */
#ifndef WIRESCOPE_FUZZ_H
#define WIRESCOPE_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that does not hold ends the run as a crash does. */
#define FUZZ_CHECK(condition) ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))

_Noreturn void fuzz_fail(const char *file, int line, const char *condition);

/* What is left of an input. */
struct fuzz_input {
	const uint8_t *data;
	size_t size;
};

/* 0 when nothing is left. */
uint8_t fuzz_byte(struct fuzz_input *in);

/* size bytes, zeros where there are no more. */
void fuzz_bytes(struct fuzz_input *in, void *to, size_t size);

/* All that is left, on the heap and without a byte to spare; with a NUL for fuzz_text(). */
char *fuzz_copy(const struct fuzz_input *in);
char *fuzz_text(const struct fuzz_input *in);

/* A stream of all that is left. */
FILE *fuzz_stream(const struct fuzz_input *in);

/* By another decoder than ours. */
bool fuzz_is_utf8(const char *text, size_t len);

/* Nothing that acts on a terminal; newlines and tabs only where they are meant. */
bool fuzz_is_printable(const char *text, size_t len, const char *allowed);

/*
 * Messages to stderr are not written, but each of them must be one short line that is printable;
 * while this is set, it can be long and many lines.
 */
extern bool fuzz_message_is_raw;

#endif
