/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The way of packets from a send call to the driver. A packet is found again by the address of
 * its skb: in a slot, which costs one array access and may be left behind, or, where two packets
 * that are under way meet in one, in a hash.
 */
#ifndef WIRESCOPE_UDP_DEPARTURE_BPF_H
#define WIRESCOPE_UDP_DEPARTURE_BPF_H

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "filter.bpf.h"
#include "io-latencies.h"
#include "kcompat.bpf.h"
#include "skb-slot.bpf.h"
#include "span.bpf.h"
#include "udp-backend.bpf.h"

const volatile bool departure_stages;

enum departure_state { DEPARTURE_NONE, DEPARTURE_QUEUED, DEPARTURE_SENT, DEPARTURE_OUT };

struct departure {
	__u64 skb;
	__u64 begin_ns;
	__u64 queued_ns; /* with departure_stages */
	__u64 sent_ns;   /* the same */
	__u64 dev;       /* the same; 0: what it does with an skb says nothing */
	__u32 state;
	__u32 met; /* packets in the hash that would be here */
};

#define DEPARTURE_SLOTS 16384
#define DEPARTURES_MET  8192

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, DEPARTURE_SLOTS);
	__type(key, __u32);
	__type(value, struct departure);
} departures SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DEPARTURES_MET);
	__type(key, __u64);
	__type(value, struct departure);
} departures_met SEC(".maps");

/* What is done with a packet: defined by the program that includes this. */
static __always_inline void on_departure(const struct departure *d, __u64 now_ns);
static __always_inline void on_driver_done(__u64 ns);
static __always_inline void on_completion(__u64 ns);
static __always_inline void io_count(enum io_count what);
static __always_inline void on_port(__u32 port);

static __always_inline struct departure *departure_slot(__u64 skb)
{
	__u32 slot = skb_slot(skb, DEPARTURE_SLOTS);

	return bpf_map_lookup_elem(&departures, &slot);
}

/* The packet of this skb; *slot is where it was looked for. */
static __always_inline struct departure *departure_of(__u64 skb, struct departure **slot)
{
	*slot = departure_slot(skb);
	if (!*slot)
		return NULL;
	if ((*slot)->skb == skb)
		return *slot;
	return (*slot)->met ? bpf_map_lookup_elem(&departures_met, &skb) : NULL;
}

static __always_inline void departure_forget(struct departure *d, struct departure *slot)
{
	__u64 skb = d->skb;

	if (d == slot) {
		slot->skb = 0;
		slot->state = DEPARTURE_NONE;
	} else if (!bpf_map_delete_elem(&departures_met, &skb)) {
		__sync_fetch_and_add(&slot->met, -1);
	}
}

static __always_inline void departure_keep(const struct departure *d)
{
	struct departure *slot, *old = departure_of(d->skb, &slot);

	if (!slot)
		return;
	/* The address was used before: that packet has gone in a way that nobody saw. */
	if (old && old != slot)
		departure_forget(old, slot);
	if (slot->state != DEPARTURE_QUEUED || slot->skb == d->skb) {
		slot->begin_ns = d->begin_ns;
		slot->queued_ns = d->queued_ns;
		slot->dev = d->dev;
		slot->state = DEPARTURE_QUEUED;
		slot->skb = d->skb;
	} else if (!bpf_map_update_elem(&departures_met, &d->skb, d, BPF_ANY)) {
		__sync_fetch_and_add(&slot->met, 1);
	} else {
		lost_inc(LOST_MAP_FULL);
	}
}

/* Of its vec, which no program here reads: a packet of the message was queued. */
#define MESSAGE_QUEUED (1ULL << (UDP_CALL_SHIFT - 1))

/* The running send call of the current thread on this socket. */
static __always_inline struct span *sending_span(const struct sock *sk)
{
	struct span *span = span_running();

	if (!span || span->arg[1] != (__u64)sk || span->arg[0] >> UDP_CALL_SHIFT & UDP_RX)
		return NULL;
	return span;
}

