// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Where UDP datagrams wait between processes and drivers, and where they are dropped. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "filter.bpf.h"
#include "hist.bpf.h"
#include "io-latencies.h"
#include "kcompat.bpf.h"
#include "udp-arrival.bpf.h"
#include "udp-backend.bpf.h"
#include "udp-departure.bpf.h"
#include "udp-drops.bpf.h"

HIST(rx_latencies);
HIST(rx_queue);
HIST(rx_stack);
HIST(tx_latencies);
HIST(tx_completion);
HIST(tx_driver);
HIST(tx_qdisc);
HIST(tx_stack);

/* Ports that sockets of traced processes had. */
__u8 io_ports[IO_PORTS];

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, IO_COUNTS);
	__type(key, __u32);
	__type(value, __u64);
} io_counts SEC(".maps");

/* Each is counted by one program only, which does not interrupt itself. */
static __always_inline void io_count(enum io_count what)
{
	__u32 index = what;
	__u64 *n = bpf_map_lookup_elem(&io_counts, &index);

	if (n)
		++*n;
}

static __always_inline void on_port(__u32 port)
{
	__u8 *seen;

	/* The compiler knows that it is below; the verifier of 6.12 does not. */
	barrier_var(port);
	seen = &io_ports[port % IO_PORTS];
	/* Written once: CPUs share the line. */
	if (!*seen)
		*seen = 1;
}

/* Where sockets are followed, senders add to what readers add to, on the same CPU. */
static __always_inline void add_rx_latency(__u64 ns)
{
	__u32 zero = 0;
	struct hist *h = bpf_map_lookup_elem(&rx_latencies, &zero);

	if (h)
		hist_record(h, ns, 1, !arrival_by_freeing);
}

static __always_inline void on_arrival_known(__u64 arrived_ns, __u64 queued_ns, __u64 now_ns)
{
	add_rx_latency(now_ns - arrived_ns);
	if (!arrival_stages)
		return;
	if (queued_ns < arrived_ns) {
		io_count(IO_RX_UNSTAGED);
		return;
	}
	hist_add(&rx_stack, queued_ns - arrived_ns);
	hist_add(&rx_queue, now_ns - queued_ns);
}

static __always_inline void on_arrival_unknown(void)
{
	io_count(IO_RX_UNTIMED);
}

static __always_inline void on_arrival_known_late(__u64 arrived_ns, __u64 now_ns)
{
	io_count(IO_RX_LATE);
	add_rx_latency(now_ns - arrived_ns);
}

static __always_inline void on_departure(const struct departure *d, __u64 now_ns)
{
	hist_add(&tx_latencies, now_ns - d->begin_ns);
	if (!departure_stages)
		return;
	hist_add(&tx_stack, d->queued_ns - d->begin_ns);
	hist_add(&tx_qdisc, now_ns - d->queued_ns);
}

static __always_inline void on_driver_done(__u64 ns)
{
	hist_add(&tx_driver, ns);
}

static __always_inline void on_completion(__u64 ns)
{
	hist_add(&tx_completion, ns);
}

/* A call's begin is in its span, which is all that is needed here. */
static __always_inline void udp_on_begin(enum udp_call call, __u32 vlen, struct sock *sk)
{
}

static __always_inline void udp_on_end(const struct udp_ended *ended, long ret)
{
}

SEC("tp_btf/consume_skb")
int BPF_PROG(freed_consume, struct sk_buff *skb)
{
	if (filter_off)
		return 0;
	departure_freed(skb);
	if (arrival_by_freeing)
		arrival_freed(skb);
	return 0;
}

SEC("?tp_btf/kfree_skb")
int BPF_PROG(drop_reason_kfree, struct sk_buff *skb, void *location, __u32 reason)
{
	if (filter_off)
		return 0;
	departure_dropped(skb);
	drop_seen(skb, reason);
	return 0;
}

SEC("?tp_btf/kfree_skb")
int BPF_PROG(drop_plain_kfree, struct sk_buff *skb)
{
	if (!filter_off)
		departure_dropped(skb);
	return 0;
}

/* Since 5.17 (c504e5c2f964), as the reason that kfree_skb tells. */
enum skb_drop_reason { SKB_DROP_REASON };

/*
 * Never loaded. User space asks these questions of the kernel's BTF (choose_programs()): a file
 * that was made of what this object reads has the answers then.
 */
SEC("?tp_btf/consume_skb")
int BPF_PROG(asked_by_user_space)
{
	return bpf_core_type_exists(struct udp_prod_queue) +
	       bpf_core_type_exists(struct trace_event_raw_sk_data_ready) +
	       bpf_core_type_exists(struct trace_event_raw_sock_msg_length) +
	       bpf_core_type_exists(enum skb_drop_reason);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
