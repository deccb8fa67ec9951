/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A call that has begun and not ended, for the thread that made it. */
#ifndef WIRESCOPE_SPAN_H
#define WIRESCOPE_SPAN_H

#include <linux/types.h>

#define SPAN_SLOTS 65536
#define SPANS_MET  8192 /* running calls whose slot is taken */

struct span {
	__u64 start_ns; /* of CLOCK_MONOTONIC; 0: no call is running */
	__u32 tid;
	__u32 id;     /* the tool's own: which call */
	__u64 arg[2]; /* the tool's own: what its end must know */
};

/*
 * Neighbouring thread ids, which tend to run at the same time on different CPUs, get slots
 * 256 apart, so that they do not share cache lines.
 */
#define SPAN_SLOT(tid) ((((tid) << 8) | (((tid) >> 8) & 0xff)) & (SPAN_SLOTS - 1))

#endif
