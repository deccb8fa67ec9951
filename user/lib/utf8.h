/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Characters of UTF-8, without a call for each: there are many in 100 MB of payload a second. */
#ifndef WIRESCOPE_UTF8_H
#define WIRESCOPE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_MAX 4

/* By first byte; len 0: none begins with it. */
static const struct utf8_lead {
	uint8_t len;
	/* The second byte; they keep out longer forms than needed, surrogates and what is above. */
	uint8_t low, high;
	/* That of all characters that are not safe (escape.h); 0: there are none. */
	uint8_t suspect_low, suspect_high;
} utf8_leads[256] = {
	/* clang-format off */
	[0x00 ... 0x7f] = {1, 0x00, 0xff, 0, 0},
	[0xc2]          = {2, 0x80, 0xbf, 0x80, 0x9f},
	[0xc3 ... 0xd7] = {2, 0x80, 0xbf, 0, 0},
	[0xd8]          = {2, 0x80, 0xbf, 0x9c, 0x9c},
	[0xd9 ... 0xdf] = {2, 0x80, 0xbf, 0, 0},
	[0xe0]          = {3, 0xa0, 0xbf, 0, 0},
	[0xe1]          = {3, 0x80, 0xbf, 0xa0, 0xa0},
	[0xe2]          = {3, 0x80, 0xbf, 0x80, 0x81},
	[0xe3 ... 0xec] = {3, 0x80, 0xbf, 0, 0},
	[0xed]          = {3, 0x80, 0x9f, 0, 0},
	[0xee]          = {3, 0x80, 0xbf, 0, 0},
	[0xef]          = {3, 0x80, 0xbf, 0xbb, 0xbf},
	[0xf0]          = {4, 0x90, 0xbf, 0, 0},
	[0xf1 ... 0xf2] = {4, 0x80, 0xbf, 0, 0},
	[0xf3]          = {4, 0x80, 0xbf, 0xa0, 0xa0},
	[0xf4]          = {4, 0x80, 0x8f, 0, 0},
	/* clang-format on */
};

static inline bool utf8_continues(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* The length of the character at src, where there are len > 0 bytes; 0 if none is valid there. */
static inline size_t utf8_length(const unsigned char *src, size_t len)
{
	const struct utf8_lead *lead = &utf8_leads[src[0]];

	if (lead->len <= 1)
		return lead->len;
	if (lead->len > len || src[1] < lead->low || src[1] > lead->high)
		return 0;
	if (lead->len > 2 && !utf8_continues(src[2]))
		return 0;
	if (lead->len > 3 && !utf8_continues(src[3]))
		return 0;
	return lead->len;
}

/* Whether the valid character at src, of more than one byte, has to be asked escape_is_safe(). */
static inline bool utf8_is_suspect(const unsigned char *src)
{
	const struct utf8_lead *lead = &utf8_leads[src[0]];

	return src[1] >= lead->suspect_low && src[1] <= lead->suspect_high;
}

/* The number of the valid character at src, which has len bytes. */
static inline uint32_t utf8_code(const unsigned char *src, size_t len)
{
	uint32_t code = len == 1 ? src[0] : src[0] & 0x7f >> len;

	for (size_t i = 1; i < len; i++)
		code = code << 6 | (src[i] & 0x3f);
	return code;
}

#endif
