/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Records of TLS calls with their payload, on the way to user space. The payload is copied once,
 * from the process right into the ring. A record's size must be a constant where it is reserved,
 * so there are some sizes; the reader is told how much of it is used.
 */
#ifndef WIRESCOPE_TLS_RECORD_BPF_H
#define WIRESCOPE_TLS_RECORD_BPF_H

#include <bpf/bpf_helpers.h>
#include "lost.bpf.h"
#include "pidns.bpf.h"
#include "ring.bpf.h"
#include "tls-connections.bpf.h"
#include "tls-frames.bpf.h"
#include "tls-settings.bpf.h"

#define TLS_PIECES_UNLOOPED 64        /* of a call, where the kernel has no bpf_loop() (5.17) */
#define TLS_PIECES          (1 << 23) /* the most that bpf_loop() takes: of 128 GiB */

/* What there is to say of a call, but for what it moved. */
static __always_inline void tls_fill_record(struct tls_thread *t, const struct tls_frame *f,
					    const struct tls_connection *c, __u64 cookie)
{
	struct tls_record *r = &t->record;
	__u32 library = TLS_COOKIE_LIBRARY(cookie);
	struct tls_library_info *info = bpf_map_lookup_elem(&tls_infos, &library);

	r->end_ns = bpf_ktime_get_ns();
	r->latency_ns = r->end_ns - f->begin_ns;
	r->tgid = pidns_current(true);
	r->tid = pidns_current(false);
	r->uid = bpf_get_current_uid_gid();
	bpf_get_current_comm(r->comm, sizeof(r->comm));
	r->lib = library;
	r->api = info ? info->api : 0;
	r->version = r->cipher = r->error = r->error_library = r->calls = 0;
	r->connection = 0;
	r->fd = -1;
	r->local.family = r->remote.family = 0;
	if (!c)
		return;
	r->connection = c->number;
	r->fd = c->fd;
	r->local = c->local;
	r->remote = c->remote;
}

/* So much of it is asked for. */
static __always_inline __u64 tls_limit_payload(struct tls_record *r, struct tls_connection *c)
{
	__u64 wanted = r->len, left;

	if (tls_no_data || r->flags & TLS_FILE)
		return 0;
	if (tls_max_bytes && wanted > tls_max_bytes)
		wanted = tls_max_bytes;
	if (!tls_budget)
		return wanted;
	if (!c) {
		r->flags |= TLS_SPENT;
		return 0;
	}
	/* Two threads, one that reads and one that writes, may have spent more than there was. */
	left = c->captured < tls_budget ? tls_budget - c->captured : 0;
	if (wanted > left) {
		wanted = left;
		r->flags |= TLS_SPENT;
	}
	c->captured += wanted;
	return wanted;
}

/* Reserve room for a payload of up to `bytes`, read it, and submit; returns an error or 0. */
#define TLS_SUBMIT(bytes)                                                            \
	do {                                                                         \
		struct {                                                             \
			struct tls_record record;                                    \
			__u8 payload[bytes];                                         \
		} *out = bpf_ringbuf_reserve(&ring, sizeof(*out), 0);                \
		if (!out)                                                            \
			return -1;                                                   \
		if (size && bpf_probe_read_user(out->payload, size, (void *)from)) { \
			t->record.flags |= TLS_UNREADABLE;                           \
			t->record.captured = t->record.offset;                       \
			t->record.size = 0;                                          \
		}                                                                    \
		out->record = t->record;                                             \
		bpf_ringbuf_submit(out, 0);                                          \
		return 0;                                                            \
	} while (0)

/*
 * One piece of what has moved in the call that the thread has ended. As a function of its own
 * (not a static one) the verifier goes through it once.
 */
