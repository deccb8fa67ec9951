// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tls-inner.h"

#include "elf-file.h"
#include "instruction.h"

#define WRAPPER_MAX 512 /* bytes of a wrapper that are looked at */
#define HANDLE_BUF  0x3 /* argument registers: the first bit is the first one */
#define ALL_FOUR    0xf

/*
 * What the first call of a function leads to, if it has not written those argument registers
 * before; branches past the call, to where errors are told, are allowed if asked. 0: unknown.
 */
static uint64_t first_call(const struct elf_file *f, const struct tls_function *function,
			   uint32_t kept, bool branches)
{
	uint8_t code[WRAPPER_MAX];
	size_t size = function->size < sizeof(code) ? function->size : sizeof(code);
	size_t at = 0;

	if (elf_file__read_at(f, function->offset, code, size))
		return 0;
	while (at < size) {
		struct instruction in;
		ssize_t length = instruction_decode(&in, code + at, size - at);

		if (length < 0 || in.flow > FLOW_CALL || in.flow == FLOW_JUMP)
			return 0;
		if (in.flow == FLOW_CALL)
			return in.is_relative ? function->offset + at + in.target : 0;
		if (in.writes & kept || (in.flow == FLOW_BRANCH && (!branches || in.target < 0)))
			return 0;
		at += length;
	}
	return 0;
}

static bool begins_emulated(const struct elf_file *f, uint64_t offset)
{
	uint8_t code[INSTRUCTION_MAX];
	struct instruction in;

	return !elf_file__read_at(f, offset, code, sizeof(code)) &&
	       instruction_decode(&in, code, sizeof(code)) > 0 && in.is_emulated &&
	       in.flow == FLOW_ON;
}

static bool is_code(const struct elf_file *f, uint64_t offset)
{
	for (size_t i = 0; i < f->segments_cnt; i++) {
		const struct elf_segment *s = &f->segments[i];

		if (s->executable && offset >= s->offset && offset - s->offset < s->file_size)
			return true;
	}
	return false;
}

uint64_t tls_inner_find(int fd, const struct tls_function *ex, const struct tls_function *plain)
{
	struct elf_file f = {0};
	uint64_t inner = 0;

	if (!elf_file__read(&f, fd) && f.is_64) {
		inner = first_call(&f, ex, ALL_FOUR, false);
		if (inner != first_call(&f, plain, HANDLE_BUF, true) || !is_code(&f, inner) ||
		    !begins_emulated(&f, inner))
			inner = 0;
	}
	elf_file__free(&f);
	return inner;
}
