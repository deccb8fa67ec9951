/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Attaching to functions of a file. */
#ifndef WIRESCOPE_PROBE_FUNCTIONS_H
#define WIRESCOPE_PROBE_FUNCTIONS_H

#include <bpf/libbpf.h>

#include "binary.h"
#include "probe-points.h"

struct probe_functions {
	const struct probe_site *sites;
	const size_t *order;            /* indices of those that are meant */
	size_t cnt;                     /* of them */
	const struct bpf_program *prog; /* prepared by uprobe_prepare() */
	const struct binary *binary;
	const char *label; /* what to call it in messages */
	pid_t pid;         /* as of uprobe_attach() */
};

/*
 * Attach to them all, each where it costs least; a program learns by its cookie the index of its
 * site. 0, or a negative error after a message.
 */
int probe_functions_attach(const struct probe_functions *f);

#endif
