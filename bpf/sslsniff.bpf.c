// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Calls of TLS libraries. What a call has moved is looked at when it ends: then it is known how
 * much that is, and its memory has just been in use. user/lib/tls-attach.c says where the
 * programs run, and by their cookies what they see there.
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define RING_BYTES (16 << 20)

#include "filter.bpf.h"
#include "tls-connections.bpf.h"
#include "tls-frames.bpf.h"
#include "tls-handshake.bpf.h"
#include "tls-record.bpf.h"
#include "tls-settings.bpf.h"
#include "tls-summary.bpf.h"

#define SSL_CTRL_SET_SERVER_NAME 55 /* SSL_CTRL_SET_TLSEXT_HOSTNAME */
#define PR_MSG_PEEK              2

/* ---- begin -------------------------------------------------------------------------------- */

static __always_inline bool is_wanted(void)
{
	if (!filter_pass())
		return false;
	return !tls_by_uid || (__u32)bpf_get_current_uid_gid() == tls_uid;
}

/* Of a BIO that has a connection, that connection. */
static __always_inline __u64 handle_of(__u64 first, __u64 cookie)
{
	__u64 handle = 0;

	if (!(TLS_COOKIE_CALL(cookie) & TLS_CALL_BIO))
		return first;
	tls_read_info(TLS_COOKIE_LIBRARY(cookie), TLS_FIELD_BIO_SSL, first, &handle);
	return handle;
}

/* Where the call says, at its end, how much it has moved; or how much it moves if it does. */
static __always_inline __u64 length_of(struct pt_regs *ctx, __u32 role)
{
	__u64 third = PT_REGS_PARM3(ctx), fourth = PT_REGS_PARM4(ctx);
	__u64 fifth = PT_REGS_PARM5(ctx);

	/* The verifier knows no pointer into the context that is one of several. */
	barrier_var(third);
	barrier_var(fourth);
	barrier_var(fifth);
	if (role == TLS_ROLE_SEND_EARLY)
		return third;
	return role == TLS_ROLE_WRITE_EX2 ? fifth : fourth;
}

static __always_inline bool is_traced(struct pt_regs *ctx, __u64 cookie)
{
	if (TLS_COOKIE_CALL(cookie) & TLS_CALL_LAYERED && !nspr_is_layered(PT_REGS_PARM1(ctx)))
		return false;
	return TLS_COOKIE_ROLE(cookie) != TLS_ROLE_RECV_FLAGS ||
	       !(PT_REGS_PARM4(ctx) & PR_MSG_PEEK);
}

SEC("uprobe")
int call_begin(struct pt_regs *ctx)
{
	__u64 cookie, handle;
	struct tls_thread *t;
	struct tls_frame *f;
	__u32 role;

	if (!is_wanted())
		return 0;
	cookie = probe_cookie(ctx);
	role = TLS_COOKIE_ROLE(cookie);
	handle = is_traced(ctx, cookie) ? handle_of(PT_REGS_PARM1(ctx), cookie) : 0;
	t = tls_thread_current(handle);
	/* Within a traced call, one that is not has a frame too: its end is not the other's. */
	if (!t || (!handle && !t->depth) || tls_frame_push(t, handle, PT_REGS_SP(ctx), cookie))
		return 0;
	if (t->depth == 1)
		t->error = t->error_library = 0;
	if (!handle)
		return 0;
	f = tls_frame_pushed(t);
	f->buf = PT_REGS_PARM2(ctx);
	f->len = length_of(ctx, role);
	f->begin_ns = bpf_ktime_get_ns();
	f->in_handshake = role != TLS_ROLE_NAME && in_handshake(TLS_COOKIE_LIBRARY(cookie), handle);
	if (is_handshake(role) || f->in_handshake)
		begin_handshake(t, f, TLS_COOKIE_LIBRARY(cookie));
	return 0;
}

/* ---- end ---------------------------------------------------------------------------------- */

/* How many bytes a call has moved, by what it returned. */
static __always_inline __u64 moved_by(const struct tls_frame *f, __s64 result)
{
	__u64 moved = 0;

	switch (f->role) {
	case TLS_ROLE_READ:
	case TLS_ROLE_WRITE:
		return (__s32)result > 0 ? (__s32)result : 0;
	case TLS_ROLE_READ_EX:
	case TLS_ROLE_WRITE_EX:
	case TLS_ROLE_WRITE_EX2:
	case TLS_ROLE_READ_EARLY:
	case TLS_ROLE_WRITE_EARLY:
		if ((__s32)result > 0 && f->len &&
		    bpf_probe_read_user(&moved, sizeof(moved), (void *)f->len))
			lost_inc(LOST_FAULT);
		return moved;
	case TLS_ROLE_SEND_EARLY:
		return (__s32)result ? 0 : f->len;
	case TLS_ROLE_UNCORK:
		return 0;
	default:
		if (f->call & TLS_CALL_LAYERED)
			return (__s32)result > 0 ? (__s32)result : 0;
		return result > 0 ? result : 0;
	}
}

