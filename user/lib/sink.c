// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "sink.h"

#define DIGITS_MAX 20 /* of 2^64 - 1 */

void sink__flush(struct sink *s)
{
	if (s->len)
		fwrite(s->buf, 1, s->len, s->out);
	s->len = 0;
}

/* At least `least` digits. Returns how many, at the end of text. */
static size_t format(char text[DIGITS_MAX], uint64_t n, size_t least)
{
	size_t len = 0;

	while (n || len < least) {
		text[DIGITS_MAX - ++len] = (char)('0' + n % 10);
		n /= 10;
	}
	return len;
}

void sink__padded(struct sink *s, uint64_t n, unsigned int digits)
{
	char text[DIGITS_MAX];
	size_t len = format(text, n, digits);

	sink__bytes(s, text + DIGITS_MAX - len, len);
}

void sink__number(struct sink *s, uint64_t n)
{
	sink__padded(s, n, 1);
}

void sink__signed(struct sink *s, int64_t n)
{
	if (n < 0)
		sink__char(s, '-');
	sink__number(s, n < 0 ? -(uint64_t)n : (uint64_t)n);
}

static char hex_pairs[256][2];

static void fill_hex_pairs(void)
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned int i = 0; i < 256; i++) {
		hex_pairs[i][0] = digits[i >> 4];
		hex_pairs[i][1] = digits[i & 0xf];
	}
}

void sink__hex(struct sink *s, const unsigned char *bytes, size_t len)
{
	if (!hex_pairs[0][0])
		fill_hex_pairs();
	for (size_t n; len; bytes += n, len -= n) {
		char *to = sink__room(s, 2);

		n = (SINK_SIZE - s->len) / 2;
		n = n < len ? n : len;
		for (size_t i = 0; i < n; i++)
			memcpy(to + 2 * i, hex_pairs[bytes[i]], 2);
		s->len += 2 * n;
	}
}

static uint64_t power_of_10(unsigned int exponent)
{
	uint64_t power = 1;

	while (exponent--)
		power *= 10;
	return power;
}

void sink__fraction(struct sink *s, uint64_t n, unsigned int digits, unsigned int places)
{
	uint64_t rest = power_of_10(digits - places), unit = power_of_10(places);

	n = n / rest + (n % rest * 2 >= rest && rest > 1);
	sink__number(s, n / unit);
	sink__char(s, '.');
	sink__padded(s, n % unit, places);
}

void sink__begin_row(struct sink *s)
{
	sink__room(s, SINK_ROW);
	s->column = s->len;
}

void sink__end_column(struct sink *s, size_t width)
{
	size_t used = s->len - s->column, blanks = used < width ? width - used : 0;

	memset(sink__room(s, blanks), ' ', blanks);
	s->len += blanks;
}

void sink__next_column(struct sink *s)
{
	sink__char(s, ' ');
	s->column = s->len;
}
