/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The processes that preload.h is about, from their first word to their end. */
#ifndef WIRESCOPE_PRELOAD_PROCESSES_H
#define WIRESCOPE_PRELOAD_PROCESSES_H

#include "preload-ring.h"
#include "preload.h"

struct caller;

struct process_entry {
	struct preload_process shown;
	struct preload_region *region;
	size_t size;        /* of the region and its rings */
	unsigned int slots; /* that it has */
	int pidfd;          /* -1: none */
	struct caller *end; /* of its epoll event, until that has come; owned */
	bool ended;
	bool losses_told;
	struct preload_ring rings[PRELOAD_SLOTS];
	struct process_entry *next;
};

/* Errors print a message. */
int processes_open(const struct target *target, const char *name, uint64_t secret,
		   unsigned int ring_bits, preload_loss_fn on_loss);
void processes_close(void);

int processes_fd(void);

/* Those that have announced themselves, and who has ended. */
void processes_accept(void);

struct process_entry *processes_first(void);

/* Let go of those that have ended, once all of their records were read. */
void processes_forget_ended(void);

void processes_tell_asleep(bool asleep);

/* They are to record nothing more. */
void processes_stop(void);

/* So many of its slots may have something. */
unsigned int processes_slots(const struct process_entry *p);

/* Once. */
void processes_tell_losses(struct process_entry *p);

size_t processes_running(void);
struct preload_lost processes_lost(void);

#endif
