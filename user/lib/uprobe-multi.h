/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Links of many uprobes (Linux 6.6), which the libbpf and the headers that we build with do not
 * know.
 */
#ifndef WIRESCOPE_UPROBE_MULTI_H
#define WIRESCOPE_UPROBE_MULTI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define UPROBE_MULTI_ATTACH 48 /* BPF_TRACE_UPROBE_MULTI, a program's expected attach type */

struct uprobe_multi {
	const char *path;
	const uint64_t *offsets; /* in the file */
	const uint64_t *cookies;
	uint32_t cnt;
	bool is_return;
	pid_t pid; /* 0: all */
};

/* The descriptor of a link, or a negative errno. */
int uprobe_multi_link(int prog_fd, const struct uprobe_multi *m);

/*
 * Does the kernel have them, and take "pid" for a process? At first it took it for a thread
 * (46ba0e49b642, in 6.10 and in later releases of 6.6).
 */
bool uprobe_multi_works(void);

#endif
