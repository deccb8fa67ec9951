/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Text that a target controls (comm, argv, paths, symbols, payload) is hostile: it passes
 * here before it reaches a terminal or a file.
 */
#ifndef WIRESCOPE_ESCAPE_H
#define WIRESCOPE_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

#define ESCAPE_GROWTH 4 /* bytes of \xNN: no byte becomes more */

enum escape_mode {
	/*
	 * C0 and C1 controls, DEL, bidi and zero-width controls, line separators and bytes
	 * that are not UTF-8 become \xNN (each byte) or \n, \t, \r, \\; the rest passes.
	 */
	ESCAPE_TERMINAL,
	/* As ESCAPE_TERMINAL, but backslashes and tabs pass: for messages, of one line each. */
	ESCAPE_MESSAGE,
	/* Valid UTF-8 for a JSON library: bad bytes become U+FFFD, the rest passes. */
	ESCAPE_UTF8,
};

/*
 * Escape len bytes of src into dst (size > 0, always NUL-terminated, never ends inside a
 * multi-byte character or an escape). Returns the length that the whole result has, as
 * snprintf does: a return value >= size means that the text was cut.
 */
size_t escape(char *dst, size_t size, const char *src, size_t len, enum escape_mode mode);

/* Whether ESCAPE_TERMINAL lets the valid character at src pass, which has len bytes. */
bool escape_is_safe(const void *src, size_t len);

/* How many bytes at the end are the begin of a character that is cut, 0 to 3. */
size_t escape_cut(const void *src, size_t len);

#endif
