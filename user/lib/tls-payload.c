// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tls-payload.h"

#include <stdbool.h>
#include <string.h>

#include "escape.h"
#include "plain.h"

#define SPAN       8192 /* bytes for which room is made at once */
#define GROWTH_MAX 6    /* \u0000 */
#define BESIDES    64   /* room for the last character, and for words copied whole */

_Static_assert(SPAN *GROWTH_MAX + BESIDES <= SINK_SIZE, "a span fits");

struct copy {
	const unsigned char *at, *end;
	char *to;
};

/* Copies up to what is not plain, or to stop. A word is copied before it is known how much of it.
 */
static inline void copy__plain(struct copy *c, const unsigned char *stop, char also)
{
	size_t n = PLAIN_WORD;

	while (n == PLAIN_WORD && (size_t)(stop - c->at) >= PLAIN_WORD) {
		n = plain_word(c->at, also);
		memcpy(c->to, c->at, PLAIN_WORD);
		c->at += n;
		c->to += n;
	}
	while (n == PLAIN_WORD && c->at < stop && plain_char(*c->at, also))
		*c->to++ = (char)*c->at++;
}

static inline void copy__text(struct copy *c, const char *text, size_t len)
{
	memcpy(c->to, text, len);
	c->to += len;
}

static inline void copy__bytes(struct copy *c, size_t n)
{
	memcpy(c->to, c->at, n);
	c->to += n;
	c->at += n;
}

static void copy__hex(struct copy *c, const char *prefix, size_t cnt)
{
	static const char digits[] = "0123456789abcdef";

	for (; cnt; cnt--, c->at++) {
		copy__text(c, prefix, strlen(prefix));
		*c->to++ = digits[*c->at >> 4];
		*c->to++ = digits[*c->at & 0xf];
	}
}

/* What looks like a line of ours must not begin one. */
static void copy__line_begin(struct copy *c)
{
	if (c->end - c->at < (ptrdiff_t)strlen(TLS_MARK) || *c->at != TLS_MARK[0] ||
	    memcmp(c->at, TLS_MARK, strlen(TLS_MARK)))
		return;
	copy__hex(c, "\\x", 1);
}

static const char letters[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
			       ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};

static inline char letter_of(unsigned char c)
{
	return c < sizeof(letters) ? letters[c] : '\0';
}

static void copy__letter(struct copy *c)
{
	*c->to++ = '\\';
	*c->to++ = letter_of(*c->at++);
}

static void copy__wide_text(struct copy *c)
{
	bool safe = false;
	size_t n = escape_char(c->at, c->end - c->at, &safe);

	if (n && safe)
		copy__bytes(c, n);
	else
		copy__hex(c, "\\x", n ?: 1);
}

static void copy__special_text(struct copy *c)
{
	bool crlf = *c->at == '\r' && (c->at + 1 == c->end || c->at[1] == '\n');

	if (*c->at == '\n') {
		copy__bytes(c, 1);
		copy__line_begin(c);
	} else if (*c->at == '\t' || crlf) {
		copy__bytes(c, 1);
	} else if (*c->at == '\r' || *c->at == '\\') {
		copy__letter(c);
	} else {
		copy__wide_text(c);
	}
}

static void copy__special_json(struct copy *c)
{
	static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
	bool safe;
	size_t n;

	if (letter_of(*c->at)) {
		copy__letter(c);
	} else if (*c->at < ' ') {
		copy__hex(c, "\\u00", 1);
	} else {
		n = escape_char(c->at, c->end - c->at, &safe);
		if (n) {
			copy__bytes(c, n);
		} else {
			copy__text(c, replacement, sizeof(replacement) - 1);
			c->at++;
		}
	}
}

/* Inlined into both callers, so that `also` and `special` are constants in the loop. */
static inline __attribute__((always_inline)) void copy(struct sink *s, struct copy *c, char also,
						       void (*special)(struct copy *))
{
	while (c->at < c->end) {
		size_t left = c->end - c->at, span = left < SPAN ? left : SPAN;
		const unsigned char *stop = c->at + span;

		c->to = sink__room(s, span * GROWTH_MAX + BESIDES);
		while (c->at < stop) {
			copy__plain(c, stop, also);
			if (c->at < stop)
				special(c);
		}
		s->len = c->to - s->buf;
	}
}

void tls_payload_text(struct sink *s, const void *data, size_t size)
{
	const unsigned char *at = data;
	struct copy c = {.at = at, .end = at + size, .to = sink__room(s, BESIDES)};

	copy__line_begin(&c);
	s->len = c.to - s->buf;
	copy(s, &c, '\\', copy__special_text);
}

void tls_payload_json(struct sink *s, const void *data, size_t size)
{
	const unsigned char *at = data;
	struct copy c = {.at = at, .end = at + size};

	copy(s, &c, '"', copy__special_json);
}
