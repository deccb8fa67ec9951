/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Results of specs out of the maps that all of them share. */
#ifndef WIRESCOPE_PROBE_REPORT_H
#define WIRESCOPE_PROBE_REPORT_H

#include "probe-point.h"
#include "report.h"

struct probe_maps {
	const struct bpf_map *powers;
	const struct bpf_map *counts;
	const struct bpf_map *powers_by;
	const struct bpf_map *counts_by;
	const struct bpf_map *begun;
	const struct bpf_map *pairs;
};

/* A spec, as far as printing needs to know it. */
struct probe_view {
	const char *name;
	__u32 spec;
	struct probe_result result;
	size_t keys_cnt;
	const struct probe_read *keys[PROBE_KEYS]; /* how each was read */
	const char *unit;
};

/* Once loaded: the rows for what finds no room. 0, or a negative error after a message. */
int probe_view__make_room(const struct probe_view *v, const struct probe_maps *maps);

/* Print a result, if there is any; *events grows by what it has counted. The same errors. */
int probe_view__print(const struct probe_view *v, const struct probe_maps *maps, struct report *r,
		      uint64_t *events);

/* Note the ends of a latency that did not find each other, in the whole run. */
int probe_view__note_pairs(const struct probe_view *v, const struct probe_maps *maps);

#endif
