/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where text is no longer plain ASCII: most payload is, and 100 MB of it a second pass here. */
#ifndef WIRESCOPE_PLAIN_H
#define WIRESCOPE_PLAIN_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PLAIN_WORD sizeof(uint64_t)

/* ASCII that prints, but backslashes and `also`. */
static inline int plain_char(unsigned char c, char also)
{
	return c >= ' ' && c < 0x7f && c != '\\' && c != (unsigned char)also;
}

/* How many of the PLAIN_WORD bytes at src are plain, up to the first one that is not. */
static inline size_t plain_word(const void *src, char also)
{
	const uint64_t each = 0x0101010101010101;
	uint64_t bytes, below, above, slash, other, marks;

	memcpy(&bytes, src, sizeof(bytes));
	bytes = le64toh(bytes);
	/*
	 * The high bits of bytes that are not. Borrows and carries go only to bytes above one
	 * that is marked rightly, so the lowest mark can be trusted, and those above it cannot.
	 */
	below = (bytes - each * ' ') & ~bytes;
	above = bytes | (bytes + each); /* DEL becomes 0x80 */
	slash = bytes ^ each * '\\';
	slash = (slash - each) & ~slash;
	other = bytes ^ each * (unsigned char)also;
	other = (other - each) & ~other;
	marks = (below | above | slash | other) & each * 0x80;
	return marks ? (size_t)__builtin_ctzll(marks) / 8 : PLAIN_WORD;
}

#endif
