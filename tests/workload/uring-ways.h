/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Ways to send and receive by io_uring. */
#ifndef WORKLOAD_URING_WAYS_H
#define WORKLOAD_URING_WAYS_H

#include "ring.h"

#define OP_READ_SHOTS 49 /* IORING_OP_READ_MULTISHOT, 6.7 */

struct op_pair {
	__u8 send, receive;
};

static const struct op_pair socket_ops[] = {{IORING_OP_SENDMSG, IORING_OP_RECVMSG},
					    {IORING_OP_SEND, IORING_OP_RECV}};
static const struct op_pair file_ops[] = {{IORING_OP_WRITE, IORING_OP_READ},
					  {IORING_OP_WRITEV, IORING_OP_READV},
					  {IORING_OP_WRITE_FIXED, IORING_OP_READ_FIXED}};
static const struct op_pair zero_copy_ops[] = {{IORING_OP_SENDMSG_ZC, IORING_OP_RECV},
					       {IORING_OP_SEND_ZC, IORING_OP_RECV}};

static const struct way {
	const char *name;
	const struct op_pair *ops; /* or one that completes more than once */
	unsigned int ops_cnt;
	__u8 shots_op;
	__u8 sqe_flags;
	unsigned int ring_flags;
	bool receive_first; /* it waits for its datagram */
	bool overflows;     /* more completions than the ring has room for */
} ways[] = {
	{.name = "inline", .ops = socket_ops, .ops_cnt = 2},
	{.name = "sqpoll", .ops = socket_ops, .ops_cnt = 2, .ring_flags = IORING_SETUP_SQPOLL},
	{.name = "async", .ops = socket_ops, .ops_cnt = 2, .sqe_flags = IOSQE_ASYNC},
	{.name = "poll", .ops = socket_ops, .ops_cnt = 2, .receive_first = true},
	{.name = "fixed", .ops = socket_ops, .ops_cnt = 2, .sqe_flags = IOSQE_FIXED_FILE},
	{.name = "rw", .ops = file_ops, .ops_cnt = 3},
	{.name = "zc", .ops = zero_copy_ops, .ops_cnt = 2},
	{.name = "skip", .ops = socket_ops, .ops_cnt = 2, .sqe_flags = IOSQE_CQE_SKIP_SUCCESS},
	{.name = "skip-fixed",
	 .ops = socket_ops,
	 .ops_cnt = 2,
	 .sqe_flags = IOSQE_CQE_SKIP_SUCCESS | IOSQE_FIXED_FILE},
	{.name = "overflow", .ops = socket_ops, .ops_cnt = 2, .overflows = true},
	{.name = "shots", .shots_op = IORING_OP_RECV},
	{.name = "shots-msg", .shots_op = IORING_OP_RECVMSG},
	{.name = "shots-read", .shots_op = OP_READ_SHOTS},
};

#endif
