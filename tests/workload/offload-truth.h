/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What offload-load states besides truth.h's facts:
 *
 *   hist gso_size SLOT COUNT     of each message sent: the bytes of a segment, or all if it is one
 *   hist gso_count SLOT COUNT    and the segments
 *   hist gro_size, hist gro_count  the same of each message received, as its control data tells
 *   hist wire_tx_size SLOT COUNT payload bytes of each datagram that these sends make
 *   wire DIRECTION datagrams COUNT, wire DIRECTION bytes COUNT   of all messages
 *   gso_error tx ERRNO COUNT     failed calls whose first message was to be segmented
 *   truncated SIZE COUNT         messages received with MSG_TRUNC, by the bytes there was room for
 *   recvmmsg ok COUNT, recvmmsg one COUNT   its calls that returned messages, and just one
 *   sendmmsg partial COUNT       its calls that sent fewer messages than asked, and no error
 *   port DIRECTION PORT          local port of each socket
 */
#ifndef WORKLOAD_OFFLOAD_TRUTH_H
#define WORKLOAD_OFFLOAD_TRUTH_H

#include "truth.h"

enum offload_hist {
	OFFLOAD_GSO_SIZE,
	OFFLOAD_GSO_COUNT,
	OFFLOAD_GRO_SIZE,
	OFFLOAD_GRO_COUNT,
	OFFLOAD_WIRE_TX_SIZE,
	OFFLOAD_HISTS
};

/* Room for a message, where it is too small: SIZE or twice that. */
#define OFFLOAD_ROOMS 2

struct offload_truth {
	unsigned long hists[OFFLOAD_HISTS][TRUTH_SLOTS];
	unsigned long datagrams[TRUTH_DIRS];
	unsigned long bytes[TRUTH_DIRS];
	unsigned long gso_errors[TRUTH_ERRNOS];
	unsigned long truncated[OFFLOAD_ROOMS];
	unsigned long recvmmsg_ok, recvmmsg_one, sendmmsg_partial;
};

static const char *const offload_hists[] = {
	"gso_size", "gso_count", "gro_size", "gro_count", "wire_tx_size",
};

/* A message of len bytes in segments of size (0: in one). Returns how many these are. */
static inline unsigned long offload_segments(unsigned long len, unsigned long size)
{
	return size && len > size ? (len + size - 1) / size : 1;
}

/* size_hist is followed by that of the counts. */
static inline void offload_message(struct offload_truth *truth, enum truth_dir dir,
				   unsigned long len, unsigned long size)
{
	enum offload_hist size_hist = dir == TRUTH_TX ? OFFLOAD_GSO_SIZE : OFFLOAD_GRO_SIZE;
	unsigned long count = offload_segments(len, size);

	truth_add(&truth->hists[size_hist][truth_slot(count > 1 ? size : len)], 1);
	truth_add(&truth->hists[size_hist + 1][truth_slot(count)], 1);
	truth_add(&truth->datagrams[dir], count);
	truth_add(&truth->bytes[dir], len);
}

static inline void offload_sent(struct offload_truth *truth, unsigned long len, unsigned long size)
{
	unsigned long full = offload_segments(len, size) - 1;
	unsigned long *wire = truth->hists[OFFLOAD_WIRE_TX_SIZE];

	offload_message(truth, TRUTH_TX, len, size);
	truth_add(&wire[truth_slot(size)], full);
	truth_add(&wire[truth_slot(len - full * size)], 1);
}

static inline void offload_print_wire(const struct offload_truth *truth, enum truth_dir dir)
{
	if (!truth->datagrams[dir])
		return;
	printf("wire %s datagrams %lu\n", truth_dirs[dir], truth->datagrams[dir]);
	printf("wire %s bytes %lu\n", truth_dirs[dir], truth->bytes[dir]);
}

/* room: the smaller of the two that were too small, if any was. */
static inline void offload_print(const struct offload_truth *truth, unsigned long room)
{
	for (int hist = 0; hist < OFFLOAD_HISTS; hist++)
		truth_print_slots(offload_hists[hist], truth->hists[hist]);
	for (int error = 1; error < TRUTH_ERRNOS; error++)
		truth_print_count("gso_error", "tx", strerrorname_np(error),
				  truth->gso_errors[error]);
	for (int i = 0; i < OFFLOAD_ROOMS; i++) {
		if (truth->truncated[i])
			printf("truncated %lu %lu\n", room << i, truth->truncated[i]);
	}
	truth_print_count("recvmmsg", "ok", NULL, truth->recvmmsg_ok);
	truth_print_count("recvmmsg", "one", NULL, truth->recvmmsg_one);
	truth_print_count("sendmmsg", "partial", NULL, truth->sendmmsg_partial);
	offload_print_wire(truth, TRUTH_TX);
	offload_print_wire(truth, TRUTH_RX);
}

#endif
