/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Ids of processes and threads in our PID namespace and in the initial one: BPF programs know
 * the second, everything else (/proc, kill, -p, reports) the first. In the initial namespace
 * both are the same, and nothing here does anything.
 */
#ifndef WIRESCOPE_PIDNS_H
#define WIRESCOPE_PIDNS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "pidns-thread.h"

/*
 * Read the ids of all threads that our namespace has now, the first time and again when there
 * can be new ones. Returns 0, or a negative error without a message: ids known before stay.
 */
int pidns_refresh(void);

/* Can ids be translated? True in the initial namespace, elsewhere after a refresh that worked. */
bool pidns_is_known(void);

/* Id in the initial namespace of a process or thread of ours; 0 if it is not known. */
pid_t pidns_global(pid_t id);

/* Id in our namespace; 0 if it is not known: a stranger's, or one that came and went unseen. */
pid_t pidns_local(pid_t global_id);

/* How deep our namespace is, 0 for the initial one; and its inode number. */
unsigned int pidns_depth(void);
unsigned int pidns_inode(void);

/* Where the kernel has it; all zero in the initial namespace. */
void pidns_offsets(uint32_t offsets[PIDNS_OFFSETS]);

void pidns_close(void);

#endif
