/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which file a user means by the name of a program or library. */
#ifndef WIRESCOPE_BINARY_H
#define WIRESCOPE_BINARY_H

#include <limits.h>

#include "target.h"

struct binary {
	int fd;              /* held: nobody can put another file where path leads to */
	char path[PATH_MAX]; /* leads through it where there is a /proc */
	unsigned long device;
	unsigned long inode;
};

/*
 * The file that a process knows by name: the one that it has mapped, which may have been deleted
 * or replaced since, or that its mount namespace has, else ours. name is a path, or a file or
 * library that it has mapped. Errors print a message.
 */
int binary_of_process(struct binary *binary, pid_t pid, const char *name);

/* The file of a path, or a program of this name in PATH. Errors print a message. */
int binary_of_name(struct binary *binary, const char *name);

/* Of a binary that was found. */
void binary__close(struct binary *binary);

#endif
