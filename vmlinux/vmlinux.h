/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel types and fields that our programs read, and nothing else: a reviewed list of
 * what we assume of kernels. CO-RE relocates every field by name when a program is loaded,
 * so order, padding and members left out do not matter; names and kinds of types do.
 * `tools/mkvmlinux STRUCT FIELD...` prints an entry from the running kernel's BTF.
 *
 * `make check-btf` compares all of it with kernels. What some of them lack says which, in
 * front of the semicolon, and the programs ask (bpf_core_field_exists()) before they read it:
 *
 *	long state BEFORE("5.14");
 *	unsigned int __state SINCE("5.14");
 *
 * Where that is true of none of the kernels that it is about, the check fails too.
 */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__ /* bpf_tracing.h takes the kernel's register names when it sees this */

#include <linux/types.h>
#include <linux/bpf.h>

typedef _Bool bool;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;
typedef int pid_t;
enum { false, true };

/* Only for the check: a kernel that is older than such notes in BTF (5.16) need not see them. */
#ifdef CHECK_BTF
#define SINCE(release)  __attribute__((btf_decl_tag("since " release)))
#define BEFORE(release) __attribute__((btf_decl_tag("before " release)))
#else
#define SINCE(release)
#define BEFORE(release)
#endif

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8;
	unsigned long ax, cx, dx, si, di, orig_ax, ip, sp;
};

/* CONFIG_X86_FRED, 6.9; Debian has it from 7.0 on: what stands above pt_regs on a stack. */
struct SINCE("7.0") fred_info {
	unsigned long edata;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	__u64 regs[31], sp, pc, pstate;
};
struct pt_regs {
	union {
		struct user_pt_regs user_regs;
		struct {
			u64 regs[31], sp, pc, pstate;
		};
	};
	u64 orig_x0;
	int syscallno;
};
#endif

struct thread_info {
	unsigned long flags; /* arm64: TIF_32BIT */
#if defined(__TARGET_ARCH_x86)
	u32 status; /* TS_COMPAT */
#endif
};

typedef struct {
	int counter;
} atomic_t;

struct signal_struct {
	atomic_t live; /* threads that have not begun to exit */
};

struct in6_addr {
	union {
		__u8 u6_addr8[16];
	} in6_u;
};

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	__be32 skc_daddr, skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num; /* local port, host order; 0 once the socket is closed */
	unsigned short skc_family;
	unsigned char skc_ipv6only : 1;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};

struct sk_buff;
struct socket;

typedef s64 ktime_t;

struct sk_buff_head {
	struct sk_buff *next, *prev;
};

struct sock {
	struct sock_common __sk_common;
	struct sk_buff_head sk_receive_queue;
	u16 sk_type, sk_protocol;
	struct socket *sk_socket;
};

struct udp_sock {
	struct sk_buff_head reader_queue; /* where a reader moves sk_receive_queue to */
	__u16 gso_size;
	int pending; /* parts of a datagram wait for the others */
};

struct file;
struct inode;

struct socket {
	short type;
	struct file *file;
	struct sock *sk;
};

struct inode {
	unsigned short i_mode;
};

struct file {
	struct inode *f_inode;
	void *private_data;
};

struct device {
	struct device *parent; /* of hardware, and of nothing else here */
};

struct net_device {
	struct device dev;
	char name[16];
	int ifindex;
	possible_net_t nd_net;
};

struct sk_buff {
	struct net_device *dev;
	unsigned long dev_scratch; /* in place of dev, in the queue of a UDP socket */
	ktime_t tstamp;
	struct sock *sk;
	char cb[48];
	unsigned int len, data_len;
	__be16 protocol;
	__u16 network_header, transport_header; /* from head */
	unsigned int end;                       /* from head: where skb_shared_info begins */
	unsigned char *head, *data;
};

struct iphdr {
	__be16 frag_off;
	__u8 protocol;
};

struct ipv6hdr {
	__u8 nexthdr;
};

struct udphdr {
	__be16 dest;
};

struct skb_shared_info {
	unsigned short gso_size;
	unsigned int gso_type;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct pid_namespace {
	struct ns_common ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct task_struct {
	struct thread_info thread_info;
	void *stack;
	pid_t pid, tgid;
	struct task_struct *group_leader, *real_parent;
	struct pid *thread_pid;
	u64 start_time;
	char comm[16];
	struct files_struct *files;
	struct signal_struct *signal;
};

struct linux_binprm {
	const char *filename;
};

struct trace_entry {
	unsigned short type;
	unsigned char flags, preempt_count;
	int pid;
};

/*
 * Context of tracepoint/syscalls/sys_enter_X. trace_event_raw_sys_enter, which is often
 * taken for it, has its arguments elsewhere on PREEMPT_RT kernels of 6.1.
 */
struct syscall_trace_enter {
	struct trace_entry ent;
	int nr;
	unsigned long args[];
};

/* Context of tracepoint/raw_syscalls/sys_enter and sys_exit. */
struct trace_event_raw_sys_enter {
	struct trace_entry ent;
	long id;
};

struct trace_event_raw_sys_exit {
	struct trace_entry ent;
	long id;
	long ret;
};

struct syscall_trace_exit {
	struct trace_entry ent;
	int nr;
	long ret;
};

/* Nothing of these is read: io-latencies.bpf.c asks whether they are there. */
struct SINCE("6.3") trace_event_raw_sk_data_ready {
};
struct SINCE("6.3") trace_event_raw_sock_msg_length {
};
struct SINCE("6.18") udp_prod_queue {
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	struct file *file;
};

#pragma clang attribute pop

#endif
