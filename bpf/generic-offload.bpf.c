// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * GSO and GRO as programs ask for it and get it: of each message that a system call sent or
 * received on a UDP socket, the size of its datagrams and how many they are.
 */
#include "vmlinux.h"
#include <asm/errno.h>
#include <bpf/bpf_helpers.h>
#include "generic-offload.h"
#include "hist.bpf.h"
#include "messages.bpf.h"
#include "socket.bpf.h"
#include "syscall.h"
#include "udp-backend.bpf.h"

HIST(gro_count);
HIST(gro_size);
HIST(gso_count);
HIST(gso_size);
COUNT_ARRAY(gso_errors, errno_nr, ERRNO_MAX);

/* By the bytes that a message had room for. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct count);
} rx_truncated SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, OFFLOAD_PORTS);
	__type(key, __u32);
	__type(value, struct offload_port);
} ports SEC(".maps");

/* What a call moved so far; the last messages, as long as they are alike, are still to be added. */
struct tally {
	__u64 messages;
	__u64 datagrams;
	__u64 bytes;
	__u64 offloaded;
	__u32 alike;
	__u32 len;
	__u32 size;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tally);
} tallies SEC(".maps");

__u64 ports_left_out;                /* calls on ports that found no room in their map */
bool calls_seen[OFFLOAD_DIRECTIONS]; /* that failed, or received no datagram */
__u64 sends_kept;                    /* that left a datagram unfinished: MSG_MORE, UDP_CORK */

static __always_inline struct tally *current_tally(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&tallies, &zero);
}

/* Add the messages that were alike. Sizes are known by now: see take_message(). */
__noinline int flush_alike(__u32 call)
{
	struct tally *t = current_tally();
	__u32 count;

	if (!t || !t->alike)
		return 0;
	count = t->size ? (t->len + t->size - 1) / t->size : 1;
	if (call & UDP_RX) {
		hist_add_times(&gro_count, count, t->alike);
		hist_add_times(&gro_size, t->size, t->alike);
	} else {
		hist_add_times(&gso_count, count, t->alike);
		hist_add_times(&gso_size, t->size, t->alike);
	}
	t->messages += t->alike;
	t->datagrams += (__u64)count * t->alike;
	t->bytes += (__u64)t->len * t->alike;
	if (count > 1)
		t->offloaded += t->alike;
	t->alike = 0;
	return 0;
}

/*
 * A message of len bytes, to be cut (or put together) by gso. One that fits is not: the kernel
 * sends it as it is.
 */
static __always_inline void take_message(struct tally *t, __u32 call, __u32 len, __u32 gso)
{
	__u32 size = gso && len > gso ? gso : len;

	if (t->alike && (t->len != len || t->size != size))
		flush_alike(call);
	t->len = len;
	t->size = size;
	t->alike++;
}

__noinline int count_truncated(__u64 iov, __u32 iov_cnt, __u32 len, __u32 call)
{
	struct count one = {1}, *seen;
	__u32 room = messages_room(iov, iov_cnt, len, call);

	seen = bpf_map_lookup_elem(&rx_truncated, &room);
	if (seen)
		__sync_fetch_and_add(&seen->n, 1);
	else if (bpf_map_update_elem(&rx_truncated, &room, &one, BPF_NOEXIST))
		lost_inc(LOST_MAP_FULL);
	return 0;
}

/* Message i of n. Not static, as the next one: verified once, not for each time around a loop. */
__noinline int take_one(__u32 i, __u32 n, __u32 call, __u32 socket_gso)
{
	struct messages *m = current_messages();
	struct tally *t = current_tally();
	struct message msg;
	__u32 said;

	if (!m || !t || i >= MESSAGES_CHUNK)
		return 0;
	msg = messages_at(m, i, call);
	said = msg.control_len ? messages_gso(msg.control, msg.control_len, i, n, call) : 0;
	if (call & UDP_RX && msg.flags & MSG_TRUNC)
		count_truncated(msg.iov, msg.iov_cnt, msg.len, call);
	take_message(t, call, msg.len, said ? GSO_SIZE(said) : socket_gso);
	return 0;
}

