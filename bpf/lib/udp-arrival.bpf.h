/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The time at which a datagram that a traced process reads has come into the kernel: skb->tstamp,
 * which the kernel sets while somebody wants it (user/lib/stamping.c does). The end of the read is
 * seen in one of two ways:
 *   freed_*  the datagram's skb is freed by its reader: up to Linux 6.17
 *   head_*   sockets remember when the datagram at the head of their queue came
 */
#ifndef WIRESCOPE_UDP_ARRIVAL_BPF_H
#define WIRESCOPE_UDP_ARRIVAL_BPF_H

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "filter.bpf.h"
#include "io-latencies.h"
#include "kcompat.bpf.h"
#include "skb-slot.bpf.h"
#include "socket.bpf.h"

#define MSG_PEEK     0x2
#define MSG_ERRQUEUE 0x2000
#define EAGAIN       11
#define EFAULT       14

const volatile bool arrival_stages;     /* when it came into the socket's queue too */
const volatile bool arrival_by_freeing; /* as the programs that are loaded */

/*
 * What has to be subtracted from a clock to get CLOCK_REALTIME, which stamps are of. CLOCK_TAI
 * (6.1) is set whenever that is, and the difference stays the same.
 */
__s64 arrival_tai_ns;
__s64 arrival_monotonic_ns;

/* How long a datagram that was read has been under way; queued_ns: 0 if not known. */
static __always_inline void on_arrival_known(__u64 arrived_ns, __u64 queued_ns, __u64 now_ns);
static __always_inline void on_arrival_unknown(void);
/* Of one that was reported as unknown before. */
static __always_inline void on_arrival_known_late(__u64 arrived_ns, __u64 now_ns);
static __always_inline void on_port(__u32 port);

static __always_inline __u64 real_time_ns(void)
{
	if (kernel_has_helper(ktime_get_tai_ns))
		return bpf_ktime_get_tai_ns() - arrival_tai_ns;
	return bpf_ktime_get_ns() - arrival_monotonic_ns;
}

/*
 * When an skb came into a socket's queue, in a slot for its address. One that meets another one
 * there is told as not known.
 */
struct arrival_queued {
	__u64 skb;
	__u64 ns;
};

#define ARRIVAL_SLOTS 16384

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ARRIVAL_SLOTS);
	__type(key, __u32);
	__type(value, struct arrival_queued);
} arrivals_queued SEC(".maps");

static __always_inline struct arrival_queued *queued_slot(__u64 skb)
{
	__u32 slot = skb_slot(skb, ARRIVAL_SLOTS);

	return bpf_map_lookup_elem(&arrivals_queued, &slot);
}

static __always_inline __u64 take_queued_ns(__u64 skb)
{
	struct arrival_queued *queued = arrival_stages ? queued_slot(skb) : NULL;

	if (!queued || queued->skb != skb)
		return 0;
	queued->skb = 0;
	return queued->ns;
}

static __always_inline void arrival_read(__u64 arrived_ns, __u64 skb, __u64 now_ns)
{
	__u64 queued_ns = take_queued_ns(skb);

	/* The clock was set back, or there was no stamp. */
	if (!arrived_ns || arrived_ns > now_ns)
		on_arrival_unknown();
	else
		on_arrival_known(arrived_ns, queued_ns, now_ns);
}

static __always_inline bool is_udp(const struct sock *sk)
{
	__u16 family;

	if (kernel_read(sk, sk_protocol) != IPPROTO_UDP || kernel_read(sk, sk_type) != SOCK_DGRAM)
		return false;
	family = kernel_read(sk, __sk_common.skc_family);
	return family == AF_INET || family == AF_INET6;
}

/*
 * The address of the device, which nobody needs any more, makes room for sizes once an skb is in
 * the queue of a UDP socket: a number whose upper bits no address has.
 */
static __always_inline bool was_in_udp_queue(struct sk_buff *skb)
{
	return (__s64)kernel_read(skb, dev_scratch) > 0;
}

static __always_inline __u16 udp_dest_port(struct sk_buff *skb)
{
	void *udp = kernel_read(skb, head) + kernel_read(skb, transport_header);

	return bpf_ntohs(socket_read(udp, struct udphdr, dest));
}

static __always_inline void arrival_freed(struct sk_buff *skb)
{
	if (!was_in_udp_queue(skb) || !filter_pass())
		return;
	arrival_read(kernel_read(skb, tstamp), (__u64)skb, real_time_ns());
	on_port(udp_dest_port(skb));
}

