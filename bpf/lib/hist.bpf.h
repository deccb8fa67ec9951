/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Result maps. The definition is all there is: user space finds the map by its value type,
 * reads it, and prints it under its name.
 *
 *	HIST(name);                    @name:            one histogram
 *	HIST_ARRAY(name, key, n);      @name[key]:       one for each small integer below n
 *	HIST_SPLIT(name, key);         @name: and, in a second map, @name[key]:
 *	COUNT_ARRAY(name, key, n);     @name[key]: 12
 */
#ifndef WIRESCOPE_HIST_BPF_H
#define WIRESCOPE_HIST_BPF_H

#include <bpf/bpf_helpers.h>
#include "lost.bpf.h"
#include "hist.h"

#define HIST_KEYS 10240

/*
 * Set for programs that can be preempted (uprobes, USDT): two of them may then run on one
 * CPU at once, and a plain increment could lose a count.
 */
const volatile bool hist_atomic;

#define HIST_ARRAY(map_name, key_type, entries)          \
	struct {                                         \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); \
		__uint(max_entries, entries);            \
		__type(key, key_type);                   \
		__type(value, struct hist);              \
	} map_name SEC(".maps")

#define HIST(map_name) HIST_ARRAY(map_name, __u32, 1)

/* Not per CPU: a histogram for each key and CPU would cost 0.5 KB each. */
#define HIST_SPLIT(map_name, key_type)           \
	HIST(map_name);                          \
	struct {                                 \
		__uint(type, BPF_MAP_TYPE_HASH); \
		__uint(max_entries, HIST_KEYS);  \
		__type(key, key_type);           \
		__type(value, struct hist);      \
	} map_name##_by SEC(".maps")

#define COUNT_ARRAY(map_name, key_type, entries)         \
	struct {                                         \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); \
		__uint(max_entries, entries);            \
		__type(key, key_type);                   \
		__type(value, struct count);             \
	} map_name SEC(".maps")

static __always_inline __u32 hist_slot(__s64 value)
{
	__u64 v = value;
	__u32 log2 = 0;

	if (value <= 0)
		return value == 0;
	if (v >> 32)
		v >>= 32, log2 += 32;
	if (v >> 16)
		v >>= 16, log2 += 16;
	if (v >> 8)
		v >>= 8, log2 += 8;
	if (v >> 4)
		v >>= 4, log2 += 4;
	if (v >> 2)
		v >>= 2, log2 += 2;
	return 2 + log2 + (v >> 1);
}

/* Record a value that was seen n times. */
static __always_inline void hist_record(struct hist *h, __s64 value, __u64 n, bool atomic)
{
	__u32 slot = hist_slot(value);

	if (slot >= HIST_SLOTS)
		return;
	/* Without the test clang makes "or 0" of an "add 0", which Linux before 5.12 refuses. */
	if (value > 0 && atomic)
		__sync_fetch_and_add(&h->sum, value * n);
	else if (value > 0)
		h->sum += value * n;
	if (atomic)
		__sync_fetch_and_add(&h->slots[slot], n);
	else
		h->slots[slot] += n;
}

/* Add to entry `index` of a HIST_ARRAY (0 of a HIST) a value that was seen n times. */
static __always_inline void hist_add_times_at(void *map, __u32 index, __s64 value, __u64 n)
{
	struct hist *h = bpf_map_lookup_elem(map, &index);

	if (h)
		hist_record(h, value, n, hist_atomic);
}

#define hist_add_at(map, index, value) hist_add_times_at(map, index, value, 1)
#define hist_add_times(map, value, n)  hist_add_times_at(map, 0, value, n)
#define hist_add(map, value)           hist_add_at(map, 0, value)

#define HIST_KEY_MAX 64

static const struct hist hist_zero;
static const __u64 hist_other[HIST_KEY_MAX / 8] = {-1, -1, -1, -1, -1, -1, -1, -1};

/*
 * Add to a key. When the map is full, the value goes to the key of all ones, which user
 * space put there before the start and prints as (other): totals stay right.
 */
static __noinline __attribute__((unused)) void hist_add_key(void *map, const void *key, __s64 value)
{
	struct hist *h = bpf_map_lookup_elem(map, key);

	if (!h) {
		bpf_map_update_elem(map, key, &hist_zero, BPF_NOEXIST);
		h = bpf_map_lookup_elem(map, key);
	}
	if (!h)
		h = bpf_map_lookup_elem(map, hist_other);
	if (h)
		hist_record(h, value, 1, true);
	else
		lost_inc(LOST_MAP_FULL);
}

static __always_inline void count_add_at(void *map, __u32 index, __u64 n)
{
	struct count *c = bpf_map_lookup_elem(map, &index);

	if (!c)
		return;
	if (hist_atomic)
		__sync_fetch_and_add(&c->n, n);
	else
		c->n += n;
}

#endif
