// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What bytes become is looked up, not decided: in binary data no branch is foreseen, and each that
 * is not costs as much as five bytes. Branches are left for what is rare there: two bytes that
 * have to be looked at together (enum pair).
 */
#include "tls-payload.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "plain.h"
#include "utf8.h"

#define SPAN       8192 /* bytes for which room is made at once */
#define GROWTH_MAX 6    /* \u0000 */
#define BESIDES    64   /* room for the last character, and for what is copied whole */

_Static_assert(SPAN *GROWTH_MAX + BESIDES <= SINK_SIZE, "a span fits");

/* What a byte becomes. All of it is copied, so that the size is a constant; len bytes count. */
struct written {
	char text[GROWTH_MAX + 1];
	uint8_t len;
};

_Static_assert(sizeof(struct written) == sizeof(uint64_t), "it is copied by one instruction");

#define AS_IS 0x100 /* with a byte: its place in the other half of struct form's table */

/* What begins with a byte, if it goes on with the next one. */
enum pair {
	PAIR_WIDE = 1, /* a character, if what else it has is right; some are not safe */
	PAIR_CRLF = 2,
	PAIR_LINE = 4, /* after a newline, what TLS_MARK begins with */
	PAIR_RARE = PAIR_WIDE | PAIR_CRLF | PAIR_LINE,
	PAIR_SHORT = AS_IS | AS_IS << 1, /* a character of two bytes: this one, and the next */
};

/* How payload is written. */
struct form {
	struct written bytes[2 * AS_IS]; /* the second half: as they are */
	uint16_t firsts[256];            /* of enum pair */
	char also;                       /* prints, but is escaped; as the backslash is */
	bool takes_unsafe;               /* characters */
};

static const uint16_t seconds[256] = {
	[0x80 ... 0xbf] = PAIR_SHORT | PAIR_WIDE,
	['\n'] = PAIR_CRLF,
	['-'] = PAIR_LINE,
};

/* Behind 0xc2 and 0xd8 some are not safe. */
static struct form text_form = {
	.firsts = {['\n'] = PAIR_LINE,
		   ['\r'] = PAIR_CRLF,
		   [0xc2] = PAIR_WIDE,
		   [0xc3 ... 0xd7] = PAIR_SHORT,
		   [0xd8] = PAIR_WIDE,
		   [0xd9 ... 0xdf] = PAIR_SHORT,
		   [0xe0 ... 0xf4] = PAIR_WIDE},
	.also = '\\',
};

static struct form json_form = {
	.firsts = {[0xc2 ... 0xdf] = PAIR_SHORT, [0xe0 ... 0xf4] = PAIR_WIDE},
	.also = '"',
	.takes_unsafe = true,
};

static void form__set(struct form *f, unsigned char byte, const char *format, unsigned int value)
{
	struct written *w = &f->bytes[byte];

	w->len = (uint8_t)snprintf(w->text, sizeof(w->text), format, value);
	f->bytes[AS_IS | byte] = (struct written){.text = {(char)byte}, .len = 1};
}

static void fill_text(struct form *f)
{
	for (unsigned int i = 0; i < 256; i++)
		form__set(f, i, i < ' ' || i >= 0x7f ? "\\x%02x" : "%c", i);
	form__set(f, '\t', "%c", '\t');
	form__set(f, '\n', "%c", '\n');
	form__set(f, '\r', "\\%c", 'r');
	form__set(f, '\\', "\\%c", '\\');
}

static void fill_json(struct form *f)
{
	static const char letters[][2] = {{'\b', 'b'}, {'\t', 't'}, {'\n', 'n'}, {'\f', 'f'},
					  {'\r', 'r'}, {'"', '"'},  {'\\', '\\'}};

	for (unsigned int i = 0; i < 0x80; i++)
		form__set(f, i, i < ' ' ? "\\u%04x" : "%c", i);
	for (unsigned int i = 0x80; i < 256; i++)
		form__set(f, i, "\xef\xbf\xbd", 0); /* U+FFFD */
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		form__set(f, letters[i][0], "\\%c", letters[i][1]);
}

struct copy {
	const unsigned char *at, *end;
	char *to;
	unsigned int as_is; /* AS_IS: the next byte; its double: the one after it */
};

