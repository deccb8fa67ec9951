// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the kernel really sent and received, by device: UDP packets as the stack made them, as
 * the driver was given them, as they came in, and as GRO made them. User space is
 * user/lib/offload-device.c.
 */
#include "vmlinux.h"
#include <asm/unistd.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "device-packets.h"
#include "filter.bpf.h"
#include "hist.bpf.h"
#include "owner.bpf.h"
#include "packet.bpf.h"

HIST_ARRAY(gso_count, __u32, DEVICES_MAX);
HIST_ARRAY(gso_size, __u32, DEVICES_MAX);
HIST_ARRAY(gro_count, __u32, DEVICES_MAX);
HIST_ARRAY(gro_size, __u32, DEVICES_MAX);

const volatile char device_only[DEVICE_NAME]; /* "": all */

struct device_label device_label_type; /* for its BTF */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, DEVICES_MAX);
	__type(key, __u32);
	__type(value, struct device_counts);
} device_counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DEVICES_MAX);
	__type(key, __u32);
	__type(value, struct device_info);
} device_infos SEC(".maps");

/* The entry of each device, or DEVICE_NONE. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct device_key);
	__type(value, __u32);
} device_entries SEC(".maps");

static __always_inline bool is_other_device(const char *name)
{
	if (!device_only[0])
		return false;
	for (int i = 0; i < DEVICE_NAME; i++) {
		if (name[i] != device_only[i])
			return true;
		if (!name[i])
			return false;
	}
	return false;
}

/* The first entry that nobody has taken yet. */
static __always_inline __u32 device_take(const struct device_info *info)
{
	for (__u32 i = DEVICE_OTHERS + 1; i < DEVICES_MAX; i++) {
		__u32 entry = i;

		if (!bpf_map_update_elem(&device_infos, &entry, info, BPF_NOEXIST))
			return i;
	}
	return DEVICE_OTHERS;
}

static __noinline __u32 device_add(const struct net_device *dev, struct device_key *key)
{
	struct device_info info = {.key = *key};
	__u32 entry = DEVICE_NONE;

	socket_read_into(info.name, DEVICE_NAME, dev, struct net_device, name);
	if (!is_other_device(info.name))
		entry = device_take(&info);
	bpf_map_update_elem(&device_entries, key, &entry, BPF_NOEXIST);
	return entry;
}

static __always_inline __u32 device_entry(const struct net_device *dev, struct device_key *key)
{
	__u32 *entry = bpf_map_lookup_elem(&device_entries, key);

	return entry ? *entry : device_add(dev, key);
}

static __always_inline void device_identify(const struct net_device *dev, struct device_key *key)
{
	struct net *net = kernel_read(dev, nd_net.net);

	key->ifindex = kernel_read(dev, ifindex);
	key->netns = kernel_read(net, ns.inum);
}

static __always_inline struct packet_counts *counts_of(__u32 entry, enum packet_place place)
{
	struct device_counts *counts = bpf_map_lookup_elem(&device_counts, &entry);

	return counts ? &counts->at[place] : NULL;
}

/* The histograms are not of both places of a direction, but of the last one. */
static __always_inline void count_hists(const struct packet *p, __u32 entry,
					enum packet_place place)
{
	if (place == PLACE_DRIVER) {
		hist_add_at(&gso_count, entry, p->datagrams);
		hist_add_at(&gso_size, entry, p->size);
	} else if (place == PLACE_RECEIVED) {
		hist_add_at(&gro_count, entry, p->datagrams);
		hist_add_at(&gro_size, entry, p->size);
	}
}

static __always_inline void count_udp(const struct packet *p, __u32 entry, enum packet_place place)
{
	struct packet_counts *counts = counts_of(entry, place);

	if (!counts)
		return;
	counts->packets++;
	counts->datagrams += p->datagrams;
	counts->bytes += p->bytes;
	if (p->fragment)
		counts->fragments++;
	if (p->datagrams > 1) {
		counts->batches++;
		counts->batched += p->datagrams;
	}
	count_hists(p, entry, place);
}

