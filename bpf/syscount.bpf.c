// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * System calls: counts, errors, times. Counting alone needs only the end of each call;
 * times and histograms need its begin too (raw_enter() is switched off otherwise).
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "compat-calls.bpf.h"
#include "filter.bpf.h"
#include "hist.bpf.h"
#include "kcompat.bpf.h"
#include "span.bpf.h"
#include "syscount.h"

#define TASKS      10240
#define ERRNO_KEYS 10240

#include <asm/unistd.h>

const volatile bool measure_time;
const volatile bool measure_hist;
const volatile bool measure_errnos;
const volatile bool only_failed;
const volatile __u32 only_errno;
const volatile bool only_wanted;
const volatile __u8 wanted[SYSCALL_IDS];
const volatile __u32 count_by; /* enum syscount_by */

__u64 interval_nr = 1;

HIST_ARRAY(latencies, syscall_id, SYSCALL_IDS);

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SYSCALL_IDS);
	__type(key, syscall_id);
	__type(value, struct syscall_stat);
} by_syscall SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, TASKS);
	__type(key, __u32);
	__type(value, struct task_stat);
} by_task SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ERRNO_KEYS);
	__type(key, struct errno_key);
	__type(value, struct count);
} errors SEC(".maps");

static struct task_stat task_zero;

static __always_inline __u32 task_key(void)
{
	__u64 pid_tgid = current_pid_tgid();

	return count_by == BY_PROCESS ? pid_tgid >> 32 : (__u32)pid_tgid;
}

/* A process has the name of its first thread; each CPU's copy says when it was given. */
static __always_inline void name_task(struct task_stat *t)
{
	t->named_ns = bpf_ktime_get_ns();
	t->shown_id = pidns_current(count_by == BY_PROCESS);
	if (count_by == BY_THREAD)
		bpf_get_current_comm(t->comm, sizeof(t->comm));
	else
		leader_comm(t->comm);
}

static __always_inline struct syscall_stat *task_stat_of_current(void)
{
	__u32 key = task_key(), other = -1;
	struct task_stat *t = bpf_map_lookup_elem(&by_task, &key);

	if (t)
		return &t->stat;
	bpf_map_update_elem(&by_task, &key, &task_zero, BPF_NOEXIST);
	t = bpf_map_lookup_elem(&by_task, &key);
	if (!t)
		t = bpf_map_lookup_elem(&by_task, &other);
	else
		name_task(t);
	return t ? &t->stat : NULL;
}

/* The name under which a process is shown is the one it has now, not the one it forked with. */
static __always_inline void rename_current(void)
{
	__u32 key = task_key();
	struct task_stat *t = bpf_map_lookup_elem(&by_task, &key);

	if (t)
		name_task(t);
}

static __always_inline void count_errno(syscall_id id, __u32 error)
{
	struct errno_key key = {.syscall = id, .error = error};
	struct count zero = {}, *count = bpf_map_lookup_elem(&errors, &key);

	if (!count) {
		bpf_map_update_elem(&errors, &key, &zero, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&errors, &key);
	}
	if (!count)
		count = bpf_map_lookup_elem(&errors, hist_other);
	if (count)
		__sync_fetch_and_add(&count->n, 1);
	else
		lost_inc(LOST_MAP_FULL);
}

static __always_inline void add_time(struct syscall_stat *stat, syscall_id id, __u64 ns)
{
	__u64 interval = interval_nr;
	struct syscall_max *max = &stat->max[interval & 1];

	stat->total_ns += ns;
	if (max->interval != interval || ns > max->ns) {
		max->interval = interval;
		max->ns = ns;
	}
	if (measure_hist)
		hist_add_at(&latencies, id, ns);
}

static __always_inline int record(syscall_id id, long ret, __u64 ns)
{
	bool failed = ret < 0 && ret >= -4095;
	struct syscall_stat *stat;

	if (id >= SYSCALL_IDS || (only_wanted && !wanted[id]))
		return 0;
	if (only_failed && (!failed || (only_errno && ret != -(long)only_errno)))
		return 0;
	if (count_by == BY_SYSCALL)
		stat = bpf_map_lookup_elem(&by_syscall, &id);
	else
		stat = task_stat_of_current();
	if (!stat) {
		lost_inc(LOST_MAP_FULL);
		return 0;
	}
	stat->calls++;
	if (failed)
		stat->errors++;
	if (failed && measure_errnos)
		count_errno(id, -ret);
	if (ns)
		add_time(stat, id, ns);
	return 0;
}

