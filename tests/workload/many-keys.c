/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Many keys for tools that count by process or by name: N processes, at most 2 of them at a
 * time, each with a name of its own ("key-0" and so on) and one getppid under that name.
 *
 * usage: many-keys -n N
 */
#define _GNU_SOURCE 1
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "truth.h"

#define ALIVE_MAX 2
#define COMM_SIZE 16 /* the kernel's TASK_COMM_LEN */

static const char usage[] = "usage: many-keys -n N";

static void be_key(unsigned int number)
{
	char comm[COMM_SIZE];

	snprintf(comm, sizeof(comm), "key-%u", number);
	if (prctl(PR_SET_NAME, comm))
		_exit(1);
	syscall(SYS_getppid);
	_exit(0);
}

static void wait_one(void)
{
	int status;

	if (wait(&status) < 0)
		err(1, "failed to wait");
	if (status)
		errx(1, "a process failed");
}

static void run(unsigned long processes)
{
	for (unsigned long i = 0; i < processes; i++) {
		pid_t child;

		if (i >= ALIVE_MAX)
			wait_one();
		child = fork();
		if (child < 0)
			err(1, "failed to fork");
		if (child == 0)
			be_key(i);
	}
	for (unsigned long i = 0; i < processes && i < ALIVE_MAX; i++)
		wait_one();
}

int main(int argc, char **argv)
{
	unsigned long processes = 0;
	int option;

	while ((option = getopt(argc, argv, "n:")) != -1) {
		if (option != 'n')
			errx(2, "%s", usage);
		processes = truth_number(optarg);
	}
	if (optind < argc || !processes)
		errx(2, "%s", usage);
	run(processes);
	truth_print_count("calls", "getppid", NULL, processes);
	truth_print_count("calls", "prctl", NULL, processes);
	truth_print_count("calls", "wait4", NULL, processes);
	truth_print_count("calls", "exit_group", NULL, processes + 1);
	truth_print_count("forks", NULL, NULL, processes);
	truth_print_count("exits", NULL, NULL, processes + 1);
	return 0;
}
