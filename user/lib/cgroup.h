/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Groups of the cgroup2 hierarchy, told by inode: a path differs by mount and namespace. */
#ifndef WIRESCOPE_CGROUP_H
#define WIRESCOPE_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/*
 * Open a cgroup by its folder, or by its path below the mount of the hierarchy. Returns a
 * descriptor, or a negative error after a message.
 */
int cgroup_open(const char *path);

/* Is a process in the cgroup behind fd, or in one below it? */
bool cgroup_has(int fd, pid_t pid);

/* The line "0::/a/b" of a /proc/PID/cgroup to "/a/b", the root to ""; false if there is none. */
bool cgroup_parse(FILE *text, char *cgroup, size_t size);

/* A mount of the hierarchy, or of a part of it (a container's). */
struct cgroup_mount {
	char root[PATH_MAX]; /* what is mounted, as /proc/PID/cgroup calls it */
	char dir[PATH_MAX];  /* where */
};

/* A line of /proc/PID/mountinfo; false if it is another file system. */
bool cgroup_parse_mount(const char *line, struct cgroup_mount *m);

#endif
