/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where in a function a probe costs least. The kernel emulates some instructions under its
 * breakpoints (nop, push, call, jmp, jcc) and single-steps all others, which takes 20 times as
 * long on virtual machines. So a program that needs the arguments may run at the first emulated
 * instruction that each call reaches with the arguments still in their registers; and one that
 * needs the result, at emulated instructions behind which it changes no more, instead of at a
 * uretprobe. What cannot be proved is left where it is plainly right: a wrong place is a wrong
 * number.
 *
 * What is assumed, of code by compilers for System V:
 * - Each instruction has one depth of the stack, and what makes room there or saves a register at
 *   the begin of a function is no part of a loop.
 * - A call returns behind itself, except the last instruction of a function, and that which
 *   follows a comparison with the guard on the stack: these end the process, or throw.
 * - At a moved place the stack pointer is another one than at the begin, so arguments on the stack
 *   are elsewhere. Arguments may point to memory, but not to the function's own frame; a store
 *   to anything else, other threads' aside, is not passed over, neither behind the begin nor
 *   before the end. A probe writes nothing on the stack (the red zone stays as it is).
 * - A call that is left by longjmp() or an exception has no end, as it has none for a uretprobe.
 * - No program has a shadow stack: before Linux 6.18 an emulated call would not be on it.
 *
 * Other than a uretprobe, which knows only calls that began after it was attached, places at the
 * end see those too that were under way.
 */
#ifndef WIRESCOPE_PLACEMENT_H
#define WIRESCOPE_PLACEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLACEMENT_RETURNS 8
#define PLACEMENT_WHY     96

struct placement {
	uint64_t entry;                      /* offset from the begin of the function */
	bool entry_emulated;                 /* else the plain place: 0 */
	size_t returns_cnt;                  /* 0: a uretprobe is needed */
	uint64_t returns[PLACEMENT_RETURNS]; /* offsets; each call passes exactly one */
	bool returns_emulated;               /* all of them */
	char why_entry[PLACEMENT_WHY];       /* of each choice, for -v: "jcc, 5 instructions in" */
	char why_return[PLACEMENT_WHY];
};

/*
 * Choose for a function of this machine's code, size bytes, linked at addr (for jumps out of it).
 * args: which argument registers the entry program reads, bit 0 the first. Never fails: what it
 * cannot prove, or decode (other machines than x86-64), gets the plain place and says so.
 */
void placement_choose(struct placement *p, const uint8_t *code, size_t size, uint64_t addr,
		      uint32_t args);

#endif
