// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tls-layout-code.h"

#if defined(__x86_64__)

#include <string.h>
#include <Zydis/Zydis.h>

#define REGISTERS        16
#define INSTRUCTIONS_MAX 256 /* on all ways together */
#define FORKS_MAX        16  /* on one way */
#define POINTER          8

/* What the last comparison was about: the zero flag is set if value has (mask: no) bits of it. */
struct comparison {
	struct code_value value;
	int64_t with;
	bool is_mask;
};

/* Of one way through the function. */
struct way {
	struct code_value registers[REGISTERS];
	struct comparison last;
	size_t at;
	unsigned int forks;
	bool has_called;
};

struct walk {
	const struct code *code;
	enum code_kind kind;
	struct code_value found;
	unsigned int instructions;
	bool failed;
	ZydisDecoder decoder;
};

struct insn {
	ZydisDecodedInstruction i;
	ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
	size_t end; /* where the next one begins */
};

static const struct code_value unknown;

static bool same_value(const struct code_value *a, const struct code_value *b)
{
	return a->kind == b->kind && a->base == b->base && a->number == b->number &&
	       a->field.steps_cnt == b->field.steps_cnt && a->field.size == b->field.size &&
	       !memcmp(a->field.steps, b->field.steps, sizeof(a->field.steps));
}

static int register_number(ZydisRegister reg)
{
	ZydisRegister wide = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);

	if (wide < ZYDIS_REGISTER_RAX || wide > ZYDIS_REGISTER_R15)
		return -1;
	return wide - ZYDIS_REGISTER_RAX;
}

static bool is_stack(ZydisRegister reg)
{
	return reg == ZYDIS_REGISTER_RSP || reg == ZYDIS_REGISTER_RBP;
}

static struct code_value load(const struct way *way, const ZydisDecodedOperand *op, size_t size)
{
	int base = register_number(op->mem.base);
	struct code_value value;
	int64_t step;

	if (base < 0 || op->mem.index != ZYDIS_REGISTER_NONE || is_stack(op->mem.base) ||
	    (op->mem.segment != ZYDIS_REGISTER_DS && op->mem.segment != ZYDIS_REGISTER_SS))
		return unknown;
	value = way->registers[base];
	step = value.number + op->mem.disp.value;
	if (value.kind != CODE_LOADED || (value.field.steps_cnt && value.field.size != POINTER) ||
	    value.field.steps_cnt == TLS_STEPS || step < INT32_MIN || step > INT32_MAX)
		return unknown;
	value.field.steps[value.field.steps_cnt++] = step;
	value.field.size = size;
	value.number = 0;
	return value;
}

/* A part of a register is known if it is all that its value has. */
static struct code_value read_register(const struct way *way, const ZydisDecodedOperand *op)
{
	int nr = register_number(op->reg.value);
	struct code_value value = nr < 0 ? unknown : way->registers[nr];

	if (op->size == 64)
		return value;
	if (value.kind == CODE_NUMBER && op->size == 32)
		value.number = (int32_t)value.number;
	else if (value.kind != CODE_LOADED || !value.field.steps_cnt ||
		 value.field.size * 8u > op->size)
		return unknown;
	return value;
}

static struct code_value read_operand(const struct way *way, const ZydisDecodedOperand *op)
{
	switch (op->type) {
	case ZYDIS_OPERAND_TYPE_REGISTER:
		return read_register(way, op);
	case ZYDIS_OPERAND_TYPE_MEMORY:
		return load(way, op, op->size / 8);
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		return (struct code_value){.kind = CODE_NUMBER, .number = op->imm.value.s};
	default:
		return unknown;
	}
}

/* A write of 32 bits clears the others; one of less leaves them. */
static void write_register(struct way *way, const ZydisDecodedOperand *op, struct code_value value)
{
	int nr = register_number(op->reg.value);

	if (nr >= 0)
		way->registers[nr] = op->size >= 32 ? value : unknown;
}

static struct code_value address_of(const struct walk *w, const struct way *way,
				    const struct insn *insn)
{
	const ZydisDecodedOperand *op = &insn->ops[1];
	struct code_value value = unknown;
	int base = register_number(op->mem.base);

	if (op->mem.index != ZYDIS_REGISTER_NONE)
		return unknown;
	if (op->mem.base == ZYDIS_REGISTER_RIP) {
		value.kind = CODE_ADDRESS;
		value.number = w->code->addr + insn->end + op->mem.disp.value;
	} else if (base >= 0 && way->registers[base].kind == CODE_LOADED) {
		value = way->registers[base];
		value.number += op->mem.disp.value;
	}
	return value;
}

