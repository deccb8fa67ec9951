/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Attaching programs to functions of files: at the cheapest place (placement.h), by the cheapest
 * way that this kernel has. Since 6.6 one link can hold many probes (BPF_TRACE_UPROBE_MULTI),
 * which is cheaper for each hit and at the end; libbpf 1.1 does not know it, so it is done here.
 */
#ifndef WIRESCOPE_UPROBE_H
#define WIRESCOPE_UPROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <bpf/libbpf.h>

#include "placement.h"

#define ENOTSUPP 524 /* of the kernel alone: it puts no probe on such an instruction */

/* Before loading: tell the kernel in which of the ways a program is going to be attached. */
int uprobe_prepare(struct bpf_program *prog);

struct uprobe_site {
	uint64_t offset; /* in the file */
	uint64_t cookie;
};

/*
 * Attach a program that was prepared to sites of a file. is_return: as uretprobes, which sites
 * chosen by placement are not. pid: only the memory of this process gets breakpoints, -1: of all.
 * The links are kept by links.h. Errors print no message.
 */
int uprobe_attach(const struct bpf_program *prog, const char *path, const struct uprobe_site *sites,
		  size_t cnt, pid_t pid, bool is_return);

/*
 * Choose the places of a function of an open file, at offset, of size bytes (0: not known, the
 * plain ones then).
 */
void uprobe_place(struct placement *p, int fd, uint64_t offset, uint64_t size, uint32_t args);

#endif
