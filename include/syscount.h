/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What syscount counts. */
#ifndef WIRESCOPE_SYSCOUNT_H
#define WIRESCOPE_SYSCOUNT_H

#include "syscall.h"

enum syscount_by { BY_SYSCALL, BY_PROCESS, BY_THREAD };

/*
 * The longest call of the current interval: each interval has a number, and the value of
 * another number is stale. Two of them, so that an interval can be read while the next runs.
 */
struct syscall_max {
	__u64 interval;
	__u64 ns;
};

struct syscall_stat {
	__u64 calls;
	__u64 errors;
	__u64 total_ns;
	struct syscall_max max[2];
};

struct task_stat {
	struct syscall_stat stat;
	__u64 named_ns; /* when comm was read: of the CPUs' copies the last one counts */
	__u64 shown_id; /* in the tracer's PID namespace; 0: it has none there */
	char comm[16];
};

struct errno_key {
	syscall_id syscall;
	errno_nr error;
};

#endif
