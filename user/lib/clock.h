/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The clock of bpf_ktime_get_ns(). */
#ifndef WIRESCOPE_CLOCK_H
#define WIRESCOPE_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC as BPF programs see it, which is not ours in a time namespace. */
uint64_t clock_now_ns(void);

#endif
