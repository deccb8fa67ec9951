/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The times at which packets come in, which the kernel takes while somebody asks for them. */
#ifndef WIRESCOPE_STAMPING_H
#define WIRESCOPE_STAMPING_H

#include <stdint.h>

/*
 * Have all packets stamped until this process ends, and wait until they are. 0 or a negative
 * errno, printed.
 */
int stamping_start(void);

/* What is to be subtracted from CLOCK_TAI and CLOCK_MONOTONIC to get CLOCK_REALTIME. */
struct stamping_clocks {
	int64_t tai_ns;       /* whole seconds */
	int64_t monotonic_ns; /* of BPF programs (clock.h) */
};

struct stamping_clocks stamping_clocks(void);

#endif
