/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Handshakes, which take several calls where sockets do not block, and which libraries also make
 * within the first read or write.
 */
#ifndef WIRESCOPE_TLS_HANDSHAKE_BPF_H
#define WIRESCOPE_TLS_HANDSHAKE_BPF_H

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "tls-connections.bpf.h"
#include "tls-frames.bpf.h"
#include "tls-record.bpf.h"
#include "tls-settings.bpf.h"
#include "tls-summary.bpf.h"

#define ERR_LIB_SSL            20
#define GNUTLS_E_AGAIN         -28
#define GNUTLS_E_INTERRUPTED   -52
#define GNUTLS_E_WARNING_ALERT -16
#define PR_WOULD_BLOCK         -5998

/* SSL_clear() is called by programs, and by the library at the begin of each handshake. */
static __always_inline bool is_within_handshake(struct pt_regs *ctx)
{
	struct tls_thread *t;

	if (TLS_COOKIE_ROLE(probe_cookie(ctx)) != TLS_ROLE_CLEAR)
		return false;
	t = tls_thread_current(false);
	if (t)
		tls_frames_unwind(t, PT_REGS_SP(ctx));
	return t && t->depth;
}

static __always_inline bool in_handshake(__u32 library, __u64 handle)
{
	__u64 in_init = 0;

	return !tls_read_info(library, TLS_FIELD_IN_INIT, handle, &in_init) && in_init;
}

/* It was made before it was first seen: a call that makes one finds nothing to do. */
static __always_inline bool is_over(const struct tls_frame *f, __u32 library)
{
	struct tls_library_info *info = bpf_map_lookup_elem(&tls_infos, &library);

	return is_handshake(f->role) && !f->in_handshake && info &&
	       info->layout.field[TLS_FIELD_IN_INIT].steps_cnt;
}

/* Of several calls, which a peer that is slow makes of one handshake, the first. */
__noinline int begin_handshake(struct tls_thread *t, const struct tls_frame *f, __u32 library)
{
	struct tls_connection *c;

	if (!t || !f)
		return 0;
	c = tls_connection_of(library, f->handle);
	t->error = 0;
	t->error_library = 0;
	if (!c) {
		lost_inc(LOST_MAP_FULL);
		return 0;
	}
	if (c->state == TLS_HANDSHAKE_FAILED)
		return 0;
	if (c->state == TLS_HANDSHAKE_UNSEEN && is_over(f, library))
		c->state = TLS_HANDSHAKE_ENDED;
	if (c->state != TLS_HANDSHAKE_BEGUN) {
		if (c->state == TLS_HANDSHAKE_ENDED && !f->in_handshake)
			return 0;
		c->state = TLS_HANDSHAKE_BEGUN;
		c->handshake_ns = bpf_ktime_get_ns();
		c->handshake_calls = 0;
		tls_connection_locate(c, library, f->handle);
	}
	c->handshake_calls++;
	if (f->role == TLS_ROLE_ACCEPT)
		c->side = TLS_SERVER;
	else if (f->role == TLS_ROLE_CONNECT)
		c->side = TLS_CLIENT;
	return 0;
}

/* GnuTLS numbers versions itself: 1 is SSL 3.0, 5 TLS 1.3; from 200 on they are of DTLS. */
static __always_inline __u16 version_of(struct tls_record *r, __u64 version)
{
	if (r->api != TLS_GNUTLS)
		return version;
	if (version >= 1 && version <= 5)
		return 0x2ff + version;
	return version == 201 ? 0xfeff : version == 202 ? 0xfefd : 0;
}

