/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The TLS calls that each thread is in. There can be several: TLS in TLS, a callback of a
 * handshake that asks for something. As in span.bpf.h a slot is found by the thread's id.
 */
#ifndef WIRESCOPE_TLS_FRAMES_BPF_H
#define WIRESCOPE_TLS_FRAMES_BPF_H

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "kcompat.bpf.h"
#include "lost.bpf.h"
#include "tls-connection.h"
#include "tls-probe.h"
#include "tls-settings.bpf.h"

#define TLS_FRAMES    4
#define TLS_SLOTS     4096
#define TLS_SLOTS_MET 4096
#define TLS_SLOT(tid) ((tid) & (TLS_SLOTS - 1))

static __always_inline bool is_handshake(__u32 role)
{
	return role >= TLS_ROLE_HANDSHAKE && role <= TLS_ROLE_CONNECT;
}

static __always_inline bool is_read(__u32 role)
{
	return role == TLS_ROLE_READ || role == TLS_ROLE_READ_EX || role == TLS_ROLE_READ_EARLY ||
	       role == TLS_ROLE_RECV || role == TLS_ROLE_RECV_FLAGS || role == TLS_ROLE_RECV_EARLY;
}

/* Those that say the name of a server. */
static __always_inline bool is_naming(__u32 role)
{
	return role == TLS_ROLE_CTRL || role == TLS_ROLE_NAME || role == TLS_ROLE_SET_NAME ||
	       role == TLS_ROLE_SET_NAME_3;
}

/* Calls of one kind on one connection, within each other, are one. */
enum tls_kind { TLS_KIND_READ, TLS_KIND_WRITE, TLS_KIND_HANDSHAKE, TLS_KIND_NAME };

static __always_inline enum tls_kind tls_kind_of(__u32 role)
{
	if (is_naming(role))
		return TLS_KIND_NAME;
	if (is_handshake(role))
		return TLS_KIND_HANDSHAKE;
	return is_read(role) ? TLS_KIND_READ : TLS_KIND_WRITE;
}

struct tls_frame {
	__u64 handle; /* 0: of nothing that is traced */
	__u64 buf;
	__u64 len; /* or where the call stores how much it moved */
	__u64 begin_ns;
	__u64 stack;
	__u16 role; /* enum tls_role */
	__u16 kind; /* enum tls_kind */
	__u16 call;
	__u16 in_handshake; /* the connection was, when the call began */
};

struct tls_thread {
	__u32 tid; /* 0: free */
	__u16 depth;
	__u16 is_met; /* it is in tls_threads_met */
	__s32 error;  /* in its handshake: why something failed */
	__u32 error_library;
	struct tls_frame frames[TLS_FRAMES];

	/* Of the call that has ended: what is said of it, and what it moved. */
	struct tls_record record;
	__u64 buf;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TLS_SLOTS);
	__type(key, __u32);
	__type(value, struct tls_thread);
} tls_threads SEC(".maps");

/* Threads whose slot another one has. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TLS_SLOTS_MET);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct tls_thread);
} tls_threads_met SEC(".maps");

static const struct tls_thread tls_thread_zero;

static __noinline struct tls_thread *tls_thread_met(__u32 tid, bool create)
{
	struct tls_thread *t = bpf_map_lookup_elem(&tls_threads_met, &tid);

	if (t || !create)
		return t;
	bpf_map_update_elem(&tls_threads_met, &tid, &tls_thread_zero, BPF_NOEXIST);
	t = bpf_map_lookup_elem(&tls_threads_met, &tid);
	if (t)
		t->is_met = true;
	else
		lost_inc(LOST_NO_SPAN);
	return t;
}

/* What is known of the current thread; NULL: nothing. */
static __always_inline struct tls_thread *tls_thread_current(bool create)
{
	__u32 tid = current_pid_tgid(), slot = TLS_SLOT(tid);
	struct tls_thread *t = bpf_map_lookup_elem(&tls_threads, &slot);

	if (!t)
		return NULL;
	if (t->tid == tid)
		return t;
	if (!create || __sync_val_compare_and_swap(&t->tid, 0, tid))
		return tls_thread_met(tid, create);
	t->depth = 0;
	return t;
}

