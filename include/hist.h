/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Values of result maps. A map whose value is one of these structs is a result: its name is
 * what is printed after '@', and its key type says how keys print (see user/lib/object.h).
 */
#ifndef WIRESCOPE_HIST_H
#define WIRESCOPE_HIST_H

#include <linux/types.h>

/*
 * Log2 buckets of a signed 64-bit value v, as bpftrace's hist() has them:
 * slot 0 holds v < 0, slot 1 holds v == 0, slot 2 + k holds 2^k <= v < 2^(k+1).
 */
#define HIST_SLOTS 65

struct hist {
	__s64 sum; /* of the values above 0, so that an average costs no second map */
	__u64 slots[HIST_SLOTS];
};

struct count {
	__u64 n;
};

#endif
