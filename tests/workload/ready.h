/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Known states of a workload, so that a test needs no guess at how long to wait. */
#ifndef WORKLOAD_READY_H
#define WORKLOAD_READY_H

#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define READY_TRIES_MS 10000

/* Says "ready PID" and goes on at the end of stdin. */
static inline void ready_wait_go(void)
{
	char discarded;

	printf("ready %d\n", getpid());
	fflush(stdout);
	while (read(STDIN_FILENO, &discarded, 1) > 0)
		;
}

/* The system call that a thread is in, or -1: the kernel names that of one that does not run. */
static inline long ready_syscall_of(pid_t tid)
{
	char path[64];
	FILE *file;
	long number = -1;

	snprintf(path, sizeof(path), "/proc/%d/syscall", tid);
	file = fopen(path, "re");
	if (!file)
		err(1, "failed to open '%s'", path);
	if (fscanf(file, "%ld", &number) != 1)
		number = -1;
	fclose(file);
	return number;
}

static inline bool ready_in_recvfrom(pid_t tid)
{
	long number = ready_syscall_of(tid);

#ifdef SYS_socketcall
	if (number == SYS_socketcall)
		return true;
#endif
	return number == SYS_recvfrom;
}

static inline void ready_wait_recvfrom(pid_t tid)
{
	for (int tries = 0; !ready_in_recvfrom(tid); tries++) {
		if (tries == READY_TRIES_MS)
			errx(1, "task %d does not block in a receive", tid);
		usleep(1000);
	}
}

#endif
