/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the programs are told about a spec: where in their context its terms are. */
#ifndef WIRESCOPE_PROBE_POINTS_H
#define WIRESCOPE_PROBE_POINTS_H

#include "probe-point.h"
#include "probe-spec.h"

/* A point, with what attaching to it takes. */
struct probe_site {
	struct probe_point point;
	struct probe_place place;
	bool optional;
};

/*
 * Look up what a spec names in the running kernel, and make its one or two sites. Before loading:
 * it asks the kernel's BTF. 0, or a negative error after a message.
 */
int probe_sites_make(const struct probe_spec *spec, __u32 index, struct probe_site sites[2],
		     size_t *cnt);

/* What sites have at most. */
struct probe_limits {
	__u32 keys;
	__u32 filters;
	__u32 matches;
	__u32 steps;
	bool texts;
};

void probe_site__extend(const struct probe_site *site, struct probe_limits *limits);

/* How many arguments a program reads there: that of the highest number, and one. */
size_t probe_site__args(const struct probe_site *site);

/* Does its program read registers that hold arguments? */
bool probe_site__reads_registers(const struct probe_site *site);

/* Which registers it reads, of a function: bit 0 is that of the first argument. */
#define PROBE_ARGUMENTS 0xffffU
#define PROBE_RESULT    (1U << 16)
#define PROBE_STACK     (1U << 17)
uint32_t probe_site__registers(const struct probe_site *site);

/* Is it a text that is read, not a number? */
bool probe_read_is_text(const struct probe_read *read);

#endif
