/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counts what the traced processes send and receive on UDP sockets by io_uring, which no system
 * call shows. A tool gets it by including this; user/lib/uring-report.c loads the programs that
 * fit the kernel and prints the counts. Processes without io_uring do not run any of this.
 *
 * A request's file is known at its completion from 5.19 on, and at its submission before, when
 * the completion did not name its request: there, submissions are counted.
 *
 * On a kernel that is locked down (confidentiality) requests can only be read by bpf_rdonly_cast()
 * (6.2), without which nothing is counted, as with a BTF file that does not have io_uring's types
 * (min_core_btf leaves them out); -v says so.
 */
#ifndef WIRESCOPE_URING_BPF_H
#define WIRESCOPE_URING_BPF_H

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "filter.bpf.h"
#include "hist.bpf.h"
#include "kcompat.bpf.h"
#include "lost.bpf.h"
#include "socket.bpf.h"
#include "syscall.h"
#include "uring.h"

/* include/uapi/linux/io_uring.h */
#define URING_OP(nr)         (1ULL << (nr))
#define URING_READV          1
#define URING_WRITEV         2
#define URING_READ_FIXED     4
#define URING_WRITE_FIXED    5
#define URING_SENDMSG        9
#define URING_RECVMSG        10
#define URING_READ           22
#define URING_WRITE          23
#define URING_SEND           26
#define URING_RECV           27
#define URING_SPLICE         30
#define URING_SEND_ZC        47
#define URING_SENDMSG_ZC     48
#define URING_READ_MULTISHOT 49
#define URING_READV_FIXED    60
#define URING_WRITEV_FIXED   61
#define URING_CQE_BUFFER     1U  /* IORING_CQE_F_BUFFER */
#define URING_CQE_MORE       2U  /* IORING_CQE_F_MORE */
#define URING_CQE_NOTIF      8U  /* IORING_CQE_F_NOTIF */
#define URING_FIXED_FILE     1U  /* IOSQE_FIXED_FILE */
#define URING_BUFFER_SELECT  32U /* IOSQE_BUFFER_SELECT */
#define URING_CQE_SKIP       64U /* IOSQE_CQE_SKIP_SUCCESS */
#define URING_OUT_SIZE       16  /* struct io_uring_recvmsg_out */

static const __u64 uring_sends = URING_OP(URING_WRITEV) | URING_OP(URING_WRITE_FIXED) |
				 URING_OP(URING_SENDMSG) | URING_OP(URING_WRITE) |
				 URING_OP(URING_SEND) | URING_OP(URING_SPLICE) |
				 URING_OP(URING_SEND_ZC) | URING_OP(URING_SENDMSG_ZC) |
				 URING_OP(URING_WRITEV_FIXED);
static const __u64 uring_receives = URING_OP(URING_READV) | URING_OP(URING_READ_FIXED) |
				    URING_OP(URING_RECVMSG) | URING_OP(URING_READ) |
				    URING_OP(URING_RECV) | URING_OP(URING_READ_MULTISHOT) |
				    URING_OP(URING_READV_FIXED);
static const __u64 uring_socket_ops = URING_OP(URING_SENDMSG) | URING_OP(URING_RECVMSG) |
				      URING_OP(URING_SEND) | URING_OP(URING_RECV) |
				      URING_OP(URING_SEND_ZC) | URING_OP(URING_SENDMSG_ZC);

const volatile bool uring_by_submission;

/*
 * Told by user/lib/uring-report.c: BTF ids and offsets. To relocate the fields here costs each
 * start a way through all types of the kernel for each struct.
 */
const volatile __u32 uring_types[URING_TYPES];
const volatile __u32 uring_offsets[URING_OFFSETS];

/* Not a result that prints by itself: its numbers mean different things. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, URING_COUNTS);
	__type(key, __u32);
	__type(value, __u64);
} uring_counts SEC(".maps");

COUNT_ARRAY(uring_rx_errors, errno_nr, ERRNO_MAX);
COUNT_ARRAY(uring_tx_errors, errno_nr, ERRNO_MAX);

/*
 * Requests that complete more than once. All completions but the last do not name their request,
 * only what the process calls it.
 */
#define URING_SHOTS 1024

struct uring_shot_key {
	__u64 ring;
	__u64 user_data;
};

struct uring_shot {
	__u64 req;
	__u64 header; /* bytes before the payload that completions of RECVMSG count */
};

