/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Ids of threads in the PID namespace of the tracer, which a container has of its own. */
#ifndef WIRESCOPE_PIDNS_BPF_H
#define WIRESCOPE_PIDNS_BPF_H

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "kcompat.bpf.h"
#include "pidns-thread.h"

const volatile __u32 pidns_level; /* how deep the tracer's is; 0: the initial one */
const volatile __u32 pidns_inum;  /* its inode number */

/*
 * Told by bpf/pidns.bpf.c. To relocate the fields here as well costs each start of each tool 3 ms,
 * in which libbpf looks through all types of the kernel.
 */
const volatile __u32 pidns_offsets[PIDNS_OFFSETS];

/* Which PID namespace a thread has as its level-th one, and its id there. */
static __always_inline struct upid pidns_upid(struct task_struct *task, __u32 level,
					      const volatile __u32 offsets[])
{
	void *pid = BPF_CORE_READ(task, thread_pid), *numbers;
	struct upid upid = {};
	__u32 depth = 0;

	bpf_probe_read_kernel(&depth, sizeof(depth), pid + offsets[PIDNS_LEVEL]);
	if (!pid || depth < level)
		return upid;
	numbers = pid + offsets[PIDNS_NUMBERS];
	bpf_probe_read_kernel(&upid, sizeof(upid), numbers + level * sizeof(upid));
	return upid;
}

/* Id of a thread in the tracer's namespace; 0 if it has none there. */
static __always_inline __u32 pidns_id(struct task_struct *task)
{
	struct upid upid = pidns_upid(task, pidns_level, pidns_offsets);
	__u32 inum = 0;

	bpf_probe_read_kernel(&inum, sizeof(inum), (void *)upid.ns + pidns_offsets[PIDNS_INUM]);
	return upid.ns && inum == pidns_inum ? upid.nr : 0;
}

/* What a user is to read for the current thread (its process if asked): 0 if we cannot say. */
static __always_inline __u32 pidns_current(bool process)
{
	struct task_struct *task;

	if (!pidns_level)
		return process ? current_pid_tgid() >> 32 : (__u32)current_pid_tgid();
	task = (void *)bpf_get_current_task();
	return pidns_id(process ? BPF_CORE_READ(task, group_leader) : task);
}

/* The same for the process that is the parent of the current one. */
static __always_inline __u32 pidns_parent(void)
{
	struct task_struct *parent = task_read(real_parent);

	return pidns_level ? pidns_id(BPF_CORE_READ(parent, group_leader))
			   : kernel_read(parent, tgid);
}

#endif