static __always_inline __u16 flags_of(__u32 role)
{
	if (role == TLS_ROLE_SENDFILE)
		return TLS_FILE;
	if (role == TLS_ROLE_READ_EARLY || role == TLS_ROLE_WRITE_EARLY ||
	    role == TLS_ROLE_RECV_EARLY || role == TLS_ROLE_SEND_EARLY)
		return TLS_EARLY;
	return 0;
}

static __always_inline bool payload_matches(__u64 buf, __u64 moved)
{
	char text[TLS_MATCH_MAX] = "";
	__u32 len = tls_match_len;

	if (!len)
		return true;
	if (len > moved || len > TLS_MATCH_MAX || bpf_probe_read_user(text, len, (void *)buf))
		return false;
	for (__u32 i = 0; i < TLS_MATCH_MAX; i++) {
		if (i < len && text[i] != tls_match[i])
			return false;
	}
	return true;
}

__noinline int end_data(struct tls_thread *t, const struct tls_frame *f, __u64 cookie, __u64 moved)
{
	__u32 library = TLS_COOKIE_LIBRARY(cookie);
	struct tls_connection *c = NULL;

	if (!t || !f)
		return 0;
	if (tls_with_connections) {
		c = tls_connection_of(library, f->handle);
		if (!c)
			lost_inc(LOST_MAP_FULL);
	}
	if (!port_matches(c) || !payload_matches(f->buf, moved))
		return 0;
	if (tls_summary) {
		tls_summarize(f, c, library, moved);
		return 0;
	}
	tls_fill_record(t, f, c, cookie);
	t->record.what = is_read(f->role) ? TLS_READ : TLS_WRITE;
	t->record.flags = flags_of(f->role);
	t->record.len = moved;
	t->record.captured = tls_limit_payload(&t->record, c);
	t->buf = f->buf;
	tls_submit(t, c);
	return 0;
}

/*
 * GnuTLS is told to go on with what it has copied by a call without data. What it returns then is
 * the length of the data of the call before, which only that one's program had seen; or, of
 * gnutls_record_uncork(), of calls that have returned it themselves.
 */
__noinline int resume_send(struct tls_frame *f, __u64 cookie, __s64 result)
{
	struct tls_connection *c;
	__u64 pending;

	if (!f)
		return 0;
	c = tls_connection_of(TLS_COOKIE_LIBRARY(cookie), f->handle);
	if (!c)
		return f->buf ? 1 : 0;
	pending = c->pending;
	if (result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED) {
		c->pending = f->buf ?: pending;
		return 0;
	}
	c->pending = 0;
	if (!f->buf)
		f->buf = pending;
	return f->buf ? 1 : 0;
}

/* Is it data that has not been seen before? */
static __always_inline bool is_new(struct tls_frame *f, __u64 cookie, __s64 result)
{
	if (f->role != TLS_ROLE_SEND && f->role != TLS_ROLE_SEND_PADDED)
		return true;
	if (f->call & TLS_CALL_LAYERED || (result > 0 && f->buf))
		return true;
	return resume_send(f, cookie, result);
}

SEC("uprobe")
int call_end(struct pt_regs *ctx)
{
	__u64 cookie = probe_cookie(ctx), moved;
	__s64 result = PT_REGS_RC(ctx);
	struct tls_thread *t = tls_thread_current(false);
	struct tls_frame *f;

	if (!t)
		return 0;
	if (tls_frame_pop(t, cookie))
		return 0;
	f = tls_frame_popped(t);
	if (!filter_off && f->handle) {
		moved = is_handshake(f->role) ? 0 : moved_by(f, result);
		if (is_handshake(f->role) || f->in_handshake)
			look_at_handshake(t, f, cookie, result, moved);
		else if (!moved)
			look_at_failure(t, f, cookie);
		if (is_new(f, cookie, result) && moved)
			end_data(t, f, cookie, moved);
	}
	tls_thread_release(t);
	return 0;
}

/* ---- the socket of a connection whose library does not know it ----------------------------- */

