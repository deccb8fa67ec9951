/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which processes are traced. A program asks filter_pass() first; the settings are made by
 * user/lib/target.c before the object is loaded, so that the verifier removes what is not
 * asked for. The whole-system case leaves out the tracer itself.
 */
#ifndef WIRESCOPE_FILTER_BPF_H
#define WIRESCOPE_FILTER_BPF_H

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "kcompat.bpf.h"
#include "kernel-check.bpf.h"
#include "pidns.bpf.h"
#include "targets.h"

const volatile bool filter_by_pid;
const volatile bool filter_by_cgroup;
const volatile bool filter_by_comm;
const volatile bool filter_follow;
const volatile bool filter_awaits_exec; /* there is a command, which has not exec'd yet */
const volatile __u32 filter_self;       /* tgid of the tracer */
const volatile __u32 filter_only_tgid;  /* not 0: the only process that can be traced */
const volatile char filter_comm[16];

/*
 * Set before the last report is read: from then on nothing is recorded. Detaching would do
 * as well, but takes 70 ms for each classic tracepoint.
 */
bool filter_off;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TARGET_PAGES);
	__type(key, __u32);
	__type(value, struct target_page);
} target_pids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} target_cgroup SEC(".maps");

static __always_inline __u8 *filter_state_of(__u32 tgid)
{
	__u32 nr = tgid / TARGET_PAGE;
	struct target_page *page = bpf_map_lookup_elem(&target_pids, &nr);

	return page ? &page->state[tgid % TARGET_PAGE] : NULL;
}

static __always_inline bool filter_comm_matches(void)
{
	char comm[16] = "";

	leader_comm(comm);
	return same_comm(comm, filter_comm);
}

/*
 * enum target_state bits of the current process, which is tgid; 0: not traced. Written for those
 * that are not: with a single process they cost a comparison and touch no memory.
 */
static __always_inline __u8 filter_state(__u32 tgid)
{
	__u8 state = TARGET_TRACED, *s;

	if (filter_only_tgid && tgid != filter_only_tgid)
		return 0;
	if (!filter_by_pid && tgid == filter_self)
		return 0;
	/* A single process that runs already is traced until it ends, and the run with it. */
	if (filter_by_pid && (!filter_only_tgid || filter_awaits_exec)) {
		s = filter_state_of(tgid);
		if (!s || !*s)
			return 0;
		state = *s;
	}
	if (filter_off)
		return 0;
	if (filter_by_cgroup && bpf_current_task_under_cgroup(&target_cgroup, 0) != 1)
		return 0;
	if (filter_by_comm && !filter_comm_matches())
		return 0;
	return state;
}

static __always_inline bool filter_pass(void)
{
	return filter_state(current_pid_tgid() >> 32) & TARGET_TRACED;
}

/*
 * Says for each new process whether it is traced: a descendant if asked for, and never a
 * stranger that got the number of a process that was traced.
 */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(filter_fork, struct task_struct *parent, struct task_struct *child)
{
	__u32 parent_tgid = kernel_read(parent, tgid), child_tgid = kernel_read(child, tgid);
	__u8 *from, *to;

	if (parent_tgid == child_tgid)
		return 0;
	from = filter_state_of(parent_tgid);
	to = filter_state_of(child_tgid);
	if (!from || !to)
		return 0;
	*to = filter_follow ? *from & TARGET_TRACED : 0;
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(filter_exec, struct task_struct *task, pid_t old_pid, struct linux_binprm *binprm)
{
	__u8 *state = filter_state_of(kernel_read(task, tgid));

	if (state && *state == TARGET_AWAITS_EXEC)
		*state = TARGET_TRACED;
	return 0;
}

#endif
