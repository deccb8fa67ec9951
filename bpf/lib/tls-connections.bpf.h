/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The connections of TLS libraries, by process and handle. */
#ifndef WIRESCOPE_TLS_CONNECTIONS_BPF_H
#define WIRESCOPE_TLS_CONNECTIONS_BPF_H

#include <bpf/bpf_helpers.h>
#include "kcompat.bpf.h"
#include "lost.bpf.h"
#include "pidns.bpf.h"
#include "socket.bpf.h"
#include "tls-connection.h"

#define S32_MAX 0x7fffffff

#define NSPR_LAYERS         8
#define NSPR_LAYERED        4  /* PR_DESC_LAYERED: not a plain file or socket */
#define NSPR_IN_LAYER_LOWER 16 /* offset in struct PRFileDesc */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TLS_CONNECTIONS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct tls_handle);
	__type(value, struct tls_connection);
} tls_connections SEC(".maps");

/* By number: those that are no more. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TLS_LOSSES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct tls_loss);
} tls_losses SEC(".maps");

struct tls_name {
	char text[TLS_NAME_MAX];
};

/* Server names, from when they are told until the end of the handshake. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct tls_handle);
	__type(value, struct tls_name);
} tls_names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TLS_LIBRARIES);
	__type(key, __u32);
	__type(value, struct tls_library_info);
} tls_infos SEC(".maps");

static const struct tls_connection tls_connection_zero;
static const struct tls_name tls_name_zero;
__u64 tls_connections_cnt; /* in the whole run */

static __always_inline struct tls_handle tls_handle_of(__u64 handle)
{
	return (struct tls_handle){.handle = handle, .tgid = current_pid_tgid() >> 32};
}

/* What a library keeps at a place; false: it is not known where. */
static __always_inline bool tls_field_read(const struct tls_field *f, __u64 handle, __u64 *value)
{
	__u64 at = handle;

	if (!f->steps_cnt)
		return false;
	for (__u32 i = 0; i < TLS_STEPS; i++) {
		bool last = i + 1 >= f->steps_cnt;
		__u32 size = last ? f->size : sizeof(at);

		if (size > sizeof(at))
			return false;
		*value = 0;
		if (!at || bpf_probe_read_user(value, size, (void *)at + f->steps[i]))
			return false;
		if (last)
			return true;
		at = *value;
	}
	return false;
}

/* 0, or -1 if it is not known. */
__noinline int tls_read_info(__u32 library, __u32 id, __u64 handle, __u64 *value)
{
	struct tls_library_info *info = bpf_map_lookup_elem(&tls_infos, &library);

	if (!info || id >= TLS_FIELDS || !value)
		return -1;
	return tls_field_read(&info->layout.field[id], handle, value) ? 0 : -1;
}

/* NSPR's descriptors are stacks of layers; the one that the kernel knows is at the bottom. */
static __always_inline __u64 nspr_bottom(__u64 layer)
{
	__u64 lower = 0;

	for (int i = 0; i < NSPR_LAYERS; i++) {
		if (bpf_probe_read_user(&lower, sizeof(lower), (void *)layer + NSPR_IN_LAYER_LOWER))
			return 0;
		if (!lower)
			return layer;
		layer = lower;
	}
	return 0;
}

/* Files and plain sockets have these calls too. */
static __always_inline bool nspr_is_layered(__u64 handle)
{
	__u64 methods;
	__u32 type;

	return !bpf_probe_read_user(&methods, sizeof(methods), (void *)handle) &&
	       !bpf_probe_read_user(&type, sizeof(type), (void *)methods) && type == NSPR_LAYERED;
}

/* OpenSSL's BIOs all have a number, which is a descriptor only in those whose type says so. */
static __always_inline __s32 tls_fd_at(const struct tls_layout *layout, enum tls_field_id type_id,
				       enum tls_field_id fd_id, __u64 handle)
{
	__u64 type = TLS_TYPE_FD, fd;

