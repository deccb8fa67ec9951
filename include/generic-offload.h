/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What generic-offload's two halves share. */
#ifndef WIRESCOPE_GENERIC_OFFLOAD_H
#define WIRESCOPE_GENERIC_OFFLOAD_H

#include <linux/types.h>

#define OFFLOAD_PORTS 4096

enum offload_direction { OFFLOAD_TX, OFFLOAD_RX, OFFLOAD_DIRECTIONS };

/* Of what was sent from, or received at, the local ports of one number. */
struct offload_flow {
	__u64 messages;
	__u64 datagrams;
	__u64 bytes;
	__u64 offloaded;      /* messages of more than one datagram: GSO or GRO */
	__u64 batches;        /* calls for more than one message that moved some */
	__u64 batches_of_one; /* of these, those that moved one only */
	__u64 partial;        /* calls that sent fewer messages than they were given */
	__u64 calls;          /* that succeeded */
};

struct offload_port {
	struct offload_flow flow[OFFLOAD_DIRECTIONS];
};

#endif
