/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What files of /proc say, from their text. A process chooses parts of it (its name), so that
 * each of these functions takes any text, NUL-terminated where no length is given.
 */
#ifndef WIRESCOPE_PROC_TEXT_H
#define WIRESCOPE_PROC_TEXT_H

#include <stddef.h>
#include <sys/types.h>

/* Of /proc/PID/status; what it does not say is 0. */
struct proc_status {
	char state; /* 'R', 'Z', ... */
	pid_t tgid;
	int threads;
};

void proc_parse_status(const char *text, struct proc_status *status);

/* Of /proc/PID/stat. */
struct proc_stat {
	pid_t parent;
	unsigned int flags; /* PF_* of include/linux/sched.h */
};

/* -EPROTO if the text is not one of the kernel's. */
int proc_parse_stat(const char *text, struct proc_stat *stat);

/* Of /proc/PID/comm, len bytes of text, as far as there is room; "?" if they are none. */
void proc_parse_comm(const char *text, size_t len, char *comm, size_t size);

/* Of /proc/PID/task/TID/syscall: the number; -EAGAIN outside of a call. */
long proc_parse_syscall(const char *text);

/* A folder of /proc to its PID; 0 if the name is not a number above 0. */
pid_t proc_parse_pid(const char *name);

#endif
