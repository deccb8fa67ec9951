/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Instructions of this machine: where they begin, for a probe inside of one would change what it
 * does, in each process that runs the file; and what those of x86-64 do, as far as it decides
 * where a probe is right (code-flow.h).
 */
#ifndef WIRESCOPE_INSTRUCTION_H
#define WIRESCOPE_INSTRUCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define INSTRUCTION_MAX 15

enum instruction_flow {
	FLOW_ON,      /* to the next one */
	FLOW_JUMP,    /* to .target */
	FLOW_BRANCH,  /* to .target or the next one */
	FLOW_CALL,    /* then to the next one; is_relative: of .target */
	FLOW_RETURN,  /* to the caller */
	FLOW_UNKNOWN, /* to an address that was computed, or where the kernel or a signal decides */
	FLOW_END,     /* nowhere: the process is killed */
};

#define WRITES_RESULT (1U << 6) /* bits 0 to 5: the registers of arguments, in their order */

#define STACK_UNKNOWN INT32_MIN

struct instruction {
	uint8_t length;
	uint8_t flow;
	uint8_t writes;    /* registers, or parts of them */
	bool is_relative;  /* .target is known */
	bool is_emulated;  /* by the kernel, when it is under a breakpoint */
	bool is_padding;   /* does nothing */
	bool is_save;      /* of a register that belongs to the caller, on the stack */
	bool calls_kernel; /* a system call */
	bool stores;       /* to memory, not by the stack pointer */
	bool reads_guard;  /* that the compiler puts on the stack (-fstack-protector) */
	bool compares;
	uint16_t with_stack; /* the register that it compares with what is on the stack; 0: none */
	uint16_t loads;      /* the register that it loads from memory; 0: none */
	int32_t stack;       /* so many bytes the stack grows */
	int64_t target;      /* where it jumps, counted from where it begins */
	const char *kind;    /* of an emulated one, for a reader */
};

/*
 * Length in bytes of the instruction of this machine (64 bits) that the code begins with; -EINVAL
 * if it is none that is known, or longer than size.
 */
ssize_t instruction_length(const uint8_t *code, size_t size);

/*
 * The beginning of the instruction that the byte at offset belongs to, of code of which the first
 * byte begins one; the same errors.
 */
ssize_t instruction_start(const uint8_t *code, size_t size, size_t offset);

/* The same as instruction_length(), and what it does; -EOPNOTSUPP on other machines. */
ssize_t instruction_decode(struct instruction *in, const uint8_t *code, size_t size);

#endif
