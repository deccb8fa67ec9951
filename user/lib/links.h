/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Links beyond the one that a skeleton has for each program: a program that is attached to
 * several events, or to probes found at run time. tool_main() destroys them before the last
 * report.
 */
#ifndef WIRESCOPE_LINKS_H
#define WIRESCOPE_LINKS_H

#include <bpf/libbpf.h>

/* Takes ownership; NULL is an error that has been reported: returns -EINVAL. */
int links_keep(struct bpf_link *link);

/* The same for the descriptor of a link that libbpf does not know. */
int links_keep_fd(int fd);

void links_destroy(void);

/*
 * Instead, at the end: have a process of its own let go of them, which ends by itself. The kernel
 * takes 70 ms for each classic tracepoint and uprobe, which is no user's time.
 */
void links_leave(void);

#endif
