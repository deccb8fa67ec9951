/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* UDP packets by device and by the place in the kernel where they were seen. */
#ifndef WIRESCOPE_DEVICE_PACKETS_H
#define WIRESCOPE_DEVICE_PACKETS_H

#include <linux/types.h>

#define DEVICE_NAME   16 /* IFNAMSIZ */
#define DEVICES_MAX   64
#define DEVICE_OTHERS 0           /* the entry of those that found no room */
#define DEVICE_NONE   DEVICES_MAX /* not the one that was asked for */

/* Where a packet was seen. */
enum packet_place {
	PLACE_QUEUED,   /* net_dev_queue: what the stack made */
	PLACE_DRIVER,   /* net_dev_start_xmit: what the driver was given */
	PLACE_WIRE,     /* napi_gro_receive_entry: what the driver gave to GRO */
	PLACE_RECEIVED, /* netif_receive_skb: what the stack was given */
	PACKET_PLACES,
};

/* Packets of which no datagrams can be counted. */
enum packet_reason {
	PACKET_NO_SOCKET, /* with a target only: it cannot be told whose it is */
	PACKET_TUNNEL,    /* its segments are not those of its UDP header */
	PACKET_HIDDEN,    /* its headers are not where a program can read them */
	PACKET_REASONS,
};

struct packet_counts {
	__u64 packets;
	__u64 datagrams;
	__u64 bytes;     /* of payload */
	__u64 batches;   /* packets of several datagrams */
	__u64 batched;   /* their datagrams */
	__u64 fragments; /* of IP, which are packets but no datagrams but for the first */
	__u64 not_counted[PACKET_REASONS];
};

struct device_counts {
	struct packet_counts at[PACKET_PLACES];
};

struct device_key {
	__u32 ifindex;
	__u32 netns; /* inode */
};

struct device_info {
	struct device_key key;
	char name[DEVICE_NAME];
};

/* How user space shows a device; here for its BTF. */
struct device_label {
	char text[64];
};

#endif
