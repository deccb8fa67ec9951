/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The messages of a call, as the program that made it has them: struct mmsghdr (or msghdr) with
 * their control messages, of both ABIs.
 *
 * Reading the memory of a process costs 20 ns however little is read, so it is read ahead: up to
 * MESSAGES_CHUNK headers at once, and of control messages, which programs tend to keep in an
 * array too, all up to the last one if they follow each other at some distance.
 */
#ifndef WIRESCOPE_MESSAGES_BPF_H
#define WIRESCOPE_MESSAGES_BPF_H

#include <bpf/bpf_helpers.h>
#include "lost.bpf.h"
#include "udp-calls.bpf.h"

#define MSG_TRUNC   0x20
#define SOL_UDP     17
#define UDP_SEGMENT 103 /* include/uapi/linux/udp.h: asks for GSO */
#define UDP_GRO     104 /* tells of GRO */

#define MESSAGES_CHUNK   MMSG_CHUNK
#define CONTROL_WORDS    1024 /* 4 KiB are read ahead */
#define CONTROL_BYTES    (CONTROL_WORDS * 4)
#define CONTROL_DISTANCE 512 /* the longest of an array's elements */
#define CONTROL_MAX      1024
#define CONTROL_CNT      16
#define IOV_MAX_READ     8

struct messages {
	__u32 words[MESSAGES_CHUNK * MMSG_WORDS];
	__u64 control_at; /* what is read ahead: its address, and how much it is */
	__u32 control_bytes;
	__u32 single_len; /* of a msghdr, which has none of its own */
	__u32 control[CONTROL_WORDS];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct messages);
} messages SEC(".maps");

struct message {
	__u32 len;
	__u32 flags;
	__u64 control;
	__u32 control_len;
	__u32 iov_cnt;
	__u64 iov;
};

static __always_inline struct messages *current_messages(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&messages, &zero);
}

/* Bytes from one message of a call to the next. */
static __always_inline __u32 messages_step(__u32 call)
{
	return (call & UDP_COMPAT ? MMSG_WORDS_32 : MMSG_WORDS) * sizeof(__u32);
}

/* Forget what was read of another call. */
static __always_inline void messages_begin(void)
{
	struct messages *m = current_messages();

	if (m)
		m->control_bytes = 0;
}

static __always_inline void messages_set_len(__u32 len)
{
	struct messages *m = current_messages();

	if (m)
		m->single_len = len;
}

/* Read the first n messages at vec, at most MESSAGES_CHUNK; NULL (and lost) if that fails. */
static __always_inline struct messages *messages_read(__u64 vec, __u32 n, __u32 call)
{
	struct messages *m = current_messages();
	__u32 bytes = (n > MESSAGES_CHUNK ? MESSAGES_CHUNK : n) * messages_step(call);

	if (!m)
		return NULL;
	/* A msghdr ends where an mmsghdr has its length. */
	if (!(call & UDP_BATCH))
		bytes = (call & UDP_COMPAT ? MMSG_LEN_32 : MMSG_LEN) * sizeof(__u32);
	/* The compiler knows that this cannot be, and would leave it out: the verifier does not. */
	barrier_var(bytes);
	if (bytes > sizeof(m->words))
		return NULL;
	if (bpf_probe_read_user(m->words, bytes, (void *)vec)) {
		lost_inc(LOST_FAULT);
		return NULL;
	}
	return m;
}

/* Word number `at` of message i. */
static __always_inline __u32 message_word(struct messages *m, __u32 i, __u32 at, __u32 call)
{
	__u32 words = call & UDP_COMPAT ? MMSG_WORDS_32 : MMSG_WORDS;

	return m->words[(i * words + at) % (MESSAGES_CHUNK * MMSG_WORDS)];
}

#define message_long(m, i, at, call) \
	(message_word(m, i, at, call) | (__u64)message_word(m, i, (at) + 1, call) << 32)

/* include/linux/socket.h: struct user_msghdr, compat_msghdr */
static __always_inline struct message messages_at(struct messages *m, __u32 i, __u32 call)
{
	struct message msg;

	if (call & UDP_COMPAT) {
		msg.iov = message_word(m, i, 2, call);
		msg.iov_cnt = message_word(m, i, 3, call);
		msg.control = message_word(m, i, 4, call);
		msg.control_len = message_word(m, i, 5, call);
		msg.flags = message_word(m, i, 6, call);
		msg.len = message_word(m, i, MMSG_LEN_32, call);
	} else {
		msg.iov = message_long(m, i, 4, call);
		msg.iov_cnt = message_word(m, i, 6, call);
		msg.control = message_long(m, i, 8, call);
		msg.control_len = message_word(m, i, 10, call);
		msg.flags = message_word(m, i, 12, call);
		msg.len = message_word(m, i, MMSG_LEN, call);
	}
	if (!(call & UDP_BATCH))
		msg.len = m->single_len;
	return msg;
}

