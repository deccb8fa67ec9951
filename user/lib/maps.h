/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The files that a process has mapped, from /proc/PID/maps. */
#ifndef WIRESCOPE_MAPS_H
#define WIRESCOPE_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct mapping {
	uint64_t start; /* as in the name of its link in /proc/PID/map_files */
	uint64_t end;
	uint64_t offset; /* in the file */
	uint64_t inode;
	unsigned int major;
	unsigned int minor;
	bool executable;
	bool deleted; /* nothing has the file's name any more, or another file has it */
	char *path;   /* as the process' mount namespace has it, without " (deleted)" */
};

struct maps {
	struct mapping *map; /* each file once: an executable mapping if it has one */
	size_t cnt;
};

/*
 * Read the text of a maps file. Lines that do not read like the kernel's are left out, as are
 * mappings without a file. Returns 0 or -ENOMEM, without a message; *maps is valid in both cases.
 */
int maps_read(struct maps *maps, FILE *text);

/* The same for a process; -ESRCH if it is gone, -EACCES if it may not be looked at. */
int maps_of_process(struct maps *maps, pid_t pid);

void maps__free(struct maps *maps);

/*
 * What a user means by name: the file of this path, else, if it is no path, the first one of
 * this name ("libssl.so.3") or of this library ("libssl"). NULL if there is none.
 */
const struct mapping *maps__find(const struct maps *maps, const char *name);

#endif
