/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdint.h>
#include <string.h>

#include "escape.h"
#include "plain.h"
#include "utf8.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define HEX_LEN 4 /* \xNN */

/* Output for one character of input: it is written as a whole or not at all. */
struct piece {
	char text[UTF8_MAX * HEX_LEN];
	size_t len;
};

/* What acts on a terminal, or reorders or hides text, instead of showing itself. Sorted. */
static const struct {
	uint32_t first;
	uint32_t last;
} unsafe[] = {
	{0x0000, 0x001f},   /* C0 */
	{0x007f, 0x009f},   /* DEL, C1 */
	{0x061c, 0x061c},   /* Arabic letter mark */
	{0x180e, 0x180e},   /* Mongolian vowel separator */
	{0x200b, 0x200f},   /* zero-width, left-to-right and right-to-left marks */
	{0x2028, 0x202e},   /* line and paragraph separator, bidi embeddings and overrides */
	{0x2060, 0x206f},   /* word joiner, invisible operators, bidi isolates, old controls */
	{0xfeff, 0xfeff},   /* byte order mark */
	{0xfff9, 0xfffb},   /* interlinear annotation */
	{0xe0000, 0xe007f}, /* tags */
};

static const char letters[] = {['\t'] = 't', ['\n'] = 'n', ['\r'] = 'r', ['\\'] = '\\'};

static bool has_letter(uint32_t code)
{
	return code < sizeof(letters) && letters[code];
}

static bool passes(uint32_t code, enum escape_mode mode)
{
	if (mode == ESCAPE_UTF8)
		return true;
	if (mode == ESCAPE_MESSAGE && (code == '\\' || code == '\t'))
		return true;
	if (has_letter(code))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(unsafe) && code >= unsafe[i].first; i++) {
		if (code >= unsafe[i].first && code <= unsafe[i].last)
			return false;
	}
	return true;
}

static void piece__set(struct piece *piece, const void *text, size_t len)
{
	memcpy(piece->text, text, len);
	piece->len = len;
}

static void piece__set_hex(struct piece *piece, const unsigned char *src, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		const char hex[HEX_LEN] = {'\\', 'x', digits[src[i] >> 4], digits[src[i] & 0xf]};

		memcpy(piece->text + i * HEX_LEN, hex, HEX_LEN);
	}
	piece->len = len * HEX_LEN;
}

/* Returns how many bytes of src the piece stands for, at least 1. */
static size_t piece__take(struct piece *piece, const unsigned char *src, size_t len,
			  enum escape_mode mode)
{
	static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
	size_t n = utf8_length(src, len);
	uint32_t code = utf8_code(src, n);

	if (!n) {
		if (mode == ESCAPE_UTF8)
			piece__set(piece, replacement, sizeof(replacement) - 1);
		else
			piece__set_hex(piece, src, 1);
		return 1;
	}
	if (passes(code, mode))
		piece__set(piece, src, n);
	else if (has_letter(code))
		piece__set(piece, (const char[]){'\\', letters[code]}, 2);
	else
		piece__set_hex(piece, src, n);
	return n;
}

bool escape_is_safe(const void *src, size_t len)
{
	return passes(utf8_code(src, len), ESCAPE_TERMINAL);
}

static size_t plain_run(const char *src, size_t len)
{
	size_t n = 0, word = PLAIN_WORD;

	for (; word == PLAIN_WORD && len - n >= PLAIN_WORD; n += word)
		word = plain_word(src + n, '\\');
	while (word == PLAIN_WORD && n < len && plain_char(src[n], '\\'))
		n++;
	return n;
}

size_t escape_cut(const void *src, size_t len)
{
	const unsigned char *end = (const unsigned char *)src + len;

	for (size_t back = 1; back < UTF8_MAX && back <= len; back++) {
		unsigned char c = end[-(ptrdiff_t)back];

		if (!utf8_continues(c))
			return utf8_leads[c].len > back ? back : 0;
	}
	return 0;
}

size_t escape(char *dst, size_t size, const char *src, size_t len, enum escape_mode mode)
{
	size_t total = 0, kept = 0;

	for (size_t i = 0; i < len;) {
		size_t plain = plain_run(src + i, len - i);
		struct piece piece;

		if (kept == total && plain) {
			size_t fits = plain < size - kept ? plain : size - kept - 1;

			memcpy(dst + kept, src + i, fits);
			kept += fits;
		}
		total += plain;
		i += plain;
		if (i == len)
			break;
		i += piece__take(&piece, (const unsigned char *)src + i, len - i, mode);
		/* Equal until the first piece that does not fit: later ones must not either. */
		if (kept == total && piece.len < size - kept) {
			memcpy(dst + kept, piece.text, piece.len);
			kept += piece.len;
		}
		total += piece.len;
	}
	dst[kept] = '\0';
	return total;
}