/* Not a plain hash: the end of a ring cancels its requests where no filter can tell whose. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, URING_SHOTS);
	__type(key, struct uring_shot_key);
	__type(value, struct uring_shot);
} uring_shots SEC(".maps");

static __always_inline void uring_add(__u32 count, __u64 n)
{
	__u64 *sum = bpf_map_lookup_elem(&uring_counts, &count);

	if (sum)
		*sum += n;
}

static __always_inline bool uring_is(__u64 ops, __u8 opcode)
{
	return opcode < 64 && (ops >> opcode) & 1;
}

#define uring_has(field) (uring_offsets[field] != URING_ABSENT)

/* A field, into a variable of its size; 0 if the kernel does not have it. */
#define uring_read(to, ptr, struct_type, field)                                                 \
	do {                                                                                    \
		*(to) = 0;                                                                      \
		if (socket_cast && uring_has(field))                                            \
			*(to) = *(typeof(to))(bpf_rdonly_cast(ptr, uring_types[struct_type]) +  \
					      uring_offsets[field]);                            \
		else if (uring_has(field))                                                      \
			bpf_probe_read_kernel(to, sizeof(*(to)), (ptr) + uring_offsets[field]); \
	} while (0)

static __always_inline __u8 uring_opcode(void *req)
{
	__u8 opcode;

	uring_read(&opcode, req, URING_REQ, URING_REQ_OPCODE);
	return opcode;
}

static __always_inline bool uring_is_udp(void *req)
{
	struct file *file;

	uring_read(&file, req, URING_REQ, URING_REQ_FILE);
	return udp_sock_of_file(file);
}

static __always_inline void uring_count_result(bool rx, int res, __u32 header)
{
	if (res < 0 && rx) {
		count_add_at(&uring_rx_errors, -res, 1);
	} else if (res < 0) {
		count_add_at(&uring_tx_errors, -res, 1);
	} else {
		uring_add(rx ? URING_RECEIVES : URING_SENDS, 1);
		if ((__u32)res > header)
			uring_add(rx ? URING_RECEIVE_BYTES : URING_SEND_BYTES, res - header);
	}
}

/* Not static: the kernel checks it once then, not anew for each way that leads to it. */
__noinline int uring_count_end(__u64 req, __u32 rx, int res, __u32 header)
{
	if (uring_is_udp((void *)req))
		uring_count_result(rx, res, header);
	return 0;
}

static __always_inline __u32 uring_flags(void *req)
{
	__u32 flags;

	uring_read(&flags, req, URING_REQ, URING_REQ_FLAGS);
	return flags;
}

/* May complete more than once: only with buffers that the kernel chooses. */
static __always_inline bool uring_has_shots(void *req, __u8 opcode)
{
	return uring_is(uring_socket_ops | URING_OP(URING_READ_MULTISHOT), opcode) &&
	       uring_flags(req) & URING_BUFFER_SELECT;
}

static __always_inline struct uring_shot_key uring_key(void *req)
{
	struct uring_shot_key key;
	__u64 user_data;
	void *ring;

	uring_read(&ring, req, URING_REQ, URING_REQ_CTX);
	uring_read(&user_data, req, URING_REQ, URING_REQ_USER_DATA);
	key = (struct uring_shot_key){.ring = (__u64)ring, .user_data = user_data};
	return key;
}

static __always_inline void uring_keep_shot(void *req)
{
	struct uring_shot shot = {.req = (__u64)req};
	struct uring_shot_key key;

	if (!uring_has_shots(req, uring_opcode(req)))
		return;
	key = uring_key(req);
	if (bpf_map_update_elem(&uring_shots, &key, &shot, BPF_ANY))
		lost_inc(LOST_MAP_FULL);
}

/* Of a completion that is not the last: that may come when the request has given this back. */
static __always_inline __u32 uring_header(struct uring_shot *shot)
{
	void *req = (void *)shot->req, *msg;
	__u64 controllen;
	__u32 namelen;

	if (!uring_has(URING_MSG_NAMELEN) || !uring_has(URING_MSG_CONTROLLEN) ||
	    uring_opcode(req) != URING_RECVMSG)
		return 0;
	uring_read(&msg, req, URING_REQ, URING_REQ_ASYNC_DATA);
	if (!msg)
		return shot->header;
	uring_read(&namelen, msg, URING_MSG, URING_MSG_NAMELEN);
	uring_read(&controllen, msg, URING_MSG, URING_MSG_CONTROLLEN);
	shot->header = URING_OUT_SIZE + namelen + controllen;
	return shot->header;
}

static __always_inline void uring_end_shot(struct uring_shot_key *key, int res, __u32 flags)
{
	struct uring_shot *shot = bpf_map_lookup_elem(&uring_shots, key);
	__u8 opcode;

	/* One that was begun before the run: buffers are chosen for receives and bundles only. */
	if (!shot && flags & URING_CQE_BUFFER)
		uring_add(URING_UNSURE, 1);
	if (!shot)
		return;
	opcode = uring_opcode((void *)shot->req);
	uring_count_end(shot->req, uring_is(uring_receives, opcode), res, uring_header(shot));
}

