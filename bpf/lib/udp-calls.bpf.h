/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* System calls that can send or receive UDP datagrams, of both ABIs, in one form. */
#ifndef WIRESCOPE_UDP_CALLS_BPF_H
#define WIRESCOPE_UDP_CALLS_BPF_H

#include <asm/unistd.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "compat-calls.bpf.h"
#include "kcompat.bpf.h"
#include "lost.bpf.h"

enum udp_call {
	UDP_RX = 1,      /* else it sends */
	UDP_BATCH = 2,   /* takes an array of struct mmsghdr */
	UDP_COMPAT = 4,  /* made by a 32-bit caller */
	UDP_NONE = 8,    /* not such a call */
	UDP_MSGHDR = 16, /* takes one struct msghdr */
	UDP_ASIDE = 32,  /* leaves the queue as it is: looks at it, or receives an error */
	UDP_FILE = 64    /* write, read and the like, which have no flags */
};

#define MSG_PEEK     0x2
#define MSG_ERRQUEUE 0x2000

#define RESTART_FIRST 512 /* ERESTARTSYS .. ERESTART_RESTARTBLOCK, include/linux/errno.h */
#define RESTART_LAST  516

/* A call that a signal broke off, and that begins again unless the signal forbids it. */
static __always_inline bool is_restart(long error)
{
	return error >= RESTART_FIRST && error <= RESTART_LAST;
}

const volatile bool udp_mmsg_only;
const volatile bool udp_rw; /* write, read and sendfile too */

static __always_inline enum udp_call udp_call_of_native(long nr)
{
	switch (nr) {
	case __NR_sendmmsg:
		return UDP_BATCH;
	case __NR_recvmmsg:
		return UDP_BATCH | UDP_RX;
	case __NR_sendmsg:
		return udp_mmsg_only ? UDP_NONE : UDP_MSGHDR;
	case __NR_sendto:
		return udp_mmsg_only ? UDP_NONE : 0;
	case __NR_recvmsg:
		return udp_mmsg_only ? UDP_NONE : UDP_MSGHDR | UDP_RX;
	case __NR_recvfrom:
		return udp_mmsg_only ? UDP_NONE : UDP_RX;
	case __NR_write:
	case __NR_writev:
	case __NR_sendfile:
		return udp_rw ? UDP_FILE : UDP_NONE;
	case __NR_read:
	case __NR_readv:
		return udp_rw ? UDP_FILE | UDP_RX : UDP_NONE;
	default:
		return UDP_NONE;
	}
}

static __always_inline enum udp_call udp_call_of_compat(long nr)
{
	switch (nr) {
	case COMPAT_SENDMMSG:
		return UDP_BATCH;
	case COMPAT_RECVMMSG:
	case COMPAT_RECVMMSG_TIME64:
		return UDP_BATCH | UDP_RX;
#if defined(__TARGET_ARCH_arm64)
	case COMPAT_SEND:
#endif
	case COMPAT_SENDTO:
		return udp_mmsg_only ? UDP_NONE : 0;
	case COMPAT_SENDMSG:
		return udp_mmsg_only ? UDP_NONE : UDP_MSGHDR;
#if defined(__TARGET_ARCH_arm64)
	case COMPAT_RECV:
#endif
	case COMPAT_RECVFROM:
		return udp_mmsg_only ? UDP_NONE : UDP_RX;
	case COMPAT_RECVMSG:
		return udp_mmsg_only ? UDP_NONE : UDP_MSGHDR | UDP_RX;
	case COMPAT_WRITE:
	case COMPAT_WRITEV:
	case COMPAT_SENDFILE:
	case COMPAT_SENDFILE64:
		return udp_rw ? UDP_FILE : UDP_NONE;
	case COMPAT_READ:
	case COMPAT_READV:
		return udp_rw ? UDP_FILE | UDP_RX : UDP_NONE;
	default:
		return UDP_NONE;
	}
}

#if defined(__TARGET_ARCH_x86)

enum { /* include/uapi/linux/net.h */
       CALL_SEND = 9,
       CALL_RECV = 10,
       CALL_SENDTO = 11,
       CALL_RECVFROM = 12,
       CALL_SENDMSG = 16,
       CALL_RECVMSG = 17,
       CALL_RECVMMSG = 19,
       CALL_SENDMMSG = 20,
};

static __always_inline enum udp_call udp_call_of_socketcall(__u32 call)
{
	switch (call) {
	case CALL_SENDMMSG:
		return UDP_BATCH;
	case CALL_RECVMMSG:
		return UDP_BATCH | UDP_RX;
	case CALL_SEND:
	case CALL_SENDTO:
		return udp_mmsg_only ? UDP_NONE : 0;
	case CALL_SENDMSG:
		return udp_mmsg_only ? UDP_NONE : UDP_MSGHDR;
	case CALL_RECV:
	case CALL_RECVFROM:
		return udp_mmsg_only ? UDP_NONE : UDP_RX;
	case CALL_RECVMSG:
		return udp_mmsg_only ? UDP_NONE : UDP_MSGHDR | UDP_RX;
	default:
		return UDP_NONE;
	}
}

#endif

