/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Attaching to probes of all kinds. */
#ifndef WIRESCOPE_PROBE_PLACES_H
#define WIRESCOPE_PROBE_PLACES_H

#include <stdbool.h>

#include <bpf/libbpf.h>

#include "probe-points.h"
#include "target.h"

struct probe_programs {
	const struct bpf_program *usdt;
	const struct bpf_program *uprobe; /* returns too */
	const struct bpf_program *tracepoint[PROBE_COPIES];
	const struct bpf_program *raw[PROBE_COPIES];
};

/*
 * Which of its programs a site on a tracepoint has: of one event, or of all raw ones, the n-th one
 * has the n-th program.
 */
size_t probe_places_copy(const struct probe_site *sites, size_t site);

/* Before loading: can this kernel attach to them? 0, or a negative error after a message. */
int probe_places_check(const struct probe_site *sites, size_t cnt);

/*
 * Attach to all sites; a program learns by its cookie the index of its site. binary: of those
 * that name none; NULL: the program of the target. The same errors.
 */
int probe_places_attach(const struct probe_site *sites, size_t cnt,
			const struct probe_programs *programs, const char *binary,
			const struct target *target);

#endif