/*
 * One word for each socket, that readers and senders on other CPUs change at once: nanoseconds
 * (their low 48 bits: no datagram waits for three days), how many datagrams were read (15 bits),
 * and whether the time is to be replaced when the next datagram comes: if the kernel has dropped
 * the one that it is of, or if a reader has taken it already, or will never ask.
 */
struct arrival_head {
	__u64 word;
	__u64 skb;       /* which one, with arrival_stages */
	__u64 debt;      /* a datagram was read at this time, before its sender told that it came */
	__u64 latest_ns; /* what came last, unless that was read; 48 bits */
};

#define HEAD_NS_SHIFT 16
#define HEAD_UNSURE   1ULL
#define HEAD_SEQ      0xfffeULL
#define HEAD_SEQ_ONE  2ULL
#define HEAD_TRIES    4

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct arrival_head);
} arrival_heads SEC(".maps");

static __always_inline struct sk_buff *list_next(void *sk, __u32 offset)
{
	struct sk_buff_head *list = sk + offset;
	struct sk_buff *next = socket_read(list, struct sk_buff_head, next);

	return (void *)next == (void *)list ? NULL : next;
}

/* A reader moves what has come, all at once, from one list to the other: look there again. */
static __always_inline struct sk_buff *queue_head(void *sk)
{
	__u32 read = bpf_core_field_offset(struct udp_sock, reader_queue);
	__u32 come = bpf_core_field_offset(struct sock, sk_receive_queue);

	return list_next(sk, read) ?: list_next(sk, come) ?: list_next(sk, read);
}

/*
 * Only if the word is what it was: else somebody knows better. last_ns: of a datagram that has
 * just come; if it is not there, a reader has it in its hands.
 */
static __always_inline bool learn_head(struct arrival_head *head, void *sk, __u64 word,
				       __u64 last_ns)
{
	struct sk_buff *skb = queue_head(sk);
	__u64 ns = 0, flag = 0;

	if (skb)
		ns = socket_read(skb, struct sk_buff, tstamp);
	/* It may have been read and freed meanwhile. */
	if (!skb || queue_head(sk) != skb) {
		ns = last_ns;
		flag = HEAD_UNSURE;
	}
	if (!ns)
		return true;
	if (arrival_stages)
		head->skb = (__u64)skb;
	return __sync_val_compare_and_swap(&head->word, word,
					   ns << HEAD_NS_SHIFT | (word & HEAD_SEQ) | flag) == word;
}

/* What this CPU took in last. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} arrival_last SEC(".maps");

SEC("?tp_btf/netif_receive_skb")
int BPF_PROG(head_receive, struct sk_buff *skb)
{
	__u32 zero = 0;
	__u64 *last = bpf_map_lookup_elem(&arrival_last, &zero);

	if (last)
		*last = kernel_read(skb, tstamp);
	return 0;
}

static __always_inline __u64 last_arrival_ns(void)
{
	__u32 zero = 0;
	__u64 *last = bpf_map_lookup_elem(&arrival_last, &zero);

	return last ? *last : 0;
}

/* The reader was faster than the rest of this packet's way: it could not know the stamp. */
static __always_inline bool pay_debt(struct arrival_head *head, __u64 last_ns)
{
	__u64 read_ns;

	if (!*(volatile __u64 *)&head->debt)
		return false;
	read_ns = __sync_lock_test_and_set(&head->debt, 0);
	if (!read_ns || !last_ns || last_ns > read_ns)
		return false;
	on_arrival_known_late(last_ns, read_ns);
	return true;
}

static __always_inline void note_queued(struct sock *sk)
{
	__u32 offset = bpf_core_field_offset(struct sock, sk_receive_queue);
	struct sk_buff_head *list = (void *)sk + offset;
	struct sk_buff *tail = socket_read(list, struct sk_buff_head, prev);
	struct arrival_queued *queued = queued_slot((__u64)tail);

	if ((void *)tail == (void *)list || !queued)
		return;
	queued->ns = real_time_ns();
	queued->skb = (__u64)tail;
}

SEC("?tp_btf/sk_data_ready")
int BPF_PROG(stage_data_ready, struct sock *sk)
{
	if (is_udp(sk))
		note_queued(sk);
	return 0;
}

