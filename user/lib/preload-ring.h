/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The reading end of a ring that another process writes, or damages: each word is read once, and
 * nothing of it is believed.
 */
#ifndef WIRESCOPE_PRELOAD_RING_H
#define WIRESCOPE_PRELOAD_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload-region.h"

#define PRELOAD_RECORD_MAX 32768

struct preload_ring {
	struct preload_slot *slot;
	const char *bytes;
	uint64_t size; /* a power of two */
	uint64_t head; /* when it was last looked at */
	uint64_t tail;
	struct preload_head next; /* of the first record; size 0: there is none */
	uint64_t damaged;         /* times that something made no sense; all was left out then */
};

/* Is there a record? Looks for what has come. */
bool preload_ring__look(struct preload_ring *r);

/* Copy the first record, of next.size bytes, and go on to the one behind it, of those seen. */
void preload_ring__take(struct preload_ring *r, void *record);

#endif
