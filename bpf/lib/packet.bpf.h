/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What UDP datagrams an sk_buff holds, over IPv4 and IPv6. */
#ifndef WIRESCOPE_PACKET_BPF_H
#define WIRESCOPE_PACKET_BPF_H

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include "kcompat.bpf.h"
#include "socket.bpf.h"

#define ETH_P_IP     0x0800
#define ETH_P_IPV6   0x86dd
#define ETH_P_8021Q  0x8100
#define ETH_P_8021AD 0x88a8

#define IP_OFFSET        0x1fff
#define IPV6_OFFSET      0xfff8
#define EXTENSIONS_MAX   6
#define UDP_HEADER       8
#define VLAN_HEADER      4
#define IP_HEADERS_LEAST 28 /* with that of UDP */

enum { /* include/linux/skbuff.h */
       SKB_GSO_UDP = 1 << 16,
       SKB_GSO_UDP_L4 = 1 << 17,
       SKB_GSO_TUNNELS = 0x0fc0 | 1 << 13, /* GRE, IPIP, UDP tunnels */
};

enum packet_kind {
	PACKET_FOREIGN, /* not UDP */
	PACKET_UDP,
	PACKET_FRAGMENT, /* not the first one: without a UDP header */
	PACKET_OF_TUNNEL,
	PACKET_UNREADABLE,
};

struct packet {
	const void *ip; /* address of the IP header */
	__u16 family;
	__u16 source, dest; /* ports, host order */
	bool fragment;      /* the first one */
	__u32 bytes;        /* payload of all datagrams */
	__u32 datagrams;
	__u32 size; /* of each but the last one */
};

/* `words` (up to 4) of 4 bytes, at an address that no type is known of. */
#define packet_load(to, at, words)                                                                 \
	do {                                                                                       \
		const void *address = (at); /* else its own members were taken for the kernel's */ \
		socket_read_into(to, (words)*4, address, struct in6_addr, in6_u.u6_addr8);         \
	} while (0)

/* Where the headers after the IP header begin, and what they are. */
struct packet_layers {
	__u32 offset; /* from ip */
	__u8 protocol;
	__u16 fragment_offset;
	bool fragment;
};

static __always_inline bool is_ipv6_extension(__u8 header)
{
	/* Hop-by-hop, routing, fragment, authentication, destination options, mobility. */
	return header == 0 || header == 43 || header == 44 || header == 51 || header == 60 ||
	       header == 135;
}

static __always_inline void packet_skip_extensions(const void *ip, struct packet_layers *l)
{
	for (int i = 0; i < EXTENSIONS_MAX && is_ipv6_extension(l->protocol); i++) {
		__u8 header = l->protocol;
		__u32 words[2] = {};
		__u8 *bytes = (__u8 *)words;

		packet_load(words, ip + l->offset, 2);
		l->protocol = bytes[0];
		if (header == 44) {
			l->fragment = true;
			l->fragment_offset = bpf_ntohs(*(__u16 *)(bytes + 2)) & IPV6_OFFSET;
			l->offset += 8;
		} else if (header == 51) {
			l->offset += (bytes[1] + 2) * 4;
		} else {
			l->offset += (bytes[1] + 1) * 8;
		}
	}
}

/* False if it is not IP. */
static __always_inline bool packet_network(struct packet *p, struct packet_layers *l)
{
	__u32 words[3] = {};
	__u8 *bytes = (__u8 *)words;

	packet_load(words, p->ip, 3);
	if (bytes[0] >> 4 == 4) {
		__u16 fragment = bpf_ntohs(*(__u16 *)(bytes + 6));

		p->family = AF_INET;
		l->offset = (bytes[0] & 15) * 4;
		l->protocol = bytes[9];
		l->fragment_offset = fragment & IP_OFFSET;
		l->fragment = fragment & (IP_OFFSET | 0x2000);
		return true;
	}
	if (bytes[0] >> 4 != 6)
		return false;
	p->family = AF_INET6;
	l->offset = 40;
	l->protocol = bytes[6];
	packet_skip_extensions(p->ip, l);
	return true;
}