static __always_inline void count_reason(__u32 entry, enum packet_place place,
					 enum packet_reason reason)
{
	struct packet_counts *counts = counts_of(entry, place);

	if (counts)
		counts->not_counted[reason]++;
}

static __always_inline void count_fragment(__u32 entry, enum packet_place place)
{
	struct packet_counts *counts = counts_of(entry, place);

	if (!counts)
		return;
	counts->packets++;
	counts->fragments++;
}

#define WHERE(entry, place, fragment) ((entry) << 8 | (place) << 1 | (fragment))

/* Not static: verified once, not for each way that a program has to it (40 ms of each start). */
__noinline int count_at(__u32 kind, __u32 where, __u32 datagrams, __u32 size, __u64 bytes)
{
	struct packet p = {
		.datagrams = datagrams, .size = size, .bytes = bytes, .fragment = where & 1};
	enum packet_place place = where >> 1 & 0x7f;
	__u32 entry = where >> 8;

	if (entry >= DEVICES_MAX || place >= PACKET_PLACES)
		return 0;
	if (kind == PACKET_UDP)
		count_udp(&p, entry, place);
	else if (kind == PACKET_FRAGMENT)
		count_fragment(entry, place);
	else
		count_reason(entry, place,
			     kind == PACKET_OF_TUNNEL ? PACKET_TUNNEL : PACKET_HIDDEN);
	return 0;
}

static __always_inline int count(enum packet_kind kind, const struct packet *p, __u32 entry,
				 enum packet_place place)
{
	return count_at(kind, WHERE(entry, place, p->fragment), p->datagrams, p->size, p->bytes);
}

static __always_inline int count_sent(const struct sk_buff *skb, const struct net_device *dev,
				      enum packet_place place)
{
	struct device_key key;
	struct packet p = {};
	enum packet_kind kind;
	struct sock *sk;
	__u32 entry;

	if (filter_off)
		return 0;
	kind = packet_sent(&p, skb);
	if (kind == PACKET_FOREIGN)
		return 0;
	sk = kernel_read(skb, sk);
	if (owner_asked && sk && !(place == PLACE_QUEUED ? owner_sends(sk) : owner_has_socket(sk)))
		return 0;
	device_identify(dev, &key);
	entry = device_entry(dev, &key);
	if (!owner_asked || sk)
		return count(kind, &p, entry, place);
	if (entry < DEVICES_MAX)
		count_reason(entry, place, PACKET_NO_SOCKET);
	return 0;
}

SEC("tp_btf/net_dev_queue")
int BPF_PROG(packet_queued, struct sk_buff *skb)
{
	return count_sent(skb, kernel_read(skb, dev), PLACE_QUEUED);
}

SEC("tp_btf/net_dev_start_xmit")
int BPF_PROG(packet_to_driver, struct sk_buff *skb, struct net_device *dev)
{
	return count_sent(skb, dev, PLACE_DRIVER);
}

static __always_inline int count_received(struct sk_buff *skb, enum packet_place place)
{
	struct net_device *dev;
	struct device_key key;
	struct packet p = {};
	enum packet_kind kind;

	if (filter_off)
		return 0;
	kind = packet_received(&p, skb);
	if (kind == PACKET_FOREIGN)
		return 0;
	dev = kernel_read(skb, dev);
	device_identify(dev, &key);
	/* Without ports it cannot be told whose it is. */
	if (owner_asked && (kind == PACKET_FRAGMENT || kind == PACKET_UNREADABLE)) {
		__u32 entry = device_entry(dev, &key);

		if (entry < DEVICES_MAX)
			count_reason(entry, place, PACKET_NO_SOCKET);
		return 0;
	}
	if (owner_asked && !owner_receives(&p, key.netns))
		return 0;
	return count(kind, &p, device_entry(dev, &key), place);
}

SEC("tp_btf/netif_receive_skb")
int BPF_PROG(packet_to_stack, struct sk_buff *skb)
{
	return count_received(skb, PLACE_RECEIVED);
}

SEC("tp_btf/napi_gro_receive_entry")
int BPF_PROG(packet_to_gro, struct sk_buff *skb)
{
	return count_received(skb, PLACE_WIRE);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
