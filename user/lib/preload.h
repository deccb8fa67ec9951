/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The processes of a command that have our library in them, and what they tell: records of any
 * kind, in the order of their times. See include/preload-region.h.
 */
#ifndef WIRESCOPE_PRELOAD_H
#define WIRESCOPE_PRELOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "preload-region.h"
#include "target.h"

struct preload_process {
	pid_t pid; /* as we call it; 0: it is in a PID namespace that we do not see */
	const struct preload_region *region;
};

/* size bytes, aligned to 8, in our own memory; the process may have written anything. */
typedef int (*preload_record_fn)(void *arg, const struct preload_process *process,
				 const void *record, size_t size);

/* What no record tells: what was lost behind the last one. loss is a copy. */
typedef void (*preload_loss_fn)(const struct preload_process *process,
				const struct preload_loss *loss);

/*
 * From now on processes can tell us of themselves. target: whose processes. on_loss is called
 * when a process has ended, and by preload_tell_losses().
 */
int preload_open(const struct target *target, unsigned int ring_bits, preload_loss_fn on_loss);

/* Those of processes that still run, once all is read. */
void preload_tell_losses(void);

/* Of the run: the begin of what PRELOAD_ENVIRONMENT is to be set to. */
const char *preload_ticket(void);

/* As in struct feed. */
int preload_fd(void);
int preload_timeout_ms(void);
int preload_read(preload_record_fn fn, void *arg, bool all);
bool preload_took(void);
size_t preload_running(void);

struct preload_lost {
	uint64_t calls;     /* there was no room in the ring of their thread */
	uint64_t cut;       /* or only for their first bytes */
	uint64_t unslotted; /* their thread had no ring */
	uint64_t damaged;   /* records that made no sense */
	uint64_t unseen;    /* processes that could not take part */
};

/* In the whole run. */
struct preload_lost preload_lost(void);

void preload_close(void);

#endif
