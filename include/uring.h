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

#endif