static bool is_kind_of_connection(const struct walk *w, const struct code_value *value)
{
	return w->code->is_connection && value->kind == CODE_LOADED &&
	       value->base == CODE_OF_ARGUMENT && value->field.steps_cnt == 1 &&
	       value->field.steps[0] == 0 && value->field.size <= 4;
}

/* Is the zero flag set? -1: it can be either. */
static int zero_flag(const struct walk *w, const struct comparison *c)
{
	const struct code_value *value = &c->value;

	if (is_kind_of_connection(w, value))
		return c->is_mask || c->with == 0;
	if (value->kind == CODE_NUMBER)
		return c->is_mask ? !(value->number & c->with) : value->number == c->with;
	/* The argument is no NULL. */
	if (value->kind == CODE_LOADED && !value->field.steps_cnt && !value->number &&
	    value->base == CODE_OF_ARGUMENT && !c->with && !c->is_mask)
		return 0;
	return -1;
}

static void compare(const struct walk *w, struct way *way, const struct insn *insn)
{
	bool is_test = insn->i.mnemonic == ZYDIS_MNEMONIC_TEST;
	const ZydisDecodedOperand *a = &insn->ops[0], *b = &insn->ops[1];
	struct code_value value = read_operand(way, a);

	/* Of the kind, which is 0, each part is. */
	if (value.kind == CODE_UNKNOWN && a->type == ZYDIS_OPERAND_TYPE_REGISTER) {
		int nr = register_number(a->reg.value);

		if (nr >= 0 && is_kind_of_connection(w, &way->registers[nr]))
			value = way->registers[nr];
	}
	way->last = (struct comparison){0};
	if (b->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
		way->last = (struct comparison){value, b->imm.value.s, is_test};
	else if (is_test && a->type == b->type && a->reg.value == b->reg.value)
		way->last = (struct comparison){value, 0, false};
}

/* ---- ways --------------------------------------------------------------------------------- */

static void finish(struct walk *w, const struct way *way)
{
	const struct code_value *value = &way->registers[0];
	bool is_usable = value->kind != CODE_LOADED ||
			 (value->field.steps_cnt && !value->number &&
			  (value->base == CODE_OF_CALL || !way->has_called));

	if (value->kind == CODE_NUMBER && w->kind != CODE_NUMBER)
		return;
	if (value->kind != w->kind || !is_usable ||
	    (w->found.kind != CODE_UNKNOWN && !same_value(&w->found, value)))
		w->failed = true;
	else
		w->found = *value;
}

static void follow(struct walk *w, struct way *way);

static bool may_fork(struct walk *w, struct way *way)
{
	w->failed |= ++way->forks > FORKS_MAX;
	return !w->failed;
}

static void fork_way(struct walk *w, struct way *way, size_t target, bool if_zero)
{
	struct way other, *zero = if_zero ? &other : way;

	if (!may_fork(w, way))
		return;
	other = *way;
	other.at = target;
	for (size_t i = 0; !way->last.is_mask && i < REGISTERS; i++) {
		if (way->last.value.kind == CODE_LOADED &&
		    same_value(&zero->registers[i], &way->last.value))
			zero->registers[i] = (struct code_value){.kind = CODE_NUMBER,
								 .number = way->last.with};
	}
	follow(w, &other);
}

/* False if the way ends here. */
static bool jump(struct walk *w, struct way *way, const struct insn *insn)
{
	ZydisMnemonic mnemonic = insn->i.mnemonic;
	bool if_zero = mnemonic == ZYDIS_MNEMONIC_JZ;
	size_t target;
	int zero;

	if (insn->ops[0].type != ZYDIS_OPERAND_TYPE_IMMEDIATE) {
		w->failed |= !w->code->may_leave;
		return false;
	}
	target = insn->end + insn->ops[0].imm.value.s;
	if (target >= w->code->size) {
		w->failed |= mnemonic != ZYDIS_MNEMONIC_JMP || !w->code->may_leave;
		return false;
	}
	if (mnemonic == ZYDIS_MNEMONIC_JMP) {
		way->at = target;
		return true;
	}
	if (!if_zero && mnemonic != ZYDIS_MNEMONIC_JNZ) {
		way->last = (struct comparison){.is_mask = true};
		fork_way(w, way, target, false);
		return true;
	}
	zero = zero_flag(w, &way->last);
	if (zero < 0)
		fork_way(w, way, target, if_zero);
	else if ((zero == 1) == if_zero)
		way->at = target;
	return true;
}

static void call(struct way *way)
{
	/* All but rbx, rsp, rbp and r12 to r15 may have changed. */
	static const unsigned char changed[] = {1, 2, 6, 7, 8, 9, 10, 11};

	for (size_t i = 0; i < sizeof(changed); i++)
		way->registers[changed[i]] = unknown;
	way->registers[0] = (struct code_value){.kind = CODE_LOADED, .base = CODE_OF_CALL};
	way->last = (struct comparison){0};
	way->has_called = true;
}

/* Whatever it does: what it writes is not known any more. */
static void other(struct walk *w, struct way *way, const struct insn *insn)
{
	for (size_t i = 0; i < insn->i.operand_count; i++) {
		const ZydisDecodedOperand *op = &insn->ops[i];

		if (!(op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
			continue;
		if (op->type == ZYDIS_OPERAND_TYPE_REGISTER && register_number(op->reg.value) >= 0)
			way->registers[register_number(op->reg.value)] = unknown;
		/* What only returns something changes nothing but the stack. */
		if (op->type == ZYDIS_OPERAND_TYPE_MEMORY && !is_stack(op->mem.base))
			w->failed = true;
	}
	way->last = (struct comparison){0};
}

static void assign(struct walk *w, struct way *way, const struct insn *insn)
{
	const ZydisDecodedOperand *to = &insn->ops[0], *from = &insn->ops[1];
	bool is_clear = insn->i.mnemonic == ZYDIS_MNEMONIC_XOR;

	if (to->type != ZYDIS_OPERAND_TYPE_REGISTER ||
	    (is_clear && (from->type != to->type || from->reg.value != to->reg.value))) {
		other(w, way, insn);
		return;
	}
	if (is_clear) {
		write_register(way, to, (struct code_value){.kind = CODE_NUMBER});
		way->last = (struct comparison){0};
	} else if (insn->i.mnemonic == ZYDIS_MNEMONIC_LEA) {
		write_register(way, to, to->size == 64 ? address_of(w, way, insn) : unknown);
	} else {
		write_register(way, to, read_operand(way, from));
	}
}

/* It may be done or not: both are followed. */
static void assign_if(struct walk *w, struct way *way, const struct insn *insn)
{
	struct way done;

	if (!may_fork(w, way))
		return;
	done = *way;
	write_register(&done, &insn->ops[0], read_operand(way, &insn->ops[1]));
	follow(w, &done);
}

/* One instruction; false if the way ends here. */
static bool step(struct walk *w, struct way *way, const struct insn *insn)
{
	switch (insn->i.mnemonic) {
	case ZYDIS_MNEMONIC_RET:
		finish(w, way);
		return false;
	case ZYDIS_MNEMONIC_UD2:
		return false;
	case ZYDIS_MNEMONIC_CALL:
		call(way);
		return true;
	case ZYDIS_MNEMONIC_TEST:
	case ZYDIS_MNEMONIC_CMP:
		compare(w, way, insn);
		return true;
	case ZYDIS_MNEMONIC_MOV:
	case ZYDIS_MNEMONIC_MOVZX:
	case ZYDIS_MNEMONIC_XOR:
	case ZYDIS_MNEMONIC_LEA:
		assign(w, way, insn);
		return true;
	default:
		break;
	}
	if (insn->i.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE)
		return jump(w, way, insn);
	if (insn->i.meta.category == ZYDIS_CATEGORY_CMOV)
		assign_if(w, way, insn);
	else
		other(w, way, insn);
	return true;
}

static void follow(struct walk *w, struct way *way)
{
	const struct code *code = w->code;
	struct insn insn;

	do {
		if (w->failed || ++w->instructions > INSTRUCTIONS_MAX || way->at >= code->size ||
		    ZYAN_FAILED(ZydisDecoderDecodeFull(&w->decoder, code->bytes + way->at,
						       code->size - way->at, &insn.i, insn.ops))) {
			w->failed = true;
			return;
		}
		insn.end = way->at + insn.i.length;
		way->at = insn.end;
	} while (step(w, way, &insn));
}

bool code_returns(const struct code *code, enum code_kind kind, struct code_value *value)
{
	struct walk w = {.code = code, .kind = kind};
	struct way way = {0};

	ZydisDecoderInit(&w.decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	way.registers[ZYDIS_REGISTER_RDI - ZYDIS_REGISTER_RAX].kind = CODE_LOADED;
	follow(&w, &way);
	*value = w.found;
	return !w.failed && w.found.kind == kind;
}

#else

bool code_returns(const struct code *code, enum code_kind kind, struct code_value *value)
{
	(void)code;
	(void)kind;
	*value = (struct code_value){0};
	return false;
}

#endif