/* A socket that is used within a call of a connection is the one that it is on. */
static __always_inline int note_socket(struct sock *sk)
{
	struct tls_thread *t = tls_thread_current(false);
	struct tls_connection *c;
	struct tls_handle key;
	__u32 top;

	if (!t)
		return 0;
	top = t->depth - 1;
	if (top >= TLS_FRAMES)
		return 0;
	key = tls_handle_of(tls_frame_at(t, top)->handle);
	c = bpf_map_lookup_elem(&tls_connections, &key);
	if (!c || c->local.family || !sk_is_inet(sk))
		return 0;
	socket_endpoints(sk, &c->local, &c->remote);
	return 0;
}

SEC("?tp_btf/sock_send_length")
int BPF_PROG(socket_sent, struct sock *sk, int ret, int flags)
{
	return note_socket(sk);
}

SEC("?tp_btf/sock_recv_length")
int BPF_PROG(socket_received, struct sock *sk, int ret, int flags)
{
	return note_socket(sk);
}

/* ---- what else happens to a connection ---------------------------------------------------- */

/*
 * Where a name is. It is read when the call ends, and the library has copied it: until then, it
 * may be in a page that nobody has touched.
 */
static __always_inline int begin_name(struct pt_regs *ctx, __u64 name)
{
	__u64 cookie = probe_cookie(ctx);
	struct tls_thread *t = tls_thread_current(true);

	if (!t || tls_frame_push(t, PT_REGS_PARM1(ctx), PT_REGS_SP(ctx), cookie))
		return 0;
	tls_frame_pushed(t)->buf = name;
	return 0;
}

SEC("uprobe")
int ctrl_begin(struct pt_regs *ctx)
{
	if ((__u32)PT_REGS_PARM2(ctx) == SSL_CTRL_SET_SERVER_NAME && is_wanted())
		begin_name(ctx, PT_REGS_PARM4(ctx));
	return 0;
}

SEC("uprobe")
int name_begin(struct pt_regs *ctx)
{
	__u64 name = PT_REGS_PARM2(ctx);

	barrier_var(name);
	if (TLS_COOKIE_ROLE(probe_cookie(ctx)) == TLS_ROLE_SET_NAME_3)
		name = PT_REGS_PARM3(ctx);
	if (is_wanted())
		begin_name(ctx, name);
	return 0;
}

SEC("uprobe")
int name_end(struct pt_regs *ctx)
{
	__u64 cookie = probe_cookie(ctx), name = PT_REGS_RC(ctx);
	struct tls_thread *t = tls_thread_current(false);
	struct tls_frame *f;

	if (!t || tls_frame_pop(t, cookie))
		return 0;
	f = tls_frame_popped(t);
	if (f->role != TLS_ROLE_NAME)
		name = f->buf;
	if (!filter_off && name)
		tls_name_set(f->handle, name);
	tls_thread_release(t);
	return 0;
}

SEC("uprobe")
int error_begin(struct pt_regs *ctx)
{
	struct tls_thread *t = tls_thread_current(false);
	__u32 role = TLS_COOKIE_ROLE(probe_cookie(ctx));
	__s32 library = PT_REGS_PARM1(ctx), error;

	if (!t || !t->depth)
		return 0;
	error = PT_REGS_PARM2(ctx);
	barrier_var(error);
	if (role == TLS_ROLE_ERROR_1_1)
		error = PT_REGS_PARM3(ctx);
	if (role == TLS_ROLE_ERROR_NSS) {
		error = library;
		library = 0;
	}
	/* Other parts of OpenSSL put down errors that it recovers from. */
	if (t->error_library == ERR_LIB_SSL && library != ERR_LIB_SSL)
		return 0;
	t->error_library = library;
	t->error = error;
	return 0;
}

SEC("uprobe")
int handle_closed(struct pt_regs *ctx)
{
	struct tls_handle key = tls_handle_of(PT_REGS_PARM1(ctx));
	struct tls_frame f = {.handle = key.handle};
	struct tls_connection *c;
	struct tls_thread *t;

	c = bpf_map_lookup_elem(&tls_connections, &key);
	if (!c || is_within_handshake(ctx))
		return 0;
	t = c->state == TLS_HANDSHAKE_BEGUN && !filter_off ? tls_thread_current(true) : NULL;
	if (t) {
		t->error = t->error_library = 0;
		end_handshake(t, c, &f, probe_cookie(ctx), TLS_FAILED);
		tls_thread_release(t);
	}
	tls_connection_close(c, key.handle);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