	if (layout->field[type_id].steps_cnt &&
	    !tls_field_read(&layout->field[type_id], handle, &type))
		return -1;
	if (!(type & TLS_TYPE_FD) || !tls_field_read(&layout->field[fd_id], handle, &fd))
		return -1;
	/* Transports that a program made itself have a pointer there. */
	return fd > S32_MAX ? -1 : (__s32)fd;
}

static __always_inline __s32 tls_fd_of(__u32 library, __u64 handle)
{
	struct tls_library_info *info = bpf_map_lookup_elem(&tls_infos, &library);
	__s32 fd;

	if (!info)
		return -1;
	if (info->api == TLS_NSS)
		handle = nspr_bottom(handle);
	fd = tls_fd_at(&info->layout, TLS_FIELD_READ_TYPE, TLS_FIELD_READ_FD, handle);
	if (fd >= 0)
		return fd;
	return tls_fd_at(&info->layout, TLS_FIELD_WRITE_TYPE, TLS_FIELD_WRITE_FD, handle);
}

/* Which socket it is on: again with each handshake, as objects of libraries get used again. */
static __always_inline void tls_connection_locate(struct tls_connection *c, __u32 library,
						  __u64 handle)
{
	struct socket *socket;
	struct sock *sk;

	c->fd = tls_fd_of(library, handle);
	if (c->fd < 0)
		return;
	socket = socket_of_file(file_of_fd(c->fd));
	/* A BIO that is no socket's has a number, too. */
	sk = socket ? inet_sock_of(socket) : NULL;
	if (sk)
		socket_endpoints(sk, &c->local, &c->remote);
}

static __noinline struct tls_connection *tls_connection_new(__u32 library, __u64 handle)
{
	struct tls_handle key = tls_handle_of(handle);
	struct tls_connection *c;
	__u64 number;

	bpf_map_update_elem(&tls_connections, &key, &tls_connection_zero, BPF_NOEXIST);
	c = bpf_map_lookup_elem(&tls_connections, &key);
	if (!c)
		return NULL;
	/* Two threads may meet here, one that reads and one that writes. */
	number = __sync_fetch_and_add(&tls_connections_cnt, 1) + 1;
	__sync_val_compare_and_swap(&c->number, 0, number);
	c->tgid = pidns_current(true);
	tls_connection_locate(c, library, handle);
	return c;
}

/* The connection of a handle; NULL: there is no room for it. */
static __always_inline struct tls_connection *tls_connection_of(__u32 library, __u64 handle)
{
	struct tls_handle key = tls_handle_of(handle);
	struct tls_connection *c = bpf_map_lookup_elem(&tls_connections, &key);

	return c ?: tls_connection_new(library, handle);
}

/* A connection is no more: what it lost is kept. */
static __always_inline void tls_connection_close(struct tls_connection *c, __u64 handle)
{
	struct tls_handle key = tls_handle_of(handle);
	struct tls_loss loss = {
		.bytes = c->lost_bytes,
		.calls = c->lost_calls,
		.local = c->local,
		.remote = c->remote,
	};

	if (c->lost_calls || c->lost_bytes) {
		loss.tgid = pidns_current(true);
		bpf_get_current_comm(loss.comm, sizeof(loss.comm));
		bpf_map_update_elem(&tls_losses, &c->number, &loss, BPF_ANY);
	}
	bpf_map_delete_elem(&tls_connections, &key);
	bpf_map_delete_elem(&tls_names, &key);
}

/* The text at an address is the name of the server. */
static __always_inline void tls_name_set(__u64 handle, __u64 text)
{
	struct tls_handle key = tls_handle_of(handle);
	struct tls_name *name;

	bpf_map_update_elem(&tls_names, &key, &tls_name_zero, BPF_ANY);
	name = bpf_map_lookup_elem(&tls_names, &key);
	if (!name)
		lost_inc(LOST_MAP_FULL);
	else
		bpf_probe_read_user_str(name->text, sizeof(name->text), (void *)text);
}

#endif
