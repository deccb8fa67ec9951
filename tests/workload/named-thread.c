/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A process "named-main" whose thread "named-worker" makes N getppid.
 *
 * usage: named-thread N
 */
#define _GNU_SOURCE 1
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "truth.h"

static void *work(void *arg)
{
	unsigned long n = *(unsigned long *)arg;

	if (prctl(PR_SET_NAME, "named-worker"))
		_exit(1);
	for (unsigned long i = 0; i < n; i++)
		syscall(SYS_getppid);
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned long n = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	pthread_t thread;

	if (!n || prctl(PR_SET_NAME, "named-main") || pthread_create(&thread, NULL, work, &n) ||
	    pthread_join(thread, NULL))
		errx(1, "usage: named-thread N");
	printf("calls getppid %lu\n", n);
	return 0;
}
