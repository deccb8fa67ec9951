/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What bpf/pidns.bpf.c tells, of the kernel and of each thread of the tracer's PID namespace. */
#ifndef WIRESCOPE_PIDNS_THREAD_H
#define WIRESCOPE_PIDNS_THREAD_H

#include <linux/types.h>

/* Offsets of what is read of the kernel to translate an id. */
enum pidns_offset {
	PIDNS_LEVEL,   /* in struct pid */
	PIDNS_NUMBERS, /* in struct pid */
	PIDNS_INUM,    /* in struct pid_namespace */
	PIDNS_OFFSETS,
};

struct pidns_thread {
	__u32 id;        /* in the tracer's namespace */
	__u32 global_id; /* in the initial one, as BPF programs see it */
};

#endif
