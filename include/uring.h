/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is known of datagrams that traced processes sent and received by io_uring. */
#ifndef WIRESCOPE_URING_H
#define WIRESCOPE_URING_H

/* Keys of uring_counts. */
enum uring_count {
	URING_SENDS,
	URING_SEND_BYTES,
	URING_RECEIVES,
	URING_RECEIVE_BYTES,
	URING_UNTOLD, /* of sends and receives: those that tell no result, nor bytes */
	URING_UNSURE, /* operations that may have been on UDP sockets */
	URING_COUNTS,
};

/* Structs of the kernel that are read, and where in them (uring_types, uring_offsets). */
enum uring_type { URING_REQ, URING_MSG, URING_TYPES };

enum uring_offset {
	URING_REQ_FILE,
	URING_REQ_OPCODE,
	URING_REQ_CTX,
	URING_REQ_FLAGS, /* of 64 bits since 6.9: the low half */
	URING_REQ_ASYNC_DATA,
	URING_REQ_USER_DATA,
	URING_REQ_FD, /* at the submission */
	URING_MSG_NAMELEN,
	URING_MSG_CONTROLLEN,
	URING_OFFSETS,
};

#define URING_ABSENT 0xffffffffU

#endif
