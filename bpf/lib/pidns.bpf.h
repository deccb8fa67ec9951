/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Ids of threads in the PID namespace of the tracer, which a container has of its own. */
#ifndef WIRESCOPE_PIDNS_BPF_H
#define WIRESCOPE_PIDNS_BPF_H

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "kcompat.bpf.h"

const volatile __u32 pidns_level; /* how deep the tracer's is; 0: the initial one */
const volatile __u32 pidns_inum;  /* its inode number */

/* Which PID namespace a thread has as its level-th one, and its id there. */
static __always_inline struct upid pidns_upid(struct task_struct *task, __u32 level)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	struct upid upid = {};
	void *numbers;

	if (!pid || BPF_CORE_READ(pid, level) < level)
		return upid;
	/* An array without a fixed length: an index into it cannot be relocated. */
	numbers = (void *)pid + bpf_core_field_offset(struct pid, numbers);
	bpf_probe_read_kernel(&upid, sizeof(upid), numbers + level * sizeof(upid));
	return upid;
}

/* Id of a thread in the tracer's namespace; 0 if it has none there. */
static __always_inline __u32 pidns_id(struct task_struct *task)
{
	struct upid upid = pidns_upid(task, pidns_level);
	struct pid_namespace *ns = upid.ns;

	return ns && BPF_CORE_READ(ns, ns.inum) == pidns_inum ? upid.nr : 0;
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

#endif