static __always_inline void come(struct arrival_head *head, void *sk)
{
	__u64 last_ns = last_arrival_ns(), word;
	bool paid = pay_debt(head, last_ns);

	if (!paid)
		*(volatile __u64 *)&head->latest_ns = last_ns << HEAD_NS_SHIFT >> HEAD_NS_SHIFT;
	word = *(volatile __u64 *)&head->word;
	if (word >> HEAD_NS_SHIFT && !(word & HEAD_UNSURE))
		return;
	if (!learn_head(head, sk, word, paid ? 0 : last_ns) && !paid)
		pay_debt(head, last_ns);
}

SEC("?tp_btf/sk_data_ready")
int BPF_PROG(head_data_ready, struct sock *sk)
{
	struct arrival_head *head;

	if (!is_udp(sk))
		return 0;
	if (arrival_stages)
		note_queued(sk);
	head = bpf_sk_storage_get(&arrival_heads, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!head) {
		lost_inc(LOST_MAP_FULL);
		return 0;
	}
	come(head, sk);
	return 0;
}

/*
 * A reader that found nothing: whatever is known of the head, it is not there any more. But
 * another reader may have it in its hands: doubt first, then forget.
 */
static __always_inline void head_missed(struct arrival_head *head, void *sk)
{
	__u64 word = *(volatile __u64 *)&head->word, next = word | HEAD_UNSURE;

	if (!(word >> HEAD_NS_SHIFT) || queue_head(sk))
		return;
	if (word & HEAD_UNSURE)
		next = word & HEAD_SEQ;
	__sync_val_compare_and_swap(&head->word, word, next);
}

/*
 * Take the word out. Whoever finds no time leaves a debt first: a sender that comes too late to
 * put the time there must find that. 0 if there is none, or if one has paid meanwhile.
 */
static __always_inline __u64 head_take(struct arrival_head *head, __u64 now_ns, __u64 *next)
{
	__u64 word = *(volatile __u64 *)&head->word, latest_ns, seen, ns;
	bool owes = false;

	for (int i = 0; i < HEAD_TRIES; i++) {
		if (!(word >> HEAD_NS_SHIFT) && now_ns && !owes) {
			__sync_lock_test_and_set(&head->debt, now_ns);
			owes = true;
		}
		*next = (word + HEAD_SEQ_ONE) & HEAD_SEQ;
		seen = __sync_val_compare_and_swap(&head->word, word, *next);
		if (seen == word)
			break;
		word = seen;
	}
	ns = word >> HEAD_NS_SHIFT;
	latest_ns = *(volatile __u64 *)&head->latest_ns;
	/* Several readers at once: this one has what came last, another one was faster. */
	if (!ns)
		ns = latest_ns;
	/* If somebody has paid, this is what was counted as unknown. */
	if (ns && owes && __sync_val_compare_and_swap(&head->debt, now_ns, 0) != now_ns)
		return 0;
	if (ns >= latest_ns)
		head->latest_ns = 0;
	return ns;
}

static __always_inline void head_read(struct arrival_head *head, void *sk, bool record)
{
	__u64 now_ns = record ? real_time_ns() : 0, skb = head->skb, next, ns;

	ns = head_take(head, now_ns, &next);
	/* Again with the upper bits, which are those of now. */
	if (ns)
		ns = now_ns - ((now_ns - ns) << HEAD_NS_SHIFT >> HEAD_NS_SHIFT);
	if (record)
		arrival_read(ns, skb, now_ns);
	else
		take_queued_ns(skb);
	learn_head(head, sk, next, 0);
}

SEC("?tp_btf/sock_recv_length")
int BPF_PROG(head_recv_length, struct sock *sk, int ret, int flags)
{
	struct arrival_head *head;
	bool traced;

	if (!is_udp(sk) || flags & (MSG_PEEK | MSG_ERRQUEUE))
		return 0;
	traced = filter_pass();
	if (traced)
		on_port(kernel_read(sk, __sk_common.skc_num));
	head = bpf_sk_storage_get(&arrival_heads, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!head)
		lost_inc(LOST_MAP_FULL);
	else if (ret >= 0 || ret == -EFAULT) /* which takes the datagram, too */
		head_read(head, sk, traced && ret >= 0);
	else if (ret == -EAGAIN)
		head_missed(head, sk);
	return 0;
}

#endif