static __always_inline void uring_end_last(void *req, int res)
{
	__u8 opcode = uring_opcode(req);
	bool rx = uring_is(uring_receives, opcode);
	struct uring_shot *shot = NULL;
	struct uring_shot_key key;
	__u32 header = 0;

	if (!rx && !uring_is(uring_sends, opcode))
		return;
	if (uring_has_shots(req, opcode)) {
		key = uring_key(req);
		shot = bpf_map_lookup_elem(&uring_shots, &key);
	}
	if (shot)
		header = shot->header;
	uring_count_end((__u64)req, rx, res, header);
	if (shot)
		bpf_map_delete_elem(&uring_shots, &key);
}

static __noinline int uring_end(__u64 ring, void *req, __u64 user_data, int res, __u32 flags)
{
	struct uring_shot_key key = {.ring = ring, .user_data = user_data};

	/* A zero-copy send completes a second time when its buffer is free again. */
	if (!filter_pass() || flags & URING_CQE_NOTIF)
		return 0;
	if (req)
		uring_end_last(req, res);
	else
		uring_end_shot(&key, res, flags);
	return 0;
}

/* struct io_uring_cqe, whose layout is that of every program's own. */
struct uring_cqe {
	__u64 user_data;
	int res;
	__u32 flags;
};

#define uring_cqe_read(cqe, field) (kernel_typed ? (cqe)->field : BPF_PROBE_READ(cqe, field))

SEC("?tp_btf/io_uring_complete")
int BPF_PROG(uring_end_cqe, void *ring, void *req, struct uring_cqe *cqe)
{
	return uring_end((__u64)ring, req, uring_cqe_read(cqe, user_data), uring_cqe_read(cqe, res),
			 uring_cqe_read(cqe, flags));
}

SEC("?tp_btf/io_uring_complete")
int BPF_PROG(uring_end_req, void *ring, void *req, __u64 user_data, int res, __u32 flags)
{
	return uring_end((__u64)ring, req, user_data, res, flags);
}

static __always_inline void uring_count_begin(bool rx, bool sure)
{
	if (!sure) {
		uring_add(URING_UNSURE, 1);
		return;
	}
	uring_add(rx ? URING_RECEIVES : URING_SENDS, 1);
	uring_add(URING_UNTOLD, 1);
}

/* That it succeeds is not told. If not, its completion counts as well: as an error. */
static __always_inline void uring_begin_untold(void *req, bool rx)
{
	__u32 flags = uring_flags(req), fd;
	bool sure = !(flags & URING_FIXED_FILE);

	if (!(flags & URING_CQE_SKIP) || !uring_has(URING_REQ_FD))
		return;
	uring_read(&fd, req, URING_REQ, URING_REQ_FD);
	if (!sure || udp_sock_of_fd(fd))
		uring_count_begin(rx, sure);
}

static __noinline int uring_begin(void *req)
{
	__u8 opcode;
	bool rx;

	if (!filter_pass())
		return 0;
	opcode = uring_opcode(req);
	rx = uring_is(uring_receives, opcode);
	if (!rx && !uring_is(uring_sends, opcode))
		return 0;
	if (!uring_by_submission) {
		uring_keep_shot(req);
		uring_begin_untold(req, rx);
	} else if (uring_is_udp(req)) {
		uring_count_begin(rx, true);
	}
	return 0;
}

SEC("?tp_btf/io_uring_submit_req")
int BPF_PROG(uring_begin_req, void *req)
{
	return uring_begin(req);
}

SEC("?tp_btf/io_uring_submit_sqe")
int BPF_PROG(uring_begin_sqe, void *req)
{
	return uring_begin(req);
}

SEC("?tp_btf/io_uring_submit_sqe")
int BPF_PROG(uring_begin_ring, void *ring, void *req)
{
	return uring_begin(req);
}

/* Before 5.14, and not Debian's 5.10. What reads and writes can be anything. */
SEC("?tp_btf/io_uring_submit_sqe")
int BPF_PROG(uring_begin_opcode, void *ring, __u8 opcode)
{
	if (filter_pass() && uring_is(uring_socket_ops, opcode))
		uring_count_begin(false, false);
	return 0;
}

/*
 * A request is woken, by whoever it may be: one that has several completions is made known, if
 * it was begun before the run.
 */
SEC("?tp_btf/io_uring_task_add")
int BPF_PROG(uring_wake, void *req)
{
	struct uring_shot_key key;

	if (filter_off || !uring_has_shots(req, uring_opcode(req)))
		return 0;
	key = uring_key(req);
	if (!bpf_map_lookup_elem(&uring_shots, &key))
		uring_keep_shot(req);
	return 0;
}

/* No room in the ring: neither the request is named nor the end seen. */
SEC("?tp_btf/io_uring_cqe_overflow")
int BPF_PROG(uring_overflow)
{
	if (filter_pass())
		uring_count_begin(false, false);
	return 0;
}

#endif