/* At the end of a program: a thread that is in no call needs no room. */
static __always_inline void tls_thread_release(struct tls_thread *t)
{
	__u32 tid = current_pid_tgid();

	if (t->depth)
		return;
	if (t->is_met)
		bpf_map_delete_elem(&tls_threads_met, &tid);
	else
		t->tid = 0;
}

/* Also of a thread that was killed in a call: another one will have its number. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(thread_ended, struct task_struct *task)
{
	struct tls_thread *t = tls_thread_current(false);

	if (!t)
		return 0;
	t->depth = 0;
	tls_thread_release(t);
	return 0;
}

/* By a number below TLS_FRAMES, in a way that verifiers before 6.3 can follow. */
static __always_inline struct tls_frame *tls_frame_at(struct tls_thread *t, __u32 nr)
{
	barrier_var(nr);
	return &t->frames[nr & (TLS_FRAMES - 1)];
}

/* Frames deeper in the stack than the current one were left without an end. */
static __always_inline void tls_frames_unwind(struct tls_thread *t, __u64 stack)
{
	for (int i = 0; i < TLS_FRAMES; i++) {
		__u32 top = t->depth - 1;

		/* As deep is one that has ended in a jump to this one. */
		if (top >= TLS_FRAMES || tls_frame_at(t, top)->stack >= stack)
			return;
		t->depth = top;
	}
}

/*
 * Is the thread in another call that has this handle, and of which this one is a part? A library's
 * calls call each other. What a callback does is its own: node writes within a read. Handshakes
 * are made within calls of any kind, which count them.
 */
static __always_inline bool tls_frames_have(const struct tls_thread *t, __u64 handle, __u64 cookie)
{
	enum tls_kind kind = tls_kind_of(TLS_COOKIE_ROLE(cookie));

	for (__u32 i = 0; i < TLS_FRAMES; i++) {
		const struct tls_frame *f = &t->frames[i];

		if (i >= t->depth || f->handle != handle || f->call == TLS_COOKIE_CALL(cookie))
			continue;
		if (f->kind == kind || (kind == TLS_KIND_HANDSHAKE && f->kind != TLS_KIND_NAME))
			return true;
	}
	return false;
}

/*
 * Make a frame for a call that begins, at the top; returns 0, or -1 if it is not to be seen. Like
 * the other functions that are not static: the verifier goes through it once.
 */
__noinline int tls_frame_push(struct tls_thread *t, __u64 handle, __u64 stack, __u64 cookie)
{
	struct tls_frame *f;

	if (!t)
		return -1;
	if (t->depth) {
		tls_frames_unwind(t, stack);
		if (handle && tls_frames_have(t, handle, cookie))
			return -1;
	}
	if (t->depth >= TLS_FRAMES) {
		lost_inc(LOST_NO_SPAN);
		return -1;
	}
	f = tls_frame_at(t, t->depth++);
	f->handle = handle;
	f->stack = stack;
	f->role = TLS_COOKIE_ROLE(cookie);
	f->kind = tls_kind_of(f->role);
	f->call = TLS_COOKIE_CALL(cookie);
	return 0;
}

/* Take off the frame of a call that ends, with those on top of it; -1: it has none. */
__noinline int tls_frame_pop(struct tls_thread *t, __u64 cookie)
{
	if (!t)
		return -1;
	for (int i = TLS_FRAMES - 1; i >= 0; i--) {
		if ((__u32)i >= t->depth || t->frames[i].call != TLS_COOKIE_CALL(cookie))
			continue;
		t->depth = i;
		return 0;
	}
	return -1;
}

/* The one that tls_frame_push() has just made; the one that tls_frame_pop() has taken off. */
#define tls_frame_pushed(t) tls_frame_at(t, (t)->depth - 1)
#define tls_frame_popped(t) tls_frame_at(t, (t)->depth)

#endif
