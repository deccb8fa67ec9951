/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whose packet is it? Where packets pass, the current process is any. So sockets of the target
 * are marked while it uses them. A packet that is sent knows its socket; one that comes in has
 * only the address and port that it goes to.
 */
#ifndef WIRESCOPE_OWNER_BPF_H
#define WIRESCOPE_OWNER_BPF_H

#include <bpf/bpf_helpers.h>
#include "filter.bpf.h"
#include "kcompat.bpf.h"
#include "packet.bpf.h"
#include "socket.bpf.h"

#define OWNER_SOCKETS 16384

/* There is a target; else each packet passes. */
const volatile bool owner_asked;
/* Marks are kept in the sockets: programs with BTF may, since 5.11 (8e4597c627fb). */
const volatile bool owner_marks_in_sockets;

/* A mark that is older than this does not say that the socket's port is still known. */
__u32 owner_epoch = 1;

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32);
} owner_marks SEC(".maps");

/* The same by address, with the port: that of a closed socket, and of one in its place, differs. */
struct owner_mark {
	__u32 epoch;
	__u32 port;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, OWNER_SOCKETS);
	__type(key, __u64);
	__type(value, struct owner_mark);
} owner_sockets SEC(".maps");

struct owner_port {
	__u32 netns;
	__u16 family;
	__u16 port;
	__u8 addr[16]; /* zero: any */
};

/* By where their packets go to: addresses of sockets. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, OWNER_SOCKETS);
	__type(key, struct owner_port);
	__type(value, __u64);
} owner_ports SEC(".maps");

#define owner_read(sk, field) socket_read(sk, struct sock, field)

static __always_inline __u16 owner_local_port(const struct sock *sk)
{
	return owner_read(sk, __sk_common.skc_num);
}

static __always_inline bool owner_is_ipv6_only(struct sock *sk)
{
	if (socket_cast) {
		struct sock *typed = socket_as(sk, struct sock);

		return BPF_CORE_READ_BITFIELD(typed, __sk_common.skc_ipv6only);
	}
	return BPF_CORE_READ_BITFIELD_PROBED(sk, __sk_common.skc_ipv6only);
}

/* Sockets can share a port: the entry stays that of the first one while that is open. */
static __always_inline void owner_learn_port(struct owner_port *key, struct sock *sk)
{
	__u64 *known = bpf_map_lookup_elem(&owner_ports, key), value = (__u64)sk;

	if (known && owner_local_port((void *)*known) == key->port)
		return;
	if (bpf_map_update_elem(&owner_ports, key, &value, BPF_ANY))
		lost_inc(LOST_MAP_FULL);
}

static __noinline void owner_learn_ports(struct sock *sk)
{
	struct net *net = owner_read(sk, __sk_common.skc_net.net);
	bool ipv6 = owner_read(sk, __sk_common.skc_family) == AF_INET6;
	struct owner_port key = {
		.netns = socket_read(net, struct net, ns.inum),
		.family = AF_INET,
		.port = owner_local_port(sk),
	};

	if (!key.port)
		return;
	if (!ipv6 || !owner_is_ipv6_only(sk)) {
		socket_read_into(key.addr, 4, sk, struct sock, __sk_common.skc_rcv_saddr);
		owner_learn_port(&key, sk);
	}
	if (!ipv6)
		return;
	key.family = AF_INET6;
	socket_read_into(key.addr, 16, sk, struct sock, __sk_common.skc_v6_rcv_saddr);
	owner_learn_port(&key, sk);
}

static __always_inline void owner_mark_address(struct sock *sk)
{
	struct owner_mark mark = {.epoch = owner_epoch, .port = owner_local_port(sk)}, *old;
	__u64 key = (__u64)sk;

	old = bpf_map_lookup_elem(&owner_sockets, &key);
	if (old && old->epoch == mark.epoch && old->port == mark.port)
		return;
	if (bpf_map_update_elem(&owner_sockets, &key, &mark, BPF_ANY))
		lost_inc(LOST_MAP_FULL);
	owner_learn_ports(sk);
}

/* sk must be one that the kernel handed to the program, not one that was read. */
static __always_inline void owner_mark(struct sock *sk)
{
	__u32 zero = 0, *mark;

	/* bpf_sock_from_file() came with 5.11 (4f19cab76136), as did marks in sockets. */
	if (!owner_marks_in_sockets || !kernel_has_helper(sock_from_file)) {
		owner_mark_address(sk);
		return;
	}
	mark = bpf_sk_storage_get(&owner_marks, sk, &zero, BPF_SK_STORAGE_GET_F_CREATE);
	if (!mark) {
		lost_inc(LOST_MAP_FULL);
		return;
	}
	if (*mark == owner_epoch)
		return;
	*mark = owner_epoch;
	owner_learn_ports(sk);
}

