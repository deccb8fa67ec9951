/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What io-latencies' two halves share. */
#ifndef WIRESCOPE_IO_LATENCIES_H
#define WIRESCOPE_IO_LATENCIES_H

#include <linux/types.h>

/* Sums that no histogram shows. */
enum io_count {
	IO_RX_UNTIMED,   /* datagrams read whose arrival is not known */
	IO_RX_LATE,      /* of these: it became known later */
	IO_RX_UNSTAGED,  /* of those with a time: when they came into the queue is not known */
	IO_TX_PACKETS,   /* handed to a device's queue within a send call */
	IO_TX_SEGMENTED, /* of these: cut by the kernel in front of the driver */
	IO_TX_DROPPED,   /* of these: dropped in front of the driver */
	IO_TX_OUTSIDE,   /* packets of UDP sockets that were sent in no call that is known */
	IO_TX_LATER,     /* datagrams sent of which no packet was queued within the call */
	IO_COUNTS,
};

/* As the kernel's enum skb_drop_reason; kernels that have none (before 5.17): one of these. */
typedef __u32 drop_reason;

#define DROP_NO_MEMORY  0xfffe
#define DROP_QUEUE_FULL 0xffff

struct drop_key {
	drop_reason reason;
	__u32 port; /* the local one */
};

#define DROP_KEYS 4096
#define IO_PORTS  65536

#endif