__noinline int tls_submit_piece(struct tls_thread *t)
{
	__u64 from, size;

	if (!t)
		return -1;
	from = t->buf + t->record.offset;
	size = t->record.captured - t->record.offset;
	if (size > TLS_PAYLOAD_MAX)
		size = TLS_PAYLOAD_MAX;
	barrier_var(size);
	t->record.size = size;
	if (!size)
		TLS_SUBMIT(8);
	if (size <= 128)
		TLS_SUBMIT(128);
	if (size <= 512)
		TLS_SUBMIT(512);
	if (size <= 1536)
		TLS_SUBMIT(1536);
	if (size <= 4096)
		TLS_SUBMIT(4096);
	if (size <= 8192)
		TLS_SUBMIT(8192);
	if (size <= TLS_PAYLOAD_MAX)
		TLS_SUBMIT(TLS_PAYLOAD_MAX);
	return 0;
}

struct tls_pieces {
	int err;
};

/* 1 once there is no more. */
static long tls_submit_next(__u32 nr, struct tls_pieces *p)
{
	struct tls_thread *t = tls_thread_current(false);

	if (!t)
		return 1;
	t->record.offset += t->record.size;
	if (!t->record.size || t->record.offset >= t->record.captured)
		return 1;
	p->err = tls_submit_piece(t);
	return p->err ? 1 : 0;
}

static __always_inline int tls_submit_others(void)
{
	struct tls_pieces p = {};

	if (kernel_has_helper(loop)) {
		bpf_loop(TLS_PIECES, tls_submit_next, &p, 0);
		return p.err;
	}
	for (int i = 0; i < TLS_PIECES_UNLOOPED; i++) {
		if (tls_submit_next(i, &p))
			return p.err;
	}
	return -1;
}

/* All of a record that is made but for its payload; c may be NULL. */
__noinline int tls_submit(struct tls_thread *t, struct tls_connection *c)
{
	int err;

	if (!t)
		return 0;
	t->record.offset = 0;
	t->record.lost_calls = c ? c->lost_calls : 0;
	t->record.lost_bytes = c ? c->lost_bytes : 0;
	err = tls_submit_piece(t);
	if (!err && c)
		c->lost_calls = c->lost_bytes = 0;
	if (!err && t->record.captured > TLS_PAYLOAD_MAX) {
		t->record.lost_calls = 0;
		t->record.lost_bytes = 0;
		err = tls_submit_others();
	}
	if (t->record.flags & TLS_UNREADABLE)
		lost_inc(LOST_FAULT);
	if (!err)
		return 0;
	/* A call of which a part was seen was seen. */
	lost_inc(t->record.offset ? LOST_CUT : LOST_RING_FULL);
	if (c) {
		c->lost_calls += !t->record.offset;
		c->lost_bytes += t->record.captured - t->record.offset;
	}
	return err;
}

/* The record of a handshake, whose payload is the name of the server as far as it is known. */
__noinline int tls_submit_handshake(struct tls_thread *t, struct tls_connection *c, __u32 library)
{
	struct {
		struct tls_record record;
		struct tls_name name;
	} * out;
	struct tls_handle key;
	struct tls_name *name;
	__u64 at = 0;
	long len = 0;

	if (!t || !c)
		return 0;
	key = tls_handle_of(t->buf);
	name = bpf_map_lookup_elem(&tls_names, &key);
	out = bpf_ringbuf_reserve(&ring, sizeof(*out), 0);
	if (!out) {
		lost_inc(LOST_RING_FULL);
		c->lost_calls++;
		return 0;
	}
	if (name)
		len = bpf_probe_read_kernel_str(&out->name, sizeof(out->name), name);
	else if (!tls_read_info(library, TLS_FIELD_SERVER_NAME, t->buf, &at) && at)
		len = bpf_probe_read_user_str(&out->name, sizeof(out->name), (void *)at);
	t->record.size = len > 1 ? len - 1 : 0;
	t->record.len = t->record.captured = t->record.offset = 0;
	t->record.lost_calls = c->lost_calls;
	t->record.lost_bytes = c->lost_bytes;
	c->lost_calls = c->lost_bytes = 0;
	out->record = t->record;
	bpf_ringbuf_submit(out, 0);
	return 0;
}

#endif