/* How far to read for message i of n and those behind it; 0: they are not an array. */
static __always_inline __u32 control_ahead(struct messages *m, __u64 control, __u32 len, __u32 i,
					   __u32 n, __u32 call)
{
	__u64 distance = messages_at(m, i + 1, call).control - control, bytes;

	if (i + 1 >= n || i + 1 >= MESSAGES_CHUNK || distance > CONTROL_DISTANCE)
		return 0;
	bytes = distance * (n - i - 1) + len;
	return bytes > CONTROL_BYTES ? CONTROL_BYTES : bytes;
}

/* Read len bytes of control messages at least, and more ahead if there are. */
static __noinline int control_read(struct messages *m, __u64 control, __u32 len, __u32 ahead)
{
	m->control_at = control;
	m->control_bytes = ahead;
	if (ahead > len && ahead <= CONTROL_BYTES &&
	    !bpf_probe_read_user(m->control, ahead, (void *)control))
		return 0;
	m->control_bytes = len;
	if (len <= CONTROL_MAX && !bpf_probe_read_user(m->control, len, (void *)control))
		return 0;
	m->control_bytes = 0;
	lost_inc(LOST_FAULT);
	return -1;
}

#define control_word(m, at) ((m)->control[(at) % CONTROL_WORDS])

/* Said by a control message; it can be 0, which is not the same as none. */
#define GSO_SAID    0x10000
#define GSO_SIZE(x) ((x)&0xffff)

/*
 * The UDP_SEGMENT (UDP_GRO of received ones) among control messages of some words; 0: none. Of
 * several the last one counts, as in the kernel. What there was no room for has been cut off.
 */
static __always_inline __u32 find_gso(struct messages *m, __u32 at, __u32 end, __u32 call)
{
	__u32 wanted = call & UDP_RX ? UDP_GRO : UDP_SEGMENT, found = 0;
	/* struct cmsghdr: a long, two ints; compat_cmsghdr: three ints. Aligned to a long. */
	__u32 long_words = call & UDP_COMPAT ? 1 : 2, header = long_words + 2;

	for (int i = 0; i < CONTROL_CNT; i++) {
		__u32 bytes;

		if (at + header > end)
			return found;
		bytes = control_word(m, at);
		if (control_word(m, at + long_words) == SOL_UDP &&
		    control_word(m, at + long_words + 1) == wanted &&
		    bytes >= header * 4 + sizeof(__u16))
			found = GSO_SAID | GSO_SIZE(control_word(m, at + header));
		if (bytes < header * 4 || bytes > CONTROL_MAX)
			return found;
		/* Shifts and masks: a division is slow, and each message comes by here. */
		at += ((bytes + 3) / 4 + long_words - 1) & -long_words;
	}
	if (at + header <= end)
		lost_inc(LOST_LONG);
	return found;
}

/*
 * What the control messages of message i of n, which are len bytes at control, say of the size of
 * its datagrams; 0: nothing.
 */
__noinline __u32 messages_gso(__u64 control, __u32 len, __u32 i, __u32 n, __u32 call)
{
	struct messages *m = current_messages();
	__u64 at;

	if (!m || i >= MESSAGES_CHUNK)
		return 0;
	if (len > CONTROL_MAX) {
		lost_inc(LOST_LONG);
		len = CONTROL_MAX;
	}
	at = control - m->control_at;
	if (at + len > m->control_bytes || at >= CONTROL_BYTES || at % 4) {
		if (control_read(m, control, len, control_ahead(m, control, len, i, n, call)))
			return 0;
		at = 0;
	}
	return find_gso(m, at / 4, (at + len) / 4, call);
}

/* The same of the first message of a call that failed. */
static __always_inline __u32 messages_first_gso(__u64 vec, __u32 call)
{
	struct messages *m;
	struct message msg;

	messages_begin();
	m = messages_read(vec, 1, call);
	if (!m)
		return 0;
	msg = messages_at(m, 0, call);
	return msg.control_len ? messages_gso(msg.control, msg.control_len, 0, 1, call) : 0;
}

/* Bytes that a message that was cut off has room for; `len` if they are in too many parts. */
static __always_inline __u32 messages_room(__u64 iov, __u32 iov_cnt, __u32 len, __u32 call)
{
	__u32 words = call & UDP_COMPAT ? 2 : 4;
	__u32 iovs[IOV_MAX_READ * 4] = {}, room = 0;

	__u32 bytes = iov_cnt * words * 4;

	if (iov_cnt > IOV_MAX_READ)
		return len;
	barrier_var(bytes);
	if (bytes > sizeof(iovs))
		return 0;
	if (bpf_probe_read_user(iovs, bytes, (void *)iov)) {
		lost_inc(LOST_FAULT);
		return 0;
	}
	for (__u32 i = 0; i < IOV_MAX_READ && i < iov_cnt; i++)
		room += iovs[(i * words + words / 2) % (IOV_MAX_READ * 4)];
	return room;
}

#endif
