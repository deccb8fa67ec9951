/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which processes a run is about: its settings on this side, the filter of
 * bpf/lib/filter.bpf.h on the other.
 */
#ifndef WIRESCOPE_TARGET_H
#define WIRESCOPE_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <bpf/libbpf.h>

#include "command.h"

struct target {
	pid_t *pids; /* of -p */
	int *pidfds;
	size_t pids_cnt;
	struct command command;
	char *command_path; /* owned; NULL if it was not found */
	bool follow;
	const char *cgroup; /* path, as given; not owned */
	const char *comm;   /* not owned */

	int cgroup_fd;         /* -1: none */
	unsigned char *states; /* the BPF program's target_pids, mapped */
	size_t states_size;
};

#define TARGET_INIT                                      \
	{                                                \
		.command = COMMAND_INIT, .cgroup_fd = -1 \
	}

/* Add "42" or "42,43"; checks that they can be traced. Errors print a message. */
int target__add_pids(struct target *t, const char *list);

/* True if single processes were asked for (by -p or a command). */
bool target__by_pid(const struct target *t);

/* Before loading: filter settings, programs and maps that are not needed switched off. */
int target__configure(struct target *t, struct bpf_object *obj);

/* After loading, before attaching: put the processes into the set. */
int target__arm(struct target *t, struct bpf_object *obj);

/* After attaching, with follow: add descendants that were there before us. */
int target__add_descendants(struct target *t);

/* Is this process (of our PID namespace) traced? */
bool target__includes(const struct target *t, pid_t pid);

/* Calls fn for each thread of each traced process that runs now. */
int target__each_thread(const struct target *t, int (*fn)(pid_t pid, pid_t tid, void *arg),
			void *arg);

/* Has each process that was asked for ended? */
bool target__ended(struct target *t);

/* How many traced processes run, descendants too. Reads all of /proc. */
size_t target__running(const struct target *t);

/* Stop recording, and wait until no program is in the middle of an event. */
void target__stop(struct bpf_object *obj);

void target__close(struct target *t);

#endif
