/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Count of what could not be recorded. Each path that drops data ends in lost_inc(). */
#ifndef WIRESCOPE_LOST_BPF_H
#define WIRESCOPE_LOST_BPF_H

#include <bpf/bpf_helpers.h>
#include "lost.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LOST_REASONS);
	__type(key, __u32);
	__type(value, __u64);
} lost_events SEC(".maps");

static __always_inline void lost_inc(__u32 reason)
{
	__u64 *n = bpf_map_lookup_elem(&lost_events, &reason);

	if (n)
		__sync_fetch_and_add(n, 1);
}

#endif
