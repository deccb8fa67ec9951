/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From a descriptor of the current task to its socket. */
#ifndef WIRESCOPE_SOCKET_BPF_H
#define WIRESCOPE_SOCKET_BPF_H

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include "endpoint.h"
#include "kcompat.bpf.h"

#define SOCK_DGRAM  2
#define AF_INET     2
#define AF_INET6    10
#define IPPROTO_UDP 17
#define S_IFMT      0170000
#define S_IFSOCK    0140000

/*
 * With bpf_rdonly_cast() (6.2) each step is a plain load: 37 ns for the whole walk, where a
 * chain of bpf_probe_read_kernel() takes 335 ns. Set by kernel_has(KERNEL_RDONLY_CAST).
 */
const volatile bool socket_cast;

extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym __weak;

#define socket_as(ptr, type) ((type *)bpf_rdonly_cast(ptr, bpf_core_type_id_kernel(type)))
#define socket_read(ptr, type, field) \
	(socket_cast ? socket_as(ptr, type)->field : BPF_CORE_READ((type *)(ptr), field))

/* In words of 4 bytes, which both sides are multiples of. */
#define socket_read_into(to, size, ptr, type, field)                         \
	do {                                                                 \
		if (socket_cast) {                                           \
			__u32 *from = (__u32 *)&socket_as(ptr, type)->field; \
			for (int word = 0; word < (size) / 4; word++)        \
				((__u32 *)(to))[word] = from[word];          \
		} else {                                                     \
			bpf_core_read(to, size, &((type *)(ptr))->field);    \
		}                                                            \
	} while (0)

/* The pointer at an address, which can be read by cast as the member of a type that has one. */
static __always_inline struct file *file_at(struct file **slot)
{
	struct file *file = NULL;

	if (socket_cast) {
		void *base = (void *)slot - bpf_core_field_offset(struct socket, file);

		return socket_as(base, struct socket)->file;
	}
	bpf_probe_read_kernel(&file, sizeof(file), slot);
	return file;
}

/*
 * Not by task_read() where there is the cast: for each pointer that is read from a task that the
 * kernel trusts, it goes through all its types up to four times, 2 ms of each start.
 */
static __always_inline struct files_struct *current_files(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return socket_cast ? socket_as(task, struct task_struct)->files : task_read(files);
}

static __always_inline struct file *file_of_fd(__u32 fd)
{
	struct files_struct *files = current_files();
	struct fdtable *fdt = socket_read(files, struct files_struct, fdt);
	struct file **slots;

	if (!fdt || fd >= socket_read(fdt, struct fdtable, max_fds))
		return NULL;
	slots = socket_read(fdt, struct fdtable, fd);
	return file_at(slots + fd);
}

/* The socket of a file (which may be NULL), else NULL. */
static __always_inline struct socket *socket_of_file(struct file *file)
{
	struct inode *inode;
	struct socket *socket;

	if (!file)
		return NULL;
	inode = socket_read(file, struct file, f_inode);
	if (!inode || (socket_read(inode, struct inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	socket = socket_read(file, struct file, private_data);
	/* An O_PATH descriptor of a socket's file has the inode, but is not its file. */
	if (!socket || socket_read(socket, struct socket, file) != file)
		return NULL;
	return socket;
}

/* IPv4 or IPv6 */
static __always_inline bool sk_is_inet(struct sock *sk)
{
	__u16 family = socket_read(sk, struct sock, __sk_common.skc_family);

	return family == AF_INET || family == AF_INET6;
}

/* What is in a socket if it is of IPv4 or IPv6, else NULL. */
static __always_inline struct sock *inet_sock_of(struct socket *socket)
{
	struct sock *sk = socket_read(socket, struct socket, sk);

	return sk && sk_is_inet(sk) ? sk : NULL;
}

/* The socket of a file (which may be NULL) if it is a UDP one (IPv4 or IPv6), else NULL. */
static __always_inline struct sock *udp_sock_of_file(struct file *file)
{
	struct socket *socket = socket_of_file(file);
	struct sock *sk;

	/* A raw socket of protocol 17 sends headers that the program made: not a UDP socket. */
	if (!socket || socket_read(socket, struct socket, type) != SOCK_DGRAM)
		return NULL;
	sk = inet_sock_of(socket);
	if (!sk)
		return NULL;
	return socket_read(sk, struct sock, sk_protocol) == IPPROTO_UDP ? sk : NULL;
}

/* The same of what is behind a descriptor. */
static __always_inline struct sock *udp_sock_of_fd(__u32 fd)
{
	return udp_sock_of_file(file_of_fd(fd));
}

/* Both ends as the socket has them now; the peer of one that is not connected reads *. */
static __always_inline void socket_endpoints(struct sock *sk, struct endpoint *local,
					     struct endpoint *peer)
{
	local->family = peer->family = socket_read(sk, struct sock, __sk_common.skc_family);
	local->port = bpf_htons(socket_read(sk, struct sock, __sk_common.skc_num));
	peer->port = socket_read(sk, struct sock, __sk_common.skc_dport);
	if (local->family == AF_INET6) {
		socket_read_into(local->addr, 16, sk, struct sock, __sk_common.skc_v6_rcv_saddr);
		socket_read_into(peer->addr, 16, sk, struct sock, __sk_common.skc_v6_daddr);
	} else {
		socket_read_into(local->addr, 4, sk, struct sock, __sk_common.skc_rcv_saddr);
		socket_read_into(peer->addr, 4, sk, struct sock, __sk_common.skc_daddr);
	}
}

#endif