/* Other devices hand the skb on: to a process of this machine, or to another device. */
static __always_inline __u64 hardware_of(struct sk_buff *skb)
{
	struct net_device *dev = kernel_read(skb, dev);

	return dev && kernel_read(dev, dev.parent) ? (__u64)dev : 0;
}

SEC("tp_btf/net_dev_queue")
int BPF_PROG(tx_queue, struct sk_buff *skb)
{
	struct departure d = {.skb = (__u64)skb, .state = DEPARTURE_QUEUED};
	struct span *span;
	struct sock *sk;

	if (!filter_pass())
		return 0;
	sk = kernel_read(skb, sk);
	if (!sk)
		return 0;
	span = sending_span(sk);
	if (!span) {
		if (is_udp(sk))
			io_count(IO_TX_OUTSIDE);
		return 0;
	}
	span->arg[0] |= MESSAGE_QUEUED;
	d.begin_ns = span->start_ns;
	if (departure_stages) {
		d.queued_ns = bpf_ktime_get_ns();
		d.dev = hardware_of(skb);
	}
	departure_keep(&d);
	io_count(IO_TX_PACKETS);
	on_port(kernel_read(sk, __sk_common.skc_num));
	return 0;
}

static __always_inline bool departure_sent(struct sk_buff *skb)
{
	struct departure *slot, *d = departure_of((__u64)skb, &slot);
	__u64 now_ns;

	if (!d || d->state != DEPARTURE_QUEUED)
		return false;
	now_ns = bpf_ktime_get_ns();
	on_departure(d, now_ns);
	if (departure_stages) {
		d->sent_ns = now_ns;
		d->state = DEPARTURE_SENT;
	} else {
		departure_forget(d, slot);
	}
	return true;
}

SEC("tp_btf/net_dev_start_xmit")
int BPF_PROG(tx_start_xmit, struct sk_buff *skb)
{
	departure_sent(skb);
	return 0;
}

SEC("?tp_btf/net_dev_xmit")
int BPF_PROG(stage_xmit, struct sk_buff *skb)
{
	struct departure *slot, *d = departure_of((__u64)skb, &slot);

	if (!d || d->state != DEPARTURE_SENT)
		return 0;
	on_driver_done(bpf_ktime_get_ns() - d->sent_ns);
	if (d->dev)
		d->state = DEPARTURE_OUT;
	else
		departure_forget(d, slot);
	return 0;
}

/*
 * An skb that is freed although no driver got it has been cut into several, or copied: its
 * copies are about to be sent. One that a driver got was sent.
 */
static __always_inline void departure_freed(struct sk_buff *skb)
{
	struct departure *slot, *d = departure_of((__u64)skb, &slot);

	if (!d)
		return;
	if (d->state == DEPARTURE_QUEUED) {
		if (departure_sent(skb))
			io_count(IO_TX_SEGMENTED);
	} else if (d->dev) {
		on_completion(bpf_ktime_get_ns() - d->sent_ns);
	}
	departure_forget(d, slot);
}

static __always_inline void departure_dropped(struct sk_buff *skb)
{
	struct departure *slot, *d = departure_of((__u64)skb, &slot);

	if (!d)
		return;
	if (d->state == DEPARTURE_QUEUED)
		io_count(IO_TX_DROPPED);
	departure_forget(d, slot);
}

/* The next message of a batch begins. */
SEC("?tp_btf/sock_send_length")
int BPF_PROG(tx_send_length, struct sock *sk, int ret)
{
	struct span *span;

	if (!filter_pass())
		return 0;
	span = sending_span(sk);
	if (!span)
		return 0;
	if (ret >= 0 && !(span->arg[0] & MESSAGE_QUEUED))
		io_count(IO_TX_LATER);
	span->arg[0] &= ~MESSAGE_QUEUED;
	if (span->id > 1)
		span->start_ns = bpf_ktime_get_ns();
	return 0;
}

#endif
