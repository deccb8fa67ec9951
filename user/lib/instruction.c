// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "instruction.h"

#include <errno.h>
#include <stdbool.h>

#if defined(__x86_64__)

/* Of an opcode: what follows it. */
enum form {
	NONE,
	MODRM = 1,    /* a byte that says which operands, and how long they are */
	BYTE = 2,     /* a number of 1 byte */
	WORD = 4,     /* of 2 */
	LONG = 8,     /* of 4, or of 2 with the prefix 66 */
	BRANCH = 16,  /* a distance of 4; with the prefix 66, processors do not agree */
	WIDE = 32,    /* of 8 with REX.W, else LONG */
	ADDRESS = 64, /* of 8 */
	BAD = 128,    /* not in 64-bit code, or a prefix */
};

struct range {
	uint8_t first, last;
	uint8_t form;
};

/* The first row that has an opcode counts; one that is in none has nothing after it. */
static const struct range one_byte[] = {
	{0x06, 0x07, BAD},          {0x0e, 0x0f, BAD},          {0x16, 0x17, BAD},
	{0x1e, 0x1f, BAD},          {0x26, 0x27, BAD},          {0x2e, 0x2f, BAD},
	{0x36, 0x37, BAD},          {0x3e, 0x3f, BAD},          {0x40, 0x4f, BAD},
	{0x60, 0x62, BAD},          {0x63, 0x63, MODRM},        {0x64, 0x67, BAD},
	{0x68, 0x68, LONG},         {0x69, 0x69, MODRM | LONG}, {0x6a, 0x6a, BYTE},
	{0x6b, 0x6b, MODRM | BYTE}, {0x70, 0x7f, BYTE},         {0x80, 0x80, MODRM | BYTE},
	{0x81, 0x81, MODRM | LONG}, {0x82, 0x82, BAD},          {0x83, 0x83, MODRM | BYTE},
	{0x84, 0x8f, MODRM},        {0x9a, 0x9a, BAD},          {0xa0, 0xa3, ADDRESS},
	{0xa8, 0xa8, BYTE},         {0xa9, 0xa9, LONG},         {0xb0, 0xb7, BYTE},
	{0xb8, 0xbf, WIDE},         {0xc0, 0xc1, MODRM | BYTE}, {0xc2, 0xc2, WORD},
	{0xc4, 0xc5, BAD},          {0xc6, 0xc6, MODRM | BYTE}, {0xc7, 0xc7, MODRM | LONG},
	{0xc8, 0xc8, WORD | BYTE},  {0xca, 0xca, WORD},         {0xcd, 0xcd, BYTE},
	{0xce, 0xce, BAD},          {0xd0, 0xd3, MODRM},        {0xd4, 0xd6, BAD},
	{0xd8, 0xdf, MODRM},        {0xe0, 0xe7, BYTE},         {0xe8, 0xe9, BRANCH},
	{0xea, 0xea, BAD},          {0xeb, 0xeb, BYTE},         {0xf0, 0xf0, BAD},
	{0xf2, 0xf3, BAD},          {0xf6, 0xf7, MODRM},        {0xfe, 0xff, MODRM},
};

/* After 0f; one that is in no row has MODRM. */
static const struct range two_bytes[] = {
	{0x04, 0x04, BAD},          {0x05, 0x09, NONE},         {0x0a, 0x0a, BAD},
	{0x0b, 0x0b, NONE},         {0x0c, 0x0c, BAD},          {0x0e, 0x0e, NONE},
	{0x0f, 0x0f, MODRM | BYTE}, {0x24, 0x27, BAD},          {0x30, 0x37, NONE},
	{0x38, 0x3f, BAD},          {0x70, 0x73, MODRM | BYTE}, {0x77, 0x77, NONE},
	{0x7a, 0x7b, BAD},          {0x80, 0x8f, BRANCH},       {0xa0, 0xa2, NONE},
	{0xa4, 0xa4, MODRM | BYTE}, {0xa6, 0xa7, BAD},          {0xa8, 0xaa, NONE},
	{0xac, 0xac, MODRM | BYTE}, {0xba, 0xba, MODRM | BYTE}, {0xc2, 0xc2, MODRM | BYTE},
	{0xc4, 0xc6, MODRM | BYTE}, {0xc8, 0xcf, NONE},
};

static enum form look_up(const struct range *ranges, size_t cnt, uint8_t opcode, enum form other)
{
	for (size_t i = 0; i < cnt; i++) {
		if (opcode >= ranges[i].first && opcode <= ranges[i].last)
			return ranges[i].form;
	}
	return other;
}

#define LOOK_UP(table, opcode, other) \
	look_up(table, sizeof(table) / sizeof((table)[0]), opcode, other)

