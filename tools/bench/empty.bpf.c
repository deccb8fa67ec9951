// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The least that a program at the begin and the end of each system call can cost. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

__u64 clock_enter_ns, clock_exit_ns;

SEC("tp_btf/sys_enter")
int BPF_PROG(bare_enter)
{
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(bare_exit)
{
	return 0;
}

/* They keep what they read, or the compiler could leave the read out. */
SEC("tp_btf/sys_enter")
int BPF_PROG(clock_enter)
{
	clock_enter_ns = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(clock_exit)
{
	clock_exit_ns = bpf_ktime_get_ns();
	return 0;
}

/* On the way of a datagram. */
#define EMPTY(event)               \
	SEC("tp_btf/" #event)      \
	int BPF_PROG(bare_##event) \
	{                          \
		return 0;          \
	}

EMPTY(net_dev_queue)
EMPTY(net_dev_start_xmit)
EMPTY(sock_send_length)
EMPTY(netif_receive_skb)
EMPTY(sk_data_ready)
EMPTY(sock_recv_length)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
