// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Batches, times and results of the system calls that send and receive UDP datagrams. Four
 * backends see the calls, one records them:
 *   fentry_* the functions of single syscalls: costs other calls and processes nothing
 *   event_*  tracepoints of single syscalls: costs other processes least
 *   raw_*    all syscalls: sees 32-bit callers too, works without CONFIG_FTRACE_SYSCALLS
 *   usdt_*   the probes of s2n-quic
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/usdt.bpf.h>
#include "filter.bpf.h"
#include "hist.bpf.h"
#include "kcompat.bpf.h"
#include "socket.bpf.h"
#include "span.bpf.h"
#include "syscall.h"
#include "udp-calls.bpf.h"
#include "udp-syscall.h"

HIST_SPLIT(rx_arg_counts, struct udp_key);
HIST_SPLIT(rx_bytes, struct udp_key);
HIST_SPLIT(rx_latencies, struct udp_key);
HIST_SPLIT(rx_ret_counts, struct udp_key);
HIST_SPLIT(tx_arg_counts, struct udp_key);
HIST_SPLIT(tx_bytes, struct udp_key);
HIST_SPLIT(tx_latencies, struct udp_key);
HIST_SPLIT(tx_ret_counts, struct udp_key);
COUNT_ARRAY(rx_errors, errno_nr, ERRNO_MAX);
COUNT_ARRAY(tx_errors, errno_nr, ERRNO_MAX);

const volatile __u32 split_by; /* enum udp_by */
const volatile bool errors_as_zero;
const volatile bool without_bytes;
const volatile __u64 started_ns; /* the run */

#define RESTART_FIRST 512 /* ERESTARTSYS .. ERESTART_RESTARTBLOCK, include/linux/errno.h */
#define RESTART_LAST  516

/*
 * Into the histogram of the call's direction, of its key if there are keys. Each branch names
 * its map: the kernel replaces a lookup by a few instructions only where it knows the map.
 */