static __always_inline void submit_handshake(struct tls_thread *t, struct tls_connection *c,
					     const struct tls_frame *f, __u64 cookie, __u16 flags)
{
	__u32 library = TLS_COOKIE_LIBRARY(cookie);
	struct tls_record *r = &t->record;
	__u64 value = 0;

	tls_fill_record(t, f, c, cookie);
	r->what = TLS_HANDSHAKE;
	r->flags = flags | c->side;
	r->latency_ns = r->end_ns - c->handshake_ns;
	r->calls = c->handshake_calls;
	if (!c->side && !tls_read_info(library, TLS_FIELD_IS_SERVER, f->handle, &value))
		r->flags |= value ? TLS_SERVER : TLS_CLIENT;
	if (!tls_read_info(library, TLS_FIELD_VERSION, f->handle, &value))
		r->version = version_of(r, value);
	if (!(flags & TLS_FAILED) && !tls_read_info(library, TLS_FIELD_CIPHER, f->handle, &value))
		r->cipher = value;
	if (flags & TLS_FAILED) {
		r->error = t->error;
		r->error_library = t->error_library;
	}
	t->buf = f->handle;
	tls_submit_handshake(t, c, library);
}

__noinline int end_handshake(struct tls_thread *t, struct tls_connection *c,
			     const struct tls_frame *f, __u64 cookie, __u32 flags)
{
	bool failed = flags & TLS_FAILED;

	if (!t || !c || !f)
		return 0;
	c->state = failed ? TLS_HANDSHAKE_FAILED : TLS_HANDSHAKE_ENDED;
	if (!port_matches(c))
		return 0;
	count_add_at(&handshakes, failed ? TLS_COUNT_FAILURES : TLS_COUNT_HANDSHAKES, 1);
	if (!tls_summary)
		submit_handshake(t, c, f, cookie, flags);
	else if (!failed)
		tls_summarize_handshake(c, TLS_COOKIE_LIBRARY(cookie));
	return 0;
}

/* What a call in a handshake that has not succeeded tells: does it go on? */
static __always_inline bool has_failed(struct tls_thread *t, const struct tls_frame *f,
				       __u32 library, __s32 result)
{
	struct tls_library_info *info = bpf_map_lookup_elem(&tls_infos, &library);

	if (!info)
		return false;
	if (info->api == TLS_GNUTLS) {
		t->error = result;
		return result < 0 && result != GNUTLS_E_AGAIN && result != GNUTLS_E_INTERRUPTED &&
		       result != GNUTLS_E_WARNING_ALERT;
	}
	if (info->api == TLS_NSS)
		return result < 0 && t->error && t->error != PR_WOULD_BLOCK;
	return t->error_library == ERR_LIB_SSL;
}

/*
 * OpenSSL has a connection that an error has ended in a handshake for ever. What is called after
 * that begins none.
 */
__noinline int look_at_failure(struct tls_thread *t, const struct tls_frame *f, __u64 cookie)
{
	struct tls_connection *c;
	struct tls_handle key;

	if (!t || !f || t->error_library != ERR_LIB_SSL)
		return 0;
	key = tls_handle_of(f->handle);
	c = bpf_map_lookup_elem(&tls_connections, &key);
	if (c && in_handshake(TLS_COOKIE_LIBRARY(cookie), f->handle))
		c->state = TLS_HANDSHAKE_FAILED;
	return 0;
}

__noinline int look_at_handshake(struct tls_thread *t, const struct tls_frame *f, __u64 cookie,
				 __s64 result, __u64 moved)
{
	__u32 library = TLS_COOKIE_LIBRARY(cookie);
	struct tls_connection *c;
	struct tls_handle key;
	bool done = moved;

	if (!t || !f)
		return 0;
	key = tls_handle_of(f->handle);
	c = bpf_map_lookup_elem(&tls_connections, &key);
	if (!c || c->state != TLS_HANDSHAKE_BEGUN)
		return 0;
	if (f->role == TLS_ROLE_HANDSHAKE_0)
		done = !(__s32)result;
	else if (is_handshake(f->role))
		done = (__s32)result == 1;
	else if (f->in_handshake)
		done |= !in_handshake(library, f->handle);
	if (done)
		end_handshake(t, c, f, cookie, 0);
	else if (has_failed(t, f, library, result))
		end_handshake(t, c, f, cookie, TLS_FAILED);
	return 0;
}

#endif