/* How the payload is divided; false if its segments are not what the UDP header is about. */
static __always_inline bool packet_segments(struct packet *p, const void *shared, __u32 payload)
{
	__u32 size = socket_read(shared, struct skb_shared_info, gso_size), type;

	p->datagrams = 1;
	if (size) {
		type = socket_read(shared, struct skb_shared_info, gso_type);
		if (type & SKB_GSO_TUNNELS || !(type & (SKB_GSO_UDP_L4 | SKB_GSO_UDP)))
			return false;
		p->bytes = payload;
		/* SKB_GSO_UDP is one datagram, which becomes fragments. */
		if (type & SKB_GSO_UDP_L4 && payload > size)
			p->datagrams = (payload + size - 1) / size;
	}
	p->size = p->datagrams > 1 ? size : p->bytes;
	return true;
}

static __always_inline bool packet_may_be_ip(__u16 protocol)
{
	return protocol == bpf_htons(ETH_P_IP) || protocol == bpf_htons(ETH_P_IPV6) ||
	       protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

/*
 * linear: bytes from ip on that can be read here, paged: those that follow elsewhere. The length
 * in a UDP header is that of its datagram, without what Ethernet adds to short ones; that of
 * several is the sk_buff's.
 */
static __always_inline enum packet_kind packet_udp(struct packet *p, __u32 linear, __u32 paged,
						   const void *shared)
{
	struct packet_layers l = {};
	__u32 words[2] = {}, payload;
	__u16 *udp = (__u16 *)words, length;

	if (linear < IP_HEADERS_LEAST)
		return PACKET_UNREADABLE;
	if (!packet_network(p, &l) || l.protocol != IPPROTO_UDP)
		return PACKET_FOREIGN;
	if (l.fragment_offset)
		return PACKET_FRAGMENT;
	if (linear < l.offset + UDP_HEADER)
		return PACKET_UNREADABLE;
	packet_load(words, p->ip + l.offset, 2);
	p->source = bpf_ntohs(udp[0]);
	p->dest = bpf_ntohs(udp[1]);
	p->fragment = l.fragment;
	length = bpf_ntohs(udp[2]);
	payload = linear + paged - l.offset - UDP_HEADER;
	p->bytes = length >= UDP_HEADER ? length - UDP_HEADER : payload;
	return packet_segments(p, shared, payload) ? PACKET_UDP : PACKET_OF_TUNNEL;
}

/*
 * The kernel knows these for pointers, and lets only whole ones be subtracted: the compiler must
 * not do so with halves.
 */
static __always_inline __u32 packet_headroom(const struct sk_buff *skb)
{
	__u64 bytes = (__u64)kernel_read(skb, data) - (__u64)kernel_read(skb, head);

	barrier_var(bytes);
	return bytes;
}

/* A packet that is sent: the stack has noted where its network header is. */
static __always_inline enum packet_kind packet_sent(struct packet *p, const struct sk_buff *skb)
{
	__u32 paged = kernel_read(skb, data_len), at = kernel_read(skb, network_header), linear;
	const void *head = kernel_read(skb, head);

	if (!packet_may_be_ip(kernel_read(skb, protocol)))
		return PACKET_FOREIGN;
	p->ip = head + at;
	linear = packet_headroom(skb) + kernel_read(skb, len) - paged - at;
	return packet_udp(p, linear, paged, head + kernel_read(skb, end));
}

/* One that comes in: its data begin behind the Ethernet header. */
static __always_inline enum packet_kind packet_received(struct packet *p, const struct sk_buff *skb)
{
	__u32 paged = kernel_read(skb, data_len), at = 0;
	const void *head = kernel_read(skb, head), *data = kernel_read(skb, data);
	__u16 protocol = kernel_read(skb, protocol);

	if (!packet_may_be_ip(protocol))
		return PACKET_FOREIGN;
	if (protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD))
		at = VLAN_HEADER;
	p->ip = data + at;
	return packet_udp(p, kernel_read(skb, len) - paged - at, paged,
			  head + kernel_read(skb, end));
}

#endif
