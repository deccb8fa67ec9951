/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the workloads state on stdout about themselves, one fact a line:
 *
 *   calls SYSCALL COUNT          calls on a UDP socket (or of any kind, where no socket is meant)
 *   other SYSCALL COUNT          the same calls on anything else: a UDP tool must not count them
 *   error DIRECTION ERRNO COUNT  DIRECTION is tx or rx
 *   interrupted DIRECTION COUNT  calls that leave the kernel's handler with ERESTARTSYS
 *   errors SYSCALL ERRNO COUNT   the same of calls that have no direction
 *   messages DIRECTION COUNT     in all calls together
 *   hist NAME SLOT COUNT         SLOT is bpftrace's label without its blank: [2,4)
 *   NAME VALUE                   anything else
 *
 * Facts whose count is zero are left out. Nothing here comes from the code under test, so that
 * a mistake there cannot hide by being made twice.
 */
#ifndef WORKLOAD_TRUTH_H
#define WORKLOAD_TRUTH_H

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Slot 0 holds what is negative, slot 1 zero, slot 2 + k the values from 2^k below 2^(k+1). */
#define TRUTH_SLOTS  65
#define TRUTH_ERRNOS 134

enum truth_dir { TRUTH_TX, TRUTH_RX, TRUTH_DIRS };

/* In each direction the batch call is first and the calls of any file are last. */
enum truth_call {
	TRUTH_SENDMMSG,
	TRUTH_SENDMSG,
	TRUTH_SENDTO,
	TRUTH_WRITE,
	TRUTH_WRITEV,
	TRUTH_RECVMMSG,
	TRUTH_RECVMSG,
	TRUTH_RECVFROM,
	TRUTH_READ,
	TRUTH_READV,
	TRUTH_SENDFILE,
	TRUTH_SPLICE,
	TRUTH_CALLS
};

/* Of all threads: change it only by truth_add() and what is built on that. */
struct truth {
	unsigned long args[TRUTH_DIRS][TRUTH_SLOTS];
	unsigned long rets[TRUTH_DIRS][TRUTH_SLOTS];
	unsigned long bytes[TRUTH_DIRS][TRUTH_SLOTS];
	unsigned long errors[TRUTH_DIRS][TRUTH_ERRNOS];
	unsigned long interrupted[TRUTH_DIRS];
	unsigned long messages[TRUTH_DIRS];
	unsigned long calls[TRUTH_CALLS];
	unsigned long other[TRUTH_CALLS];
};

static const char *const truth_dirs[] = {"tx", "rx"};
static const char *const truth_calls[] = {
	"sendmmsg", "sendmsg",  "sendto", "write", "writev",   "recvmmsg",
	"recvmsg",  "recvfrom", "read",   "readv", "sendfile", "splice",
};

static inline void truth_add(unsigned long *fact, unsigned long count)
{
	__atomic_fetch_add(fact, count, __ATOMIC_RELAXED);
}

static inline unsigned int truth_slot(long long value)
{
	if (value < 0)
		return 0;
	if (value == 0)
		return 1;
	return 2 + 63 - __builtin_clzll(value);
}

/* A call is made: with how many messages it asks. */
static inline void truth_asked(struct truth *truth, enum truth_dir dir, unsigned long messages)
{
	truth_add(&truth->args[dir][truth_slot(messages)], 1);
}

static inline void truth_failed(struct truth *truth, enum truth_dir dir, int error)
{
	if (error <= 0 || error >= TRUTH_ERRNOS)
		errx(1, "error %d has no name", error);
	truth_add(&truth->errors[dir][error], 1);
}

static inline void truth_returned(struct truth *truth, enum truth_dir dir, unsigned long messages)
{
	truth_add(&truth->rets[dir][truth_slot(messages)], 1);
	truth_add(&truth->messages[dir], messages);
}

/* Bytes that one successful call moved, in all its messages together. */
static inline void truth_moved(struct truth *truth, enum truth_dir dir, unsigned long bytes)
{
	truth_add(&truth->bytes[dir][truth_slot(bytes)], 1);
}

/* A whole call on a UDP socket; messages < 0: it failed with errno, which must still be its own. */
static inline void truth_call(struct truth *truth, enum truth_call call, unsigned long asked,
			      long messages, unsigned long bytes)
{
	enum truth_dir dir = call >= TRUTH_RECVMMSG && call <= TRUTH_READV ? TRUTH_RX : TRUTH_TX;

	truth_add(&truth->calls[call], 1);
	truth_asked(truth, dir, asked);
	if (messages < 0) {
		truth_failed(truth, dir, errno);
		return;
	}
	truth_returned(truth, dir, messages);
	truth_moved(truth, dir, bytes);
}

/* One line; what and detail may be NULL. */
static inline void truth_print_count(const char *fact, const char *what, const char *detail,
				     unsigned long count)
{
	if (!count)
		return;
	printf("%s ", fact);
	if (what)
		printf("%s ", what);
	if (detail)
		printf("%s ", detail);
	printf("%lu\n", count);
}

static inline void truth_print_power(unsigned int power)
{
	static const char *const units[] = {"", "K", "M", "G", "T", "P", "E"};

	printf("%u%s", 1u << power % 10, units[power / 10]);
}

static inline void truth_print_slot(unsigned int slot)
{
	static const char *const single[] = {"(...,0)", "[0]", "[1]"};

	if (slot < 3) {
		printf("%s", single[slot]);
		return;
	}
	printf("[");
	truth_print_power(slot - 2);
	printf(",");
	truth_print_power(slot - 1);
	printf(")");
}

static inline void truth_print_slots(const char *name, const unsigned long *slots)
{
	for (unsigned int slot = 0; slot < TRUTH_SLOTS; slot++) {
		if (!slots[slot])
			continue;
		printf("hist %s ", name);
		truth_print_slot(slot);
		printf(" %lu\n", slots[slot]);
	}
}

static inline void truth_print_hist(enum truth_dir dir, const char *name,
				    const unsigned long *slots)
{
	char full[32];

	snprintf(full, sizeof(full), "%s_%s", truth_dirs[dir], name);
	truth_print_slots(full, slots);
}

static inline void truth_print_dir(const struct truth *truth, enum truth_dir dir)
{
	truth_print_hist(dir, "arg_counts", truth->args[dir]);
	truth_print_hist(dir, "ret_counts", truth->rets[dir]);
	truth_print_hist(dir, "bytes", truth->bytes[dir]);
	for (int error = 1; error < TRUTH_ERRNOS; error++)
		truth_print_count("error", truth_dirs[dir], strerrorname_np(error),
				  truth->errors[dir][error]);
	truth_print_count("interrupted", truth_dirs[dir], NULL, truth->interrupted[dir]);
	truth_print_count("messages", truth_dirs[dir], NULL, truth->messages[dir]);
}

/* Also sends it off, for those that end by a signal or an exec. */
static inline void truth_print(const struct truth *truth)
{
	truth_print_dir(truth, TRUTH_TX);
	truth_print_dir(truth, TRUTH_RX);
	for (int call = 0; call < TRUTH_CALLS; call++) {
		truth_print_count("calls", truth_calls[call], NULL, truth->calls[call]);
		truth_print_count("other", truth_calls[call], NULL, truth->other[call]);
	}
	if (fflush(stdout))
		err(1, "failed to write the truth");
}

static inline unsigned long truth_number(const char *text)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(text, &end, 0);
	if (errno || end == text || *end)
		errx(2, "not a number: '%s'", text);
	return number;
}

/* The same numbers on every machine: Numerical Recipes' generator, whose low bits are poor. */
static inline unsigned int truth_random(unsigned int *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

#endif
