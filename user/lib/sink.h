/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Text for a stream, put together without printf(): a fifth of its time, where each of 100,000
 * events a second is a line with ten numbers. What goes in reaches the stream by sink__flush().
 */
#ifndef WIRESCOPE_SINK_H
#define WIRESCOPE_SINK_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SINK_SIZE 65536

struct sink {
	FILE *out;
	size_t len;
	size_t column; /* where the column began that sink__pad() fills up, in buf */
	char buf[SINK_SIZE];
};

void sink__flush(struct sink *s);

/* Where size <= SINK_SIZE bytes can be written; what was, is added to s->len. */
static inline char *sink__room(struct sink *s, size_t size)
{
	if (SINK_SIZE - s->len < size)
		sink__flush(s);
	return s->buf + s->len;
}

static inline void sink__bytes(struct sink *s, const void *bytes, size_t len)
{
	memcpy(sink__room(s, len), bytes, len);
	s->len += len;
}

/* A literal: its length is known to the compiler. */
#define sink__text(s, text) sink__bytes(s, text, strlen(text))

static inline void sink__char(struct sink *s, char c)
{
	*sink__room(s, 1) = c;
	s->len++;
}

void sink__number(struct sink *s, uint64_t n);
void sink__signed(struct sink *s, int64_t n);

/* With zeros in front, up to `digits` of them. */
void sink__padded(struct sink *s, uint64_t n, unsigned int digits);

/* Two digits for each byte, lower case. */
void sink__hex(struct sink *s, const unsigned char *bytes, size_t len);

/* n * 10^-digits with `places` digits behind the point, rounded as printf() does. */
void sink__fraction(struct sink *s, uint64_t n, unsigned int digits, unsigned int places);

/* A row of columns begins; there is room for SINK_ROW bytes of it. */
#define SINK_ROW 4096
void sink__begin_row(struct sink *s);

/* A column ends, at least `width` wide; the next one, if any, begins with a blank. */
void sink__end_column(struct sink *s, size_t width);
void sink__next_column(struct sink *s);

#endif
