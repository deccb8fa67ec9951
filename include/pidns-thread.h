/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What bpf/pidns.bpf.c tells of each thread of the tracer's PID namespace. */
#ifndef WIRESCOPE_PIDNS_THREAD_H
#define WIRESCOPE_PIDNS_THREAD_H

#include <linux/types.h>

struct pidns_thread {
	__u32 id;        /* in the tracer's namespace */
	__u32 global_id; /* in the initial one, as BPF programs see it */
};

#endif