/* Arguments of a call: descriptor, array of messages, number of messages, flags. */
struct udp_args {
	__u32 fd;
	__u32 vlen; /* flags of a call that takes one struct msghdr */
	__u64 vec;
	__u32 flags;
};

static __always_inline bool udp_is_aside(enum udp_call call, const struct udp_args *args)
{
	__u32 flags = call & UDP_MSGHDR ? args->vlen : args->flags;

	return call & UDP_RX && !(call & UDP_FILE) && flags & (MSG_PEEK | MSG_ERRQUEUE);
}

#if defined(__TARGET_ARCH_x86)
static __always_inline enum udp_call udp_decode_i386(long nr, struct pt_regs *regs,
						     struct udp_args *args)
{
	__u32 packed[4] = {};
	enum udp_call call;

	args->fd = kernel_read(regs, bx);
	args->vec = (__u32)kernel_read(regs, cx);
	args->vlen = kernel_read(regs, dx);
	args->flags = kernel_read(regs, si);
	if (nr != COMPAT_SOCKETCALL)
		return udp_call_of_compat(nr) | UDP_COMPAT;
	call = udp_call_of_socketcall(args->fd);
	if (call & UDP_NONE)
		return call;
	/* As many as the kernel reads: there may be nothing behind them. */
	if (bpf_probe_read_user(packed, (call & UDP_MSGHDR ? 3 : 4) * sizeof(__u32),
				(void *)args->vec))
		return UDP_NONE;
	args->fd = packed[0];
	args->vec = packed[1];
	args->vlen = packed[2];
	args->flags = packed[3];
	return call | UDP_COMPAT;
}
#endif

/* Decode a call at its begin, from the registers that tp_btf/sys_enter hands over. */
static __always_inline enum udp_call udp_decode(long nr, struct pt_regs *regs, bool compat,
						struct udp_args *args)
{
#if defined(__TARGET_ARCH_x86)
	if (compat)
		return udp_decode_i386(nr, regs, args);
#endif
	args->fd = regs_syscall_arg(regs, 0);
	args->vec = regs_syscall_arg(regs, 1);
	args->vlen = regs_syscall_arg(regs, 2);
	args->flags = regs_syscall_arg(regs, 3);
	return compat ? udp_call_of_compat(nr) | UDP_COMPAT : udp_call_of_native(nr);
}

/* Whether a call that ends can be one of these, as cheaply as can be. */
static __always_inline bool udp_may_be_call(long nr, bool compat)
{
	if (!compat)
		return !(udp_call_of_native(nr) & UDP_NONE);
#if defined(__TARGET_ARCH_x86)
	if (nr == COMPAT_SOCKETCALL)
		return true;
#endif
	return !(udp_call_of_compat(nr) & UDP_NONE);
}

/*
 * struct mmsghdr, in words of 4 bytes: how many, and where msg_len is (the last member but
 * padding).
 */
#define MMSG_WORDS    16
#define MMSG_LEN      14
#define MMSG_WORDS_32 8
#define MMSG_LEN_32   7
#define MMSG_CHUNK    64   /* messages read at once */
#define MMSG_MAX      1024 /* UIO_MAXIOV: the kernel takes no more */

struct mmsg_chunk {
	__u32 words[MMSG_CHUNK * MMSG_WORDS];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct mmsg_chunk);
} mmsg_chunks SEC(".maps");

/*
 * Bytes of n messages, at most MMSG_CHUNK. Read at once: a message costs 2 ns, not the 20 ns
 * of a read of its own. Not static: verified once, not for each time around the loop below.
 */
__noinline __u64 mmsg_chunk_bytes(__u64 vec, __u32 n, bool compat)
{
	__u32 zero = 0, words = compat ? MMSG_WORDS_32 : MMSG_WORDS;
	__u32 len_at = compat ? MMSG_LEN_32 : MMSG_LEN, bytes = n * words * sizeof(__u32);
	struct mmsg_chunk *chunk = bpf_map_lookup_elem(&mmsg_chunks, &zero);
	__u64 sum = 0;

	if (!chunk || bytes > sizeof(chunk->words))
		return 0;
	if (bpf_probe_read_user(chunk->words, bytes, (void *)vec)) {
		lost_inc(LOST_FAULT);
		return 0;
	}
	for (__u32 i = 0; i < MMSG_CHUNK && i < n; i++)
		sum += chunk->words[(i * words + len_at) % (MMSG_CHUNK * MMSG_WORDS)];
	return sum;
}

/*
 * Bytes of the first n messages of an array of struct mmsghdr, whose msg_len the kernel has
 * just written. What could not be read is counted as lost.
 */
static __always_inline __u64 mmsg_bytes(__u64 vec, __u32 n, bool compat)
{
	__u32 step = MMSG_CHUNK * (compat ? MMSG_WORDS_32 : MMSG_WORDS) * sizeof(__u32);
	__u64 sum = 0;

	for (__u32 done = 0; done < MMSG_MAX && done < n; done += MMSG_CHUNK) {
		sum += mmsg_chunk_bytes(vec, n - done < MMSG_CHUNK ? n - done : MMSG_CHUNK, compat);
		vec += step;
	}
	return sum;
}

#endif
