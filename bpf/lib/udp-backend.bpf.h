/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The system calls of traced processes that send or receive UDP datagrams. Three sets of programs
 * see them, of which user/lib/udp-backend.c loads one; the program that includes this has two
 * functions that they call:
 *   fentry_* the functions of single syscalls: costs other calls and processes nothing
 *   event_*  tracepoints of single syscalls: costs other processes least
 *   raw_*    all syscalls: sees 32-bit callers too, works without CONFIG_FTRACE_SYSCALLS
 */
#ifndef WIRESCOPE_UDP_BACKEND_BPF_H
#define WIRESCOPE_UDP_BACKEND_BPF_H

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "filter.bpf.h"
#include "kcompat.bpf.h"
#include "lost.bpf.h"
#include "socket.bpf.h"
#include "span.bpf.h"
#include "udp-calls.bpf.h"
#include "uring.bpf.h"

const volatile __u64 udp_started_ns; /* the run */
const volatile bool udp_asides; /* UDP_ASIDE is wanted: it costs those that have no use for it */

/* What the end of a call must know goes into one number; no address needs the top byte. */
#define UDP_CALL_SHIFT 56
#define UDP_VEC_MASK   ((1ULL << UDP_CALL_SHIFT) - 1)

/* A call for vlen messages (1 of those that take no array) begins; sk is NULL if not known. */
static __always_inline void udp_on_begin(enum udp_call call, __u32 vlen, struct sock *sk);

struct udp_ended {
	enum udp_call call;
	__u32 vlen;
	__u64 vec; /* user address of the messages, of one message (UDP_MSGHDR), else of a buffer */
	struct sock *sk;
	__u64 latency_ns;
};

/* It has returned ret. */
static __always_inline void udp_on_end(const struct udp_ended *ended, long ret);

static __always_inline int udp_begin(enum udp_call call, __u32 vlen, __u64 vec, struct sock *sk)
{
	udp_on_begin(call, vlen, sk);
	span_begin(vlen, (vec & UDP_VEC_MASK) | (__u64)call << UDP_CALL_SHIFT, (__u64)sk);
	return 0;
}

static __always_inline int udp_end(long ret, __u64 now_ns)
{
	struct udp_ended ended;
	struct span span;

	if (!span_end(&span))
		return 0;
	ended.call = span.arg[0] >> UDP_CALL_SHIFT;
	ended.vlen = span.id;
	ended.vec = span.arg[0] & UDP_VEC_MASK;
	ended.sk = (struct sock *)span.arg[1];
	ended.latency_ns = now_ns - span.start_ns;
	udp_on_end(&ended, ret);
	return 0;
}

static __always_inline int udp_enter(enum udp_call call, const struct udp_args *args)
{
	struct sock *sk = udp_sock_of_fd(args->fd);

	if (!sk)
		return 0;
	if (udp_asides && udp_is_aside(call, args))
		call |= UDP_ASIDE;
	return udp_begin(call, call & UDP_BATCH ? args->vlen : 1, args->vec, sk);
}

/*
 * Not __sys_sendmmsg() and the like, which 32-bit calls end in too: a compiler may copy those
 * into the functions below (Debian's 6.12 has __sys_recvmmsg() so).
 */
static __noinline int fentry_begin(enum udp_call call, struct pt_regs *regs)
{
	struct udp_args args;

	if (!filter_pass())
		return 0;
	args = (struct udp_args){
		.fd = regs_syscall_arg(regs, 0),
		.vec = regs_syscall_arg(regs, 1),
		.vlen = regs_syscall_arg(regs, 2),
		.flags = regs_syscall_arg(regs, 3),
	};
	return udp_enter(call, &args);
}

static __noinline int fentry_end(long ret)
{
	return filter_pass_end() ? udp_end(ret, bpf_ktime_get_ns()) : 0;
}

#define FENTRY(function, prog, call)                                      \
	SEC("fentry/" SYSCALL_FUNCTION(function))                         \
	int BPF_PROG(fentry_##prog, struct pt_regs *regs)                 \
	{                                                                 \
		return fentry_begin(call, regs);                          \
	}                                                                 \
	SEC("fexit/" SYSCALL_FUNCTION(function))                          \
	int BPF_PROG(fentry_##prog##_end, struct pt_regs *regs, long ret) \
	{                                                                 \
		return fentry_end(ret);                                   \
	}

FENTRY("sendmmsg", sendmmsg, UDP_BATCH)
FENTRY("recvmmsg", recvmmsg, UDP_BATCH | UDP_RX)
FENTRY("sendmsg", msg_sendmsg, UDP_MSGHDR)
FENTRY("sendto", msg_sendto, 0)
FENTRY("recvmsg", msg_recvmsg, UDP_MSGHDR | UDP_RX)
FENTRY("recvfrom", msg_recvfrom, UDP_RX)

SEC("tracepoint")
int event_enter(struct syscall_trace_enter *ctx)
{
	struct udp_args args;
	enum udp_call call;

	if (!filter_pass())
		return 0;
	args = (struct udp_args){
		.fd = ctx->args[0],
		.vec = ctx->args[1],
		.vlen = ctx->args[2],
	};
	call = udp_call_of_native(ctx->nr);
	/* Not ctx->args[3]: the kernel refuses that at a call which has less arguments. */
	if (udp_asides && call & UDP_RX && !(call & (UDP_MSGHDR | UDP_FILE)))
		bpf_probe_read_kernel(&args.flags, sizeof(args.flags), &ctx->args[3]);
	return udp_enter(call, &args);
}

SEC("tracepoint")
int event_leave(struct syscall_trace_exit *ctx)
{
	return filter_pass_end() ? udp_end(ctx->ret, bpf_ktime_get_ns()) : 0;
}

/*
 * The backends above do not see 32-bit callers: at least say that there was one. It is one
 * from the exec (whose return is to be that of the new program) or fork that began it; one that
 * is older than the run is only met at its end.
 */
static __always_inline int count_compat(void)
{
	if (syscall_is_compat() && filter_pass())
		lost_inc(LOST_COMPAT);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(compat_exec)
{
	return count_compat();
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(compat_fork, struct task_struct *parent, struct task_struct *child)
{
	return kernel_read(parent, tgid) == kernel_read(child, tgid) ? 0 : count_compat();
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(compat_exit, struct task_struct *task)
{
	/* As in current_files(). */
	struct signal_struct *signal = socket_read(task, struct task_struct, signal);
	struct task_struct *leader = socket_read(task, struct task_struct, group_leader);

	if (socket_read(signal, struct signal_struct, live.counter) ||
	    socket_read(leader, struct task_struct, start_time) > udp_started_ns)
		return 0;
	return count_compat();
}

SEC("tp_btf/sys_enter")
int BPF_PROG(raw_enter, struct pt_regs *regs, long nr)
{
	struct udp_args args = {};
	enum udp_call call;

	if (!filter_pass())
		return 0;
	call = udp_decode(nr, regs, syscall_is_compat(), &args);
	return call & UDP_NONE ? 0 : udp_enter(call, &args);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(raw_leave, struct pt_regs *regs, long ret)
{
	__u64 now_ns;

	if (!filter_pass_end() || !udp_may_be_call(regs_syscall_nr(regs), syscall_is_compat()))
		return 0;
	now_ns = bpf_ktime_get_ns();
	return udp_end(ret, now_ns);
}

#endif
