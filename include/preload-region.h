/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a library that was put into a process (preload/) and the tool share.
 *
 * The process makes a file in memory (memfd), a region, and sends it to the tool's socket; it
 * never waits for the tool. A thread that has something to tell takes a slot with a ring, of
 * which it is the only writer; head and tail only rise, a position in the ring is one modulo its
 * size. Nothing in a region can be believed: the process may write what it likes, at any time.
 */
#ifndef WIRESCOPE_PRELOAD_REGION_H
#define WIRESCOPE_PRELOAD_REGION_H

#include <linux/types.h>

#define PRELOAD_MAGIC         0x32505357 /* "WSP2": changes with the layout */
#define PRELOAD_SLOTS         512        /* threads at once that have a ring: at most */
#define PRELOAD_LIBRARIES     8          /* of a process, that are named */
#define PRELOAD_PATH          256
#define PRELOAD_LOSSES        256 /* connections, or the like, of which something is lost */
#define PRELOAD_ABOUT         192
#define PRELOAD_NAME          32 /* of a run: of its socket, and in those of the memfds */
#define PRELOAD_TICKET        64 /* name, secret and user of a run, with colons, in hexadecimal */
#define PRELOAD_ENVIRONMENT   "WIRESCOPE_PRELOAD"
#define PRELOAD_MEMFD_PREFIX  "wirescope-"
#define PRELOAD_RING_BITS_MIN 16 /* a record has to fit */
#define PRELOAD_RING_BITS_MAX 30

/*
 * What the process sends first, with its memfd, which has room for as many rings as the process
 * may have; a connection without a word only wakes the tool. All users see the names of sockets:
 * it is the secret that tells a process of the command, which has it in its environment.
 */
struct preload_hello {
	__u32 magic;
	__u32 ring_bits;
	__u64 secret;
	__u32 error; /* an errno: there is no memfd, and the process will not be seen */
	__u32 reserved;
};

struct preload_slot {
	/* Of the thread that has it. */
	__u64 head __attribute__((aligned(64)));
	__u64 lost_calls; /* for want of room, since the slot is there */
	__u64 lost_bytes;
	__u64 cut_calls; /* of which only the first bytes had room */
	__u32 owner;     /* 0: it is free */
	/* Of the tool. */
	__u64 tail __attribute__((aligned(64)));
};

/*
 * What was lost of something since its last record, which has told what was lost before. about
 * says what it is, as a record does.
 */
struct preload_loss {
	__u32 taken; /* 0: this one is free */
	__u32 calls;
	__u64 bytes;
	char about[PRELOAD_ABOUT] __attribute__((aligned(8)));
};

struct preload_region {
	__u32 magic;
	/* Of the tool: it does not look before it is told to; it wants no more. */
	__u32 asleep __attribute__((aligned(64)));
	__u32 stopped;
	__u32 slots_used __attribute__((aligned(64))); /* ever: those behind have nothing */
	/* Of threads without a slot. */
	__u64 lost_calls __attribute__((aligned(64)));
	__u64 lost_bytes;
	char libraries[PRELOAD_LIBRARIES][PRELOAD_PATH];
	struct preload_slot slots[PRELOAD_SLOTS];
	struct preload_loss losses[PRELOAD_LOSSES];
};

#define PRELOAD_RINGS 262144 /* where in the memfd the rings begin; the region ends before */

/* Before each record in a ring; both begin at multiples of 8. */
struct preload_head {
	__u32 size; /* of the record */
	__u32 reserved;
	__u64 ns; /* CLOCK_MONOTONIC: records of all rings are in this order */
};

#define PRELOAD_ALIGN(size) (((size) + 7) & ~(__u64)7)

#endif