/* Take the first n messages at vec, at most MESSAGES_CHUNK. */
__noinline int take_chunk(__u64 vec, __u32 n, __u32 call, __u32 socket_gso)
{
	if (!messages_read(vec, n, call))
		return 0;
	for (__u32 i = 0; i < MESSAGES_CHUNK && i < n; i++)
		take_one(i, n, call, socket_gso);
	return 0;
}

static __always_inline struct offload_port *port_of(struct sock *sk)
{
	static const struct offload_port none;
	__u32 port = socket_read(sk, struct sock, __sk_common.skc_num);
	struct offload_port *p = bpf_map_lookup_elem(&ports, &port);

	if (p)
		return p;
	bpf_map_update_elem(&ports, &port, &none, BPF_NOEXIST);
	p = bpf_map_lookup_elem(&ports, &port);
	if (!p)
		__sync_fetch_and_add(&ports_left_out, 1);
	return p;
}

#define add_if(to, n)                                   \
	do {                                            \
		if (n)                                  \
			__sync_fetch_and_add(&(to), n); \
	} while (0)

static __always_inline void add_to_port(const struct udp_ended *ended, const struct tally *t,
					__u64 moved)
{
	enum udp_call call = ended->call;
	struct offload_port *port = port_of(ended->sk);
	struct offload_flow *flow;

	if (!port)
		return;
	flow = &port->flow[call & UDP_RX ? OFFLOAD_RX : OFFLOAD_TX];
	__sync_fetch_and_add(&flow->calls, 1);
	add_if(flow->messages, t->messages);
	add_if(flow->datagrams, t->datagrams);
	add_if(flow->bytes, t->bytes);
	add_if(flow->offloaded, t->offloaded);
	if (!(call & UDP_BATCH))
		return;
	if (ended->vlen > 1 && moved)
		__sync_fetch_and_add(&flow->batches, 1);
	if (ended->vlen > 1 && moved == 1)
		__sync_fetch_and_add(&flow->batches_of_one, 1);
	if (!(call & UDP_RX) && moved < ended->vlen)
		__sync_fetch_and_add(&flow->partial, 1);
}

static __always_inline void count_kept(struct sock *sk)
{
	if (socket_read(sk, struct udp_sock, pending))
		__sync_fetch_and_add(&sends_kept, 1);
}

static __always_inline __u32 socket_gso_size(const struct udp_ended *ended)
{
	struct sock *sk = ended->sk;

	return ended->call & UDP_RX ? 0 : socket_read(sk, struct udp_sock, gso_size);
}

/*
 * Of sends that were to be cut: others fail for reasons that have nothing to do with it, as does
 * one whose messages are not where it says.
 */
static __always_inline void count_error(const struct udp_ended *ended, long error)
{
	__u32 said = 0;

	if (ended->call & UDP_RX || is_restart(error) || error == EFAULT)
		return;
	if (ended->call & (UDP_BATCH | UDP_MSGHDR) && ended->vlen)
		said = messages_first_gso(ended->vec, ended->call);
	if (said ? GSO_SIZE(said) : socket_gso_size(ended))
		count_add_at(&gso_errors, error, 1);
}

static __always_inline void udp_on_begin(enum udp_call call, __u32 vlen, struct sock *sk)
{
}

static __always_inline void udp_on_end(const struct udp_ended *ended, long ret)
{
	enum udp_call call = ended->call;
	struct tally *t = current_tally();
	__u32 step = messages_step(call), gso;

	if (ret < 0 || call & UDP_ASIDE) {
		calls_seen[call & UDP_RX ? OFFLOAD_RX : OFFLOAD_TX] = true;
		if (ret < 0)
			count_error(ended, -ret);
		return;
	}
	if (!t)
		return;
	__builtin_memset(t, 0, sizeof(*t));
	messages_begin();
	gso = socket_gso_size(ended);
	if (call & UDP_BATCH) {
		for (__u32 i = 0; i < MMSG_MAX && i < ret; i += MESSAGES_CHUNK)
			take_chunk(ended->vec + (__u64)i * step, ret - i, call, gso);
	} else if (call & UDP_MSGHDR) {
		messages_set_len(ret);
		take_chunk(ended->vec, 1, call, gso);
	} else {
		take_message(t, call, ret, gso);
	}
	flush_alike(call);
	add_to_port(ended, t, ret);
	if (!(call & UDP_RX))
		count_kept(ended->sk);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
