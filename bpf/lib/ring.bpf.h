/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Events on their way to user space, in the order in which they happened, for tools that have
 * an event() in their descriptor. A record is reserved, filled in and submitted; it may have
 * any size that is a constant where it is reserved. What finds no room is counted, so that
 * events seen and events lost are together all that happened.
 *
 * The kernel wakes the reader only when it had read all before this record; the reader then
 * leaves some time for more to come (user/lib/ring.c), so a burst costs few wakeups.
 */
#ifndef WIRESCOPE_RING_BPF_H
#define WIRESCOPE_RING_BPF_H

#include <bpf/bpf_helpers.h>
#include "lost.bpf.h"

#ifndef RING_BYTES
#define RING_BYTES (8 << 20)
#endif

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES); /* --buffer sets another size */
} ring SEC(".maps");

static __always_inline void *ring_reserve(__u64 size)
{
	void *record = bpf_ringbuf_reserve(&ring, size, 0);

	if (!record)
		lost_inc(LOST_RING_FULL);
	return record;
}

static __always_inline void ring_submit(void *record)
{
	bpf_ringbuf_submit(record, 0);
}

#endif