static __always_inline bool owner_has_socket(struct sock *sk)
{
	struct owner_mark *mark;
	__u64 key = (__u64)sk;

	if (owner_marks_in_sockets)
		return bpf_sk_storage_get(&owner_marks, sk, NULL, 0);
	mark = bpf_map_lookup_elem(&owner_sockets, &key);
	return mark && mark->port == owner_local_port(sk);
}

/* A UDP socket that a process has, not one of the kernel's own. */
static __always_inline bool owner_is_of_process(const struct sock *sk)
{
	struct socket *socket;

	if (kernel_read(sk, sk_protocol) != IPPROTO_UDP)
		return false;
	socket = kernel_read(sk, sk_socket);
	return socket && kernel_read(socket, file);
}

/* At a place where the sender itself runs, but for packets that had to wait. */
static __always_inline bool owner_sends(struct sock *sk)
{
	if (filter_pass() && owner_is_of_process(sk))
		owner_mark(sk);
	return owner_has_socket(sk);
}

/* Whether the socket of an entry is still open; if not, all others on its port say so anew. */
static __always_inline bool owner_port_is_open(const struct owner_port *key, __u64 sk)
{
	if (owner_local_port((void *)sk) == key->port)
		return true;
	bpf_map_delete_elem(&owner_ports, key);
	owner_epoch++;
	return false;
}

/* Does a packet that came in go to a socket of the target? */
static __always_inline bool owner_receives(const struct packet *p, __u32 netns)
{
	struct owner_port key = {.netns = netns, .family = p->family, .port = p->dest};
	__u64 *sk = bpf_map_lookup_elem(&owner_ports, &key);

	if (sk)
		return owner_port_is_open(&key, *sk);
	if (p->family == AF_INET6)
		packet_load(key.addr, p->ip + 24, 4);
	else
		packet_load(key.addr, p->ip + 16, 1);
	sk = bpf_map_lookup_elem(&owner_ports, &key);
	return sk && owner_port_is_open(&key, *sk);
}

/* The tracepoints of 6.3 (6e6eda44b939): each use of a socket, by whatever call. */
static __always_inline int owner_uses(struct sock *sk)
{
	if (filter_pass() && kernel_read(sk, sk_protocol) == IPPROTO_UDP)
		owner_mark(sk);
	return 0;
}

SEC("?tp_btf/sock_send_length")
int BPF_PROG(owner_sent, struct sock *sk)
{
	return owner_uses(sk);
}

SEC("?tp_btf/sock_recv_length")
int BPF_PROG(owner_received, struct sock *sk)
{
	return owner_uses(sk);
}

/* A server's port must be known before its first packet comes. */
static __always_inline int owner_bound(__u32 fd)
{
	struct sock *sk = udp_sock_of_fd(fd);

	if (sk)
		owner_learn_ports(sk);
	return 0;
}

SEC("?tracepoint")
int owner_bind_event(struct syscall_trace_exit *ctx)
{
	if (ctx->ret || !filter_pass())
		return 0;
	if (!kernel_typed || kernel_has_helper(task_pt_regs))
		return owner_bound(kernel_read(current_regs(), SYSCALL_ARG_0));
	return owner_bound(BPF_CORE_READ(current_regs_untyped(), SYSCALL_ARG_0));
}

SEC("?tp_btf/sys_exit")
int BPF_PROG(owner_bind_raw, struct pt_regs *regs, long ret)
{
	if (ret || syscall_is_compat() || regs_syscall_nr(regs) != __NR_bind || !filter_pass())
		return 0;
	return owner_bound(regs_syscall_arg(regs, 0));
}

/* Processes that run already, by thread group; their sockets are marked once. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, OWNER_SOCKETS);
	__type(key, __u32);
	__type(value, __u8);
} owner_running SEC(".maps");

SEC("?iter/task_file")
int owner_files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct socket *socket;
	struct sock *sk;
	__u32 tgid;

	if (!task || !file)
		return 0;
	tgid = task->tgid;
	if (!bpf_map_lookup_elem(&owner_running, &tgid))
		return 0;
	sk = udp_sock_of_file(file);
	if (!sk)
		return 0;
	owner_learn_ports(sk);
	if (!owner_marks_in_sockets) {
		owner_mark_address(sk);
		return 0;
	}
	socket = bpf_sock_from_file(file);
	if (socket && socket->sk)
		owner_mark(socket->sk);
	return 0;
}

#endif
