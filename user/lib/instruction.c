// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "instruction.h"

#include <errno.h>

#if defined(__x86_64__)

#include <Zydis/Zydis.h>

static const ZydisDecoder *decoder(void)
{
	static ZydisDecoder d;
	static bool made;

	if (!made)
		ZydisDecoderInit(&d, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	made = true;
	return &d;
}

struct decoded {
	ZydisDecodedInstruction z;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

static bool has_prefix(const ZydisDecodedInstruction *z, uint8_t value)
{
	for (size_t i = 0; i < z->raw.prefix_count; i++) {
		if (z->raw.prefixes[i].value == value)
			return true;
	}
	return false;
}

/* With the prefix 66, processors do not agree how long a relative jump is. */
static bool is_ambiguous(const ZydisDecodedInstruction *z)
{
	return z->raw.imm[0].is_relative && has_prefix(z, 0x66);
}

static const ZydisRegister argument_registers[] = {
	ZYDIS_REGISTER_RDI, ZYDIS_REGISTER_RSI, ZYDIS_REGISTER_RDX, ZYDIS_REGISTER_RCX,
	ZYDIS_REGISTER_R8,  ZYDIS_REGISTER_R9,  ZYDIS_REGISTER_RAX, /* WRITES_RESULT */
};

static uint8_t bit_of(ZydisRegister reg)
{
	ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);

	for (size_t i = 0; i < sizeof(argument_registers) / sizeof(argument_registers[0]); i++) {
		if (argument_registers[i] == whole)
			return 1U << i;
	}
	return 0;
}

static bool is_guard(const ZydisDecodedOperand *o)
{
	return o->type == ZYDIS_OPERAND_TYPE_MEMORY && o->mem.segment == ZYDIS_REGISTER_FS &&
	       o->mem.base == ZYDIS_REGISTER_NONE && o->mem.index == ZYDIS_REGISTER_NONE &&
	       o->mem.disp.value == 0x28;
}

static bool is_on_stack(const ZydisDecodedOperand *o)
{
	return o->mem.base == ZYDIS_REGISTER_RSP && o->mem.index == ZYDIS_REGISTER_NONE;
}

static void look_at_operand(struct instruction *in, const ZydisDecodedOperand *o)
{
	bool written = o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;

	if (written && o->type == ZYDIS_OPERAND_TYPE_REGISTER)
		in->writes |= bit_of(o->reg.value);
	if (written && o->type == ZYDIS_OPERAND_TYPE_MEMORY && !is_on_stack(o))
		in->stores = true;
	if (is_guard(o))
		in->reads_guard = true;
}

/* The distance that a register's operation with a constant moves the stack pointer by. */
static int32_t stack_of_arithmetic(const struct decoded *d)
{
	const ZydisDecodedOperand *to = &d->operands[0], *by = &d->operands[1];
	int64_t n = by->type == ZYDIS_OPERAND_TYPE_IMMEDIATE ? by->imm.value.s : 0;

	if (to->type != ZYDIS_OPERAND_TYPE_REGISTER || to->reg.value != ZYDIS_REGISTER_RSP)
		return STACK_UNKNOWN;
	if (d->z.mnemonic == ZYDIS_MNEMONIC_LEA && is_on_stack(by))
		return -by->mem.disp.value;
	if (by->type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
		return STACK_UNKNOWN;
	if (d->z.mnemonic == ZYDIS_MNEMONIC_SUB)
		return n;
	return d->z.mnemonic == ZYDIS_MNEMONIC_ADD ? -n : STACK_UNKNOWN;
}

static bool moves_stack(const struct decoded *d)
{
	for (size_t i = 0; i < d->z.operand_count; i++) {
		const ZydisDecodedOperand *o = &d->operands[i];

		if (o->type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE &&
		    ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, o->reg.value) ==
			    ZYDIS_REGISTER_RSP)
			return true;
	}
	return false;
}

static int32_t stack_of(const struct decoded *d)
{
	const ZydisDecodedOperand *o = &d->operands[0];

	if (!moves_stack(d) || d->z.meta.category == ZYDIS_CATEGORY_CALL ||
	    d->z.meta.category == ZYDIS_CATEGORY_RET)
		return 0;
	switch (d->z.mnemonic) {
	case ZYDIS_MNEMONIC_PUSH:
		return d->z.operand_width == 64 ? 8 : STACK_UNKNOWN;
	case ZYDIS_MNEMONIC_POP:
		if (o->type == ZYDIS_OPERAND_TYPE_REGISTER && o->reg.value == ZYDIS_REGISTER_RSP)
			return STACK_UNKNOWN;
		return d->z.operand_width == 64 ? -8 : STACK_UNKNOWN;
	case ZYDIS_MNEMONIC_PUSHFQ:
		return 8;
	case ZYDIS_MNEMONIC_POPFQ:
		return -8;
	default:
		return stack_of_arithmetic(d);
	}
}

static enum instruction_flow flow_of_branch(const struct decoded *d)
{
	bool relative = d->z.raw.imm[0].is_relative;

	switch (d->z.meta.category) {
	case ZYDIS_CATEGORY_CALL:
		return FLOW_CALL;
	case ZYDIS_CATEGORY_UNCOND_BR:
		return relative ? FLOW_JUMP : FLOW_UNKNOWN;
	case ZYDIS_CATEGORY_COND_BR:
		return relative ? FLOW_BRANCH : FLOW_UNKNOWN;
	case ZYDIS_CATEGORY_RET:
		return d->z.mnemonic == ZYDIS_MNEMONIC_RET ? FLOW_RETURN : FLOW_UNKNOWN;
	default:
		return FLOW_UNKNOWN;
	}
}

static enum instruction_flow flow_of(const struct decoded *d)
{
	switch (d->z.mnemonic) {
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_UD2:
	case ZYDIS_MNEMONIC_HLT:
		return FLOW_END;
	case ZYDIS_MNEMONIC_INT3: /* a debugger can go on */
	case ZYDIS_MNEMONIC_XBEGIN:
	case ZYDIS_MNEMONIC_XABORT:
	case ZYDIS_MNEMONIC_XEND:
		return FLOW_UNKNOWN;
	default:
		break;
	}
	if (d->z.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
		return FLOW_UNKNOWN;
	switch (d->z.meta.category) {
	case ZYDIS_CATEGORY_CALL:
	case ZYDIS_CATEGORY_UNCOND_BR:
	case ZYDIS_CATEGORY_COND_BR:
	case ZYDIS_CATEGORY_RET:
	case ZYDIS_CATEGORY_SYSRET:
	case ZYDIS_CATEGORY_INTERRUPT:
		return flow_of_branch(d);
	default:
		return d->z.raw.imm[0].is_relative ? FLOW_UNKNOWN : FLOW_ON;
	}
}

struct opcodes {
	uint8_t size;       /* of the whole instruction */
	uint8_t first[2];   /* bytes of the opcode, or before it */
	uint8_t first_size; /* of them, so many count: the last one with .mask */
	uint8_t mask;
	const char *kind;
};

/*
 * What arch/x86/kernel/uprobes.c emulates in all kernels from 4.16 on, 64-bit: without prefixes,
 * of which some are refused, but for that of push %r8 to %r15. Since 6.18 also longer nops.
 */
static const struct opcodes emulated[] = {
	{1, {0x90}, 1, 0xff, "nop"},        {1, {0x50}, 1, 0xf8, "push"},
	{2, {0x41, 0x50}, 2, 0xf8, "push"}, {2, {0xeb}, 1, 0xff, "jmp"},
	{5, {0xe9}, 1, 0xff, "jmp"},        {5, {0xe8}, 1, 0xff, "call"},
	{2, {0x70}, 1, 0xf0, "jcc"},        {6, {0x0f, 0x80}, 2, 0xf0, "jcc"},
};

static const char *emulated_kind(const uint8_t *code, size_t length)
{
	for (size_t i = 0; i < sizeof(emulated) / sizeof(emulated[0]); i++) {
		const struct opcodes *e = &emulated[i];
		size_t last = e->first_size - 1;

		if (length == e->size && (!last || code[0] == e->first[0]) &&
		    (code[last] & e->mask) == e->first[last])
			return e->kind;
	}
	return NULL;
}

static bool is_save(const struct decoded *d)
{
	if (d->z.mnemonic != ZYDIS_MNEMONIC_PUSH ||
	    d->operands[0].type != ZYDIS_OPERAND_TYPE_REGISTER)
		return false;
	switch (d->operands[0].reg.value) {
	case ZYDIS_REGISTER_RBX:
	case ZYDIS_REGISTER_RBP:
	case ZYDIS_REGISTER_R12:
	case ZYDIS_REGISTER_R13:
	case ZYDIS_REGISTER_R14:
	case ZYDIS_REGISTER_R15:
		return true;
	default:
		return false;
	}
}

/* Of two operands, a register and memory: the register. */
static ZydisRegister register_of(const struct decoded *d, bool on_stack)
{
	const ZydisDecodedOperand *a = &d->operands[0], *b = &d->operands[1];

	if (d->z.operand_count < 2)
		return ZYDIS_REGISTER_NONE;
	if (a->type == ZYDIS_OPERAND_TYPE_MEMORY) {
		a = &d->operands[1];
		b = &d->operands[0];
	}
	if (a->type != ZYDIS_OPERAND_TYPE_REGISTER || b->type != ZYDIS_OPERAND_TYPE_MEMORY ||
	    (on_stack && b->mem.base != ZYDIS_REGISTER_RSP && b->mem.base != ZYDIS_REGISTER_RBP))
		return ZYDIS_REGISTER_NONE;
	return a->reg.value;
}

static void look_at_guard(struct instruction *in, const struct decoded *d)
{
	ZydisMnemonic m = d->z.mnemonic;

	in->compares = m == ZYDIS_MNEMONIC_CMP || m == ZYDIS_MNEMONIC_SUB ||
		       m == ZYDIS_MNEMONIC_XOR;
	if (m == ZYDIS_MNEMONIC_CMP)
		in->with_stack = register_of(d, true);
	if (m == ZYDIS_MNEMONIC_MOV && d->operands[1].type == ZYDIS_OPERAND_TYPE_MEMORY)
		in->loads = register_of(d, false);
}

ssize_t instruction_decode(struct instruction *in, const uint8_t *code, size_t size)
{
	struct decoded d;

	*in = (struct instruction){0};
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(decoder(), code, size, &d.z, d.operands)) ||
	    is_ambiguous(&d.z))
		return -EINVAL;
	in->length = d.z.length;
	in->flow = flow_of(&d);
	in->is_relative = d.z.raw.imm[0].is_relative;
	if (in->is_relative)
		in->target = d.z.raw.imm[0].value.s + d.z.length;
	in->kind = emulated_kind(code, d.z.length);
	in->is_emulated = in->kind;
	in->is_padding = d.z.mnemonic == ZYDIS_MNEMONIC_NOP || d.z.mnemonic == ZYDIS_MNEMONIC_INT3;
	in->is_save = is_save(&d);
	in->calls_kernel = d.z.meta.category == ZYDIS_CATEGORY_SYSCALL;
	in->stack = stack_of(&d);
	for (size_t i = 0; i < d.z.operand_count; i++)
		look_at_operand(in, &d.operands[i]);
	look_at_guard(in, &d);
	return in->length;
}

ssize_t instruction_length(const uint8_t *code, size_t size)
{
	ZydisDecodedInstruction z;

	if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(decoder(), NULL, code, size, &z)) ||
	    is_ambiguous(&z))
		return -EINVAL;
	return z.length;
}

#else

ssize_t instruction_length(const uint8_t *code, size_t size)
{
	(void)code;
	return size < 4 ? -EINVAL : 4;
}

ssize_t instruction_decode(struct instruction *in, const uint8_t *code, size_t size)
{
	(void)code;
	(void)size;
	*in = (struct instruction){0};
	return -EOPNOTSUPP;
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
