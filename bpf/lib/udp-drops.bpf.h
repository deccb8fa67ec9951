/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * UDP packets that the kernel dropped, by its reason and the local port. Of all processes: user
 * space knows which ports are of interest only at the end.
 */
#ifndef WIRESCOPE_UDP_DROPS_BPF_H
#define WIRESCOPE_UDP_DROPS_BPF_H

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>
#include "hist.bpf.h"
#include "io-latencies.h"
#include "kcompat.bpf.h"
#include "socket.bpf.h"
#include "udp-arrival.bpf.h"

#define ENOMEM         12
#define IP_FRAGMENT_OF 0x1fff
#define ETH_P_IP       0x0800
#define ETH_P_IPV6     0x86dd

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DROP_KEYS);
	__type(key, struct drop_key);
	__type(value, struct count);
} drops SEC(".maps");

static const struct count count_zero;

static __always_inline void drop_count(__u32 reason, __u32 port)
{
	struct drop_key key = {.reason = reason, .port = port};
	struct count *c;

	if (filter_off)
		return;
	c = bpf_map_lookup_elem(&drops, &key);
	if (!c) {
		bpf_map_update_elem(&drops, &key, &count_zero, BPF_NOEXIST);
		c = bpf_map_lookup_elem(&drops, &key);
	}
	if (!c)
		c = bpf_map_lookup_elem(&drops, hist_other);
	if (c)
		__sync_fetch_and_add(&c->n, 1);
	else
		lost_inc(LOST_MAP_FULL);
}

/* Does a packet have a UDP header where its transport header is? */
static __always_inline bool has_udp_header(struct sk_buff *skb)
{
	__u16 network = kernel_read(skb, network_header);
	void *ip = kernel_read(skb, head) + network;

	if (kernel_read(skb, transport_header) <= network)
		return false;
	switch (bpf_ntohs(kernel_read(skb, protocol))) {
	case ETH_P_IP:
		return socket_read(ip, struct iphdr, protocol) == IPPROTO_UDP &&
		       !(bpf_ntohs(socket_read(ip, struct iphdr, frag_off)) & IP_FRAGMENT_OF);
	case ETH_P_IPV6:
		return socket_read(ip, struct ipv6hdr, nexthdr) == IPPROTO_UDP;
	default:
		return false;
	}
}

static __always_inline void drop_seen(struct sk_buff *skb, __u32 reason)
{
	struct sock *sk;

	if (!has_udp_header(skb))
		return;
	sk = kernel_read(skb, sk);
	if (sk && is_udp(sk))
		drop_count(reason, kernel_read(sk, __sk_common.skc_num));
	else
		drop_count(reason, udp_dest_port(skb));
}

SEC("?tp_btf/udp_fail_queue_rcv_skb")
int BPF_PROG(drop_unqueued, int error, struct sock *sk)
{
	drop_count(error == -ENOMEM ? DROP_QUEUE_FULL : DROP_NO_MEMORY,
		   kernel_read(sk, __sk_common.skc_num));
	return 0;
}

#endif