struct decoder {
	const uint8_t *code;
	size_t size;
	size_t at;
	bool short_numbers; /* prefix 66 */
	bool short_address; /* prefix 67 */
	bool wide;          /* REX.W */
};

/* The next byte; beyond the end, which is noticed at last, zeros. */
static uint8_t next(struct decoder *d)
{
	return d->at < d->size ? d->code[d->at++] : (d->at++, 0);
}

static uint8_t peek(const struct decoder *d)
{
	return d->at < d->size ? d->code[d->at] : 0;
}

static void skip_prefixes(struct decoder *d)
{
	for (;; d->at++) {
		uint8_t byte = peek(d);

		if (byte == 0x66)
			d->short_numbers = true;
		else if (byte == 0x67)
			d->short_address = true;
		else if (byte != 0xf0 && byte != 0xf2 && byte != 0xf3 && byte != 0x64 &&
			 byte != 0x65 && (byte & 0xe7) != 0x26)
			break;
	}
	if ((peek(d) & 0xf0) == 0x40)
		d->wide = next(d) & 8;
}

/* Of AVX: maps 1 to 3 are those of 0f, 0f 38, 0f 3a, and 5 and 6 (half precision) without numbers.
 */
static enum form vector_form(struct decoder *d, unsigned int map)
{
	uint8_t opcode = next(d);
	enum form form;

	if (map == 3)
		return MODRM | BYTE;
	if (map == 2 || map == 5 || map == 6)
		return MODRM;
	if (map != 1)
		return BAD;
	form = LOOK_UP(two_bytes, opcode, MODRM);
	return form & BRANCH ? MODRM : form; /* of masks */
}

static enum form after_escape(struct decoder *d)
{
	uint8_t opcode = next(d);

	if (opcode == 0x38 || opcode == 0x3a) {
		next(d);
		return opcode == 0x3a ? MODRM | BYTE : MODRM;
	}
	return LOOK_UP(two_bytes, opcode, MODRM);
}

/* Steps over the opcode. */
static enum form opcode_form(struct decoder *d)
{
	uint8_t opcode = next(d), map;

	switch (opcode) {
	case 0x0f:
		return after_escape(d);
	case 0xc5:
		next(d);
		return vector_form(d, 1);
	case 0xc4:
		map = next(d) & 0x1f;
		next(d);
		return vector_form(d, map);
	case 0x62:
		map = next(d) & 7;
		next(d);
		next(d);
		return vector_form(d, map);
	case 0x8f: /* else it is AMD's XOP */
		return peek(d) & 0x38 ? BAD : MODRM;
	case 0xf6: /* only TEST has a number */
		return peek(d) & 0x30 ? MODRM : MODRM | BYTE;
	case 0xf7:
		return peek(d) & 0x30 ? MODRM : MODRM | LONG;
	default:
		/* Arithmetic: two operands, or AL or EAX and a number. */
		if (opcode < 0x40 && (opcode & 7) < 6)
			return (opcode & 7) < 4 ? MODRM : (opcode & 7) == 4 ? BYTE : LONG;
		return LOOK_UP(one_byte, opcode, NONE);
	}
}

static void skip_operands(struct decoder *d)
{
	uint8_t modrm = next(d), mod = modrm >> 6, base = modrm & 7;

	if (mod == 3)
		return;
	if (base == 4)
		base = next(d) & 7;
	if (mod == 1)
		d->at += 1;
	else if (mod == 2 || base == 5)
		d->at += 4;
}

static void skip_numbers(struct decoder *d, enum form form)
{
	if (form & BYTE)
		d->at += 1;
	if (form & WORD)
		d->at += 2;
	if (form & BRANCH)
		d->at += 4;
	if (form & ADDRESS)
		d->at += d->short_address ? 4 : 8;
	if (form & WIDE && d->wide)
		d->at += 8;
	else if (form & (LONG | WIDE))
		d->at += d->short_numbers && !d->wide ? 2 : 4;
}

ssize_t instruction_length(const uint8_t *code, size_t size)
{
	struct decoder d = {.code = code, .size = size};
	enum form form;

	skip_prefixes(&d);
	form = opcode_form(&d);
	if (form & BAD || (form & BRANCH && d.short_numbers))
		return -EINVAL;
	if (form & MODRM)
		skip_operands(&d);
	skip_numbers(&d, form);
	return d.at > size || d.at > INSTRUCTION_MAX ? -EINVAL : (ssize_t)d.at;
}

#else

ssize_t instruction_length(const uint8_t *code, size_t size)
{
	(void)code;
	return size < 4 ? -EINVAL : 4;
}

#endif

ssize_t instruction_start(const uint8_t *code, size_t size, size_t offset)
{
	size_t at = 0;

	for (;;) {
		ssize_t len = instruction_length(code + at, size - at);

		if (len < 0)
			return len;
		if (offset < at + len)
			return at;
		at += len;
	}
}