static __always_inline bool is_fork(long nr, bool compat)
{
	if (compat)
		return nr == COMPAT_CLONE || nr == COMPAT_FORK || nr == COMPAT_VFORK ||
		       nr == COMPAT_CLONE3;
#ifdef __NR_fork
	if (nr == __NR_fork || nr == __NR_vfork)
		return true;
#endif
	return nr == __NR_clone || nr == __NR_clone3;
}

static __always_inline bool is_prctl(long nr)
{
	return nr == (syscall_is_compat() ? COMPAT_PRCTL : __NR_prctl);
}

/* A call of which only the end was seen: the task was traced too late, or seccomp refused it. */
static __always_inline int record_without_begin(struct pt_regs *regs, long nr, long ret,
						bool compat)
{
	compat = ended_call_is_compat(regs, nr, compat);
	/* A child begins its life with the end of a call that its parent made. */
	if (ret == 0 && is_fork(nr, compat))
		return 0;
	/* Returning from a signal handler restores the registers, but for the number. */
	if (nr == -1)
		nr = compat ? COMPAT_RT_SIGRETURN : __NR_rt_sigreturn;
	return record(make_syscall_id(nr, compat), ret, 0);
}

static __always_inline int begin(long nr)
{
	__u32 tgid = current_pid_tgid() >> 32;

	/* Any state: the exec that starts our command begins before it is traced. */
	if (!filter_state(tgid))
		return 0;
	span_begin(make_syscall_id(nr, syscall_is_compat()), tgid, 0);
	return 0;
}

/* Looked at only once it is known that the call is of interest: most are not. */
static __always_inline long ended_nr(struct pt_regs *regs, const long *told)
{
	return told ? *told : regs_syscall_nr(regs);
}

/* told is the number of the call; NULL if it is in regs. */
static __always_inline int end(struct pt_regs *regs, const long *told, long ret)
{
	struct span span;
	__u64 now_ns;
	long nr;

	if (!filter_pass_end())
		return 0;
	nr = ended_nr(regs, told);
	now_ns = bpf_ktime_get_ns();
	if (count_by != BY_SYSCALL && is_prctl(nr))
		rename_current();
	if (!span_end(&span))
		return record_without_begin(regs, nr, ret, syscall_is_compat());
	return record(span.id, ret, now_ns - span.start_ns);
}

/* In place of both when nothing is timed: most of what counting costs is the length of its code. */
static __always_inline int end_untimed(struct pt_regs *regs, const long *told, long ret)
{
	struct caller caller = current_caller();
	long nr;

	if (!(filter_state(caller.tgid) & TARGET_TRACED))
		return 0;
	nr = ended_nr(regs, told);
	if (count_by != BY_SYSCALL && is_prctl(nr))
		rename_current();
	return record_without_begin(regs, nr, ret, caller.compat);
}

SEC("tp_btf/sys_enter")
int BPF_PROG(raw_enter, struct pt_regs *regs, long nr)
{
	return begin(nr);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(raw_leave, struct pt_regs *regs, long ret)
{
	return end(regs, NULL, ret);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(raw_leave_untimed, struct pt_regs *regs, long ret)
{
	return end_untimed(regs, NULL, ret);
}

/* The same by perf, which never lets them be preempted: see KERNEL_STEADY_TRACEPOINTS. */
SEC("tracepoint")
int event_enter(struct trace_event_raw_sys_enter *ctx)
{
	return begin(ctx->id);
}

SEC("tracepoint")
int event_leave(struct trace_event_raw_sys_exit *ctx)
{
	long nr = ctx->id;

	return end(ended_call_regs(), &nr, ctx->ret);
}

SEC("tracepoint")
int event_leave_untimed(struct trace_event_raw_sys_exit *ctx)
{
	long nr = ctx->id;

	return end_untimed(ended_call_regs(), &nr, ctx->ret);
}

/* exit and exit_group do not return, so no sys_exit event tells of them. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(task_exit, struct task_struct *task)
{
	bool compat = syscall_is_compat();
	long nr = current_syscall_nr();
	struct span span;
	__u64 ns = 0;

	if (nr != (compat ? COMPAT_EXIT : __NR_exit) &&
	    nr != (compat ? COMPAT_EXIT_GROUP : __NR_exit_group))
		return 0;
	if (!filter_pass())
		return 0;
	if (measure_time && span_end(&span))
		ns = bpf_ktime_get_ns() - span.start_ns;
	return record(make_syscall_id(nr, compat), 0, ns);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(task_exec, struct task_struct *task, pid_t old_tid)
{
	pid_t tid = kernel_read(task, pid);

	/* A thread that executes a program goes on as the first one of its process. */
	if (measure_time && tid != old_tid)
		span_move(old_tid, tid);
	if (count_by != BY_SYSCALL)
		rename_current();
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
