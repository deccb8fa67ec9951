// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Batches, times and results of the system calls that send and receive UDP datagrams, seen by
 * the backends of udp-backend.bpf.h, or by usdt_*, the probes of s2n-quic.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/usdt.bpf.h>
#include "filter.bpf.h"
#include "hist.bpf.h"
#include "kcompat.bpf.h"
#include "socket.bpf.h"
#include "syscall.h"
#include "udp-backend.bpf.h"
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

static __always_inline void udp_on_begin(enum udp_call call, __u32 vlen, struct sock *sk)
{
	struct udp_key key;

	/* A socket without a name gets its port by the first send: its key is known then. */
	if (split_by == UDP_BY_SOCKET)
		return;
	make_key(&key, sk);
	add(call, arg_counts, &key, vlen);
}

static __always_inline void count_error(enum udp_call call, __u32 error)
{
	if (call & UDP_RX)
		count_add_at(&rx_errors, error, 1);
	else
		count_add_at(&tx_errors, error, 1);
}

static __always_inline void udp_on_end(const struct udp_ended *ended, long ret)
{
	bool restarts = is_restart(-ret);
	enum udp_call call = ended->call;
	struct udp_key key;

	make_key(&key, ended->sk);
	if (split_by == UDP_BY_SOCKET)
		add(call, arg_counts, &key, ended->vlen);
	/* A call that a signal broke off took as long as it waited, not as long as it costs. */
	if (!restarts)
		add(call, latencies, &key, ended->latency_ns);
	if (ret < 0) {
		count_error(call, -ret);
		if (errors_as_zero && !restarts)
			add(call, ret_counts, &key, 0);
		return;
	}
	add(call, ret_counts, &key, call & UDP_BATCH ? ret : 1);
	if (without_bytes)
		return;
	if (call & UDP_BATCH)
		ret = mmsg_bytes(ended->vec, ret, call & UDP_COMPAT);
	add(call, bytes, &key, ret);
}

static __noinline int usdt_begin(enum udp_call call, __u32 vlen)
{
	return filter_pass() ? udp_begin(call, vlen, 0, NULL) : 0;
}

static __noinline int usdt_end(__u32 count, __u32 error)
{
	__u64 now_ns = bpf_ktime_get_ns();

	return filter_pass_end() ? udp_end(error ? -(long)error : count, now_ns) : 0;
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