static inline void copy__byte(struct copy *c, const struct form *f)
{
	const struct written *w = &f->bytes[(c->as_is & AS_IS) | *c->at++];

	memcpy(c->to, w, sizeof(*w));
	c->to += w->len;
	c->as_is >>= 1;
}

/* What looks like a line of ours must not begin one. */
static inline void copy__line_begin(struct copy *c)
{
	static const char escaped[] = "\\x2d";

	if (c->end - c->at < (ptrdiff_t)strlen(TLS_MARK) ||
	    memcmp(c->at, TLS_MARK, strlen(TLS_MARK)))
		return;
	memcpy(c->to, escaped, strlen(escaped));
	c->to += strlen(escaped);
	c->at++;
}

static inline bool passes(const struct form *f, const unsigned char *src, size_t len)
{
	return f->takes_unsafe || !utf8_is_suspect(src) || escape_is_safe(src, len);
}

static inline void copy__wide(struct copy *c, const struct form *f)
{
	size_t left = c->end - c->at, n = utf8_length(c->at, left);

	if (n && passes(f, c->at, n)) {
		memcpy(c->to, c->at, left < UTF8_MAX ? n : UTF8_MAX);
		c->at += n;
		c->to += n;
		return;
	}
	do
		copy__byte(c, f);
	while (n-- > 1);
}

static inline void copy__rare(struct copy *c, const struct form *f, unsigned int pair)
{
	if (pair == PAIR_WIDE) {
		copy__wide(c, f);
		return;
	}
	*c->to++ = (char)*c->at++;
	if (pair == PAIR_LINE)
		copy__line_begin(c);
}

static inline void copy__plain(struct copy *c, char also, const unsigned char *stop)
{
	while (stop - c->at >= (ptrdiff_t)PLAIN_WORD && plain_word(c->at, also) == PLAIN_WORD) {
		memcpy(c->to, c->at, PLAIN_WORD);
		c->at += PLAIN_WORD;
		c->to += PLAIN_WORD;
	}
}

/* Behind stop there is at least one byte. */
static inline void copy__word(struct copy *c, const struct form *f, const unsigned char *stop)
{
	size_t left = stop - c->at;

	for (stop = c->at + (left < PLAIN_WORD ? left : PLAIN_WORD); c->at < stop;) {
		unsigned int pair = f->firsts[c->at[0]] & seconds[c->at[1]];

		/* Else clang has it without a branch, which takes twice as long. */
		if (__builtin_expect(pair & PAIR_RARE, 0)) {
			copy__rare(c, f, pair);
		} else {
			c->as_is |= pair;
			copy__byte(c, f);
		}
	}
}

/* A CR at the end passes: what comes next would begin a line. */
static inline void copy__last(struct copy *c, const struct form *f)
{
	if (f->firsts[*c->at] & PAIR_CRLF)
		c->as_is = AS_IS;
	copy__byte(c, f);
}

static void copy(struct sink *s, struct copy c, const struct form *f)
{
	const char also = f->also; /* which what is written could be, for the compiler */

	while (c.at < c.end) {
		size_t left = c.end - 1 - c.at, span = left < SPAN ? left : SPAN;
		const unsigned char *stop = c.at + span;

		c.to = sink__room(s, span * GROWTH_MAX + BESIDES);
		while (c.at < stop) {
			copy__plain(&c, also, stop);
			copy__word(&c, f, stop);
		}
		if (c.end - c.at == 1)
			copy__last(&c, f);
		s->len = c.to - s->buf;
	}
}

void tls_payload_text(struct sink *s, const void *data, size_t size)
{
	const unsigned char *at = data;
	struct copy c = {.at = at, .end = at + size, .to = sink__room(s, BESIDES)};

	if (!text_form.bytes[0].len)
		fill_text(&text_form);
	copy__line_begin(&c);
	s->len = c.to - s->buf;
	copy(s, c, &text_form);
}

void tls_payload_json(struct sink *s, const void *data, size_t size)
{
	const unsigned char *at = data;

	if (!json_form.bytes[0].len)
		fill_json(&json_form);
	copy(s, (struct copy){.at = at, .end = at + size}, &json_form);
}