#define add(call, name, key, value)                                \
	do {                                                       \
		if (split_by == UDP_BY_NONE && (call)&UDP_RX)      \
			hist_add(&rx_##name, value);               \
		else if (split_by == UDP_BY_NONE)                  \
			hist_add(&tx_##name, value);               \
		else if ((call)&UDP_RX)                            \
			hist_add_key(&rx_##name##_by, key, value); \
		else                                               \
			hist_add_key(&tx_##name##_by, key, value); \
	} while (0)

static __always_inline void make_key(struct udp_key *key, struct sock *sk)
{
	if (split_by == UDP_BY_NONE)
		return;
	__builtin_memset(key, 0, sizeof(*key));
	if (split_by == UDP_BY_SOCKET && sk)
		socket_endpoints(sk, &key->local, &key->peer);
	if (split_by == UDP_BY_THREAD) {
		key->thread.tid = pidns_current(false) ?: (__u32)current_pid_tgid();
		bpf_get_current_comm(key->thread.comm, sizeof(key->thread.comm));
	}
}

/* What the end of a call must know goes into one number; no address needs the top byte. */
#define CALL_SHIFT 56
#define VEC_MASK   ((1ULL << CALL_SHIFT) - 1)

static __always_inline int call_begin(enum udp_call call, __u32 vlen, __u64 arg, struct sock *sk)
{
	struct udp_key key;

	/* A socket without a name gets its port by the first send: its key is known then. */
	if (split_by != UDP_BY_SOCKET) {
		make_key(&key, sk);
		add(call, arg_counts, &key, vlen);
	}
	span_begin(vlen, arg, (__u64)sk);
	return 0;
}

static __always_inline void count_error(enum udp_call call, __u32 error)
{
	if (call & UDP_RX)
		count_add_at(&rx_errors, error, 1);
	else
		count_add_at(&tx_errors, error, 1);
}

static __always_inline int call_end(const struct span *span, enum udp_call call, long ret,
				    __u64 latency_ns)
{
	__u64 vec = span->arg[0] & VEC_MASK;
	bool restarts = -ret >= RESTART_FIRST && -ret <= RESTART_LAST;
	struct udp_key key;

	make_key(&key, (struct sock *)span->arg[1]);
	if (split_by == UDP_BY_SOCKET)
		add(call, arg_counts, &key, span->id);
	/* A call that a signal broke off took as long as it waited, not as long as it costs. */
	if (!restarts)
		add(call, latencies, &key, latency_ns);
	if (ret < 0) {
		count_error(call, -ret);
		if (errors_as_zero && !restarts)
			add(call, ret_counts, &key, 0);
		return 0;
	}
	add(call, ret_counts, &key, call & UDP_BATCH ? ret : 1);
	if (without_bytes)
		return 0;
	if (call & UDP_BATCH)
		ret = mmsg_bytes(vec, ret, call & UDP_COMPAT);
	add(call, bytes, &key, ret);
	return 0;
}

static __always_inline int enter(enum udp_call call, const struct udp_args *args)
{
	__u64 arg = (args->vec & VEC_MASK) | (__u64)call << CALL_SHIFT;
	struct sock *sk = udp_sock_of_fd(args->fd);

	return sk ? call_begin(call, call & UDP_BATCH ? args->vlen : 1, arg, sk) : 0;
}

static __always_inline int leave(long ret, __u64 now_ns)
{
	struct span span;

	if (!span_end(&span))
		return 0;
	return call_end(&span, span.arg[0] >> CALL_SHIFT, ret, now_ns - span.start_ns);
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
	};
	return enter(call, &args);
}

static __noinline int fentry_end(long ret)
{
	return filter_pass_end() ? leave(ret, bpf_ktime_get_ns()) : 0;
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
FENTRY("sendmsg", msg_sendmsg, 0)
FENTRY("sendto", msg_sendto, 0)
FENTRY("recvmsg", msg_recvmsg, UDP_RX)
FENTRY("recvfrom", msg_recvfrom, UDP_RX)

SEC("tracepoint")
int event_enter(struct syscall_trace_enter *ctx)
{
	struct udp_args args;

	if (!filter_pass())
		return 0;
	args = (struct udp_args){.fd = ctx->args[0], .vec = ctx->args[1], .vlen = ctx->args[2]};
	return enter(udp_call_of_native(ctx->nr), &args);
}

SEC("tracepoint")
int event_leave(struct syscall_trace_exit *ctx)
{
	return filter_pass_end() ? leave(ctx->ret, bpf_ktime_get_ns()) : 0;
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
	if (kernel_read(task, signal->live.counter) ||
	    kernel_read(task, group_leader->start_time) > started_ns)
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
	return call & UDP_NONE ? 0 : enter(call, &args);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(raw_leave, struct pt_regs *regs, long ret)
{
	__u64 now_ns;

	if (!filter_pass_end() || !udp_may_be_call(regs_syscall_nr(regs), syscall_is_compat()))
		return 0;
	now_ns = bpf_ktime_get_ns();
	return leave(ret, now_ns);
}

static __noinline int usdt_begin(enum udp_call call, __u32 vlen)
{
	return filter_pass() ? call_begin(call, vlen, (__u64)call << CALL_SHIFT, NULL) : 0;
}

static __noinline int usdt_end(__u32 count, __u32 error)
{
	__u64 now_ns = bpf_ktime_get_ns();

	return filter_pass_end() ? leave(error ? -(long)error : count, now_ns) : 0;
}

SEC("usdt")
int BPF_USDT(usdt_mmsg_start_send, int fd, void *messages, __u32 count)
{
	return usdt_begin(UDP_BATCH, count);
}

SEC("usdt")
int BPF_USDT(usdt_mmsg_finish_send, int fd, void *messages, __u32 count, __u32 error)
{
	return usdt_end(count, error);
}

SEC("usdt")
int BPF_USDT(usdt_mmsg_start_recv, int fd, void *messages, __u32 count)
{
	return usdt_begin(UDP_BATCH | UDP_RX, count);
}

SEC("usdt")
int BPF_USDT(usdt_mmsg_finish_recv, int fd, void *messages, __u32 count, __u32 error)
{
	return usdt_end(count, error);
}

SEC("usdt")
int BPF_USDT(usdt_msg_start_send, int fd, void *message)
{
	return usdt_begin(0, 1);
}

SEC("usdt")
int BPF_USDT(usdt_msg_finish_send, int fd, void *message, __u32 error)
{
	return usdt_end(1, error);
}

SEC("usdt")
int BPF_USDT(usdt_msg_start_recv, int fd, void *message)
{
	return usdt_begin(UDP_RX, 1);
}

SEC("usdt")
int BPF_USDT(usdt_msg_finish_recv, int fd, void *message, __u32 error)
{
	return usdt_end(1, error);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
