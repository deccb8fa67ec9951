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

static __always_inline struct file *file_of_fd(__u32 fd)
{
	struct files_struct *files = task_read(files);
	struct fdtable *fdt = socket_read(files, struct files_struct, fdt);
	struct file **slots, *file = NULL;

	if (!fdt || fd >= socket_read(fdt, struct fdtable, max_fds))
		return NULL;
	slots = socket_read(fdt, struct fdtable, fd);
	bpf_probe_read_kernel(&file, sizeof(file), slots + fd);
	return file;
}

/* The socket behind a descriptor if it is a UDP one (IPv4 or IPv6), else NULL. */
static __always_inline struct sock *udp_sock_of_fd(__u32 fd)
{
	struct file *file = file_of_fd(fd);
	struct inode *inode;
	struct socket *socket;
	struct sock *sk;
	__u16 family;

	if (!file)
		return NULL;
	inode = socket_read(file, struct file, f_inode);
	if (!inode || (socket_read(inode, struct inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	socket = socket_read(file, struct file, private_data);
	/* An O_PATH descriptor of a socket's file has the inode, but is not its file. */
	if (!socket || socket_read(socket, struct socket, file) != file)
		return NULL;
	/* A raw socket of protocol 17 sends headers that the program made: not a UDP socket. */
	if (socket_read(socket, struct socket, type) != SOCK_DGRAM)
		return NULL;
	sk = socket_read(socket, struct socket, sk);
	if (!sk)
		return NULL;
	family = socket_read(sk, struct sock, __sk_common.skc_family);
	if (family != AF_INET && family != AF_INET6)
		return NULL;
	return socket_read(sk, struct sock, sk_protocol) == IPPROTO_UDP ? sk : NULL;
}

/* Both ends as the socket has them now; the peer of one that is not connected reads *. */
static __always_inline void socket_endpoints(struct sock *sk, struct endpoint *local,
					     struct endpoint *peer)
{
	struct sock_common *c = &sk->__sk_common;

	local->family = peer->family = BPF_CORE_READ(c, skc_family);
	local->port = bpf_htons(BPF_CORE_READ(c, skc_num));
	peer->port = BPF_CORE_READ(c, skc_dport);
	if (local->family == AF_INET6) {
		BPF_CORE_READ_INTO(&local->addr, c, skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&peer->addr, c, skc_v6_daddr);
	} else {
		BPF_CORE_READ_INTO((__be32 *)&local->addr, c, skc_rcv_saddr);
		BPF_CORE_READ_INTO((__be32 *)&peer->addr, c, skc_daddr);
	}
}

#endif
