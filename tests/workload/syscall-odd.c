/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * System calls whose begin or end is unlike that of others.
 *
 * usage: syscall-odd [-d N] [-s N] [-x PROGRAM]
 *   -d N        N times getppid, refused by a seccomp filter: the kernel never begins the call
 *   -s N        N signals that are handled: sigreturn ends with the registers of another time
 *   -x PROGRAM  a thread that is not the first one executes it, and takes the first one's id
 */
#define _GNU_SOURCE 1
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "truth.h"

static const char usage[] = "usage: syscall-odd [-d N] [-s N] [-x PROGRAM]";

static void refuse_getppid(void)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {.len = 4, .filter = rules};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		err(1, "failed to set a seccomp filter");
}

static void make_refused_calls(unsigned long count)
{
	if (count)
		refuse_getppid();
	for (unsigned long i = 0; i < count; i++) {
		if (syscall(SYS_getppid) != -1 || errno != EPERM)
			errx(1, "getppid was not refused");
	}
	truth_print_count("calls", "getppid", NULL, count);
	truth_print_count("errors", "getppid", "EPERM", count);
}

static void handle(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	(void)context;
}

static void get_signals(unsigned long count)
{
	/* With SA_SIGINFO it is rt_sigreturn on every ABI. */
	const struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};

	if (sigaction(SIGUSR1, &action, NULL))
		err(1, "failed to handle SIGUSR1");
	for (unsigned long i = 0; i < count; i++)
		raise(SIGUSR1);
	truth_print_count("calls", "rt_sigreturn", NULL, count);
	truth_print_count("calls", "tgkill", NULL, count);
}

static void *execute(void *program)
{
	char *argv[] = {program, NULL};

	execv(program, argv);
	err(1, "failed to execute '%s'", (char *)program);
}

static void execute_in_thread(char *program)
{
	pthread_t thread;

	truth_print_count("calls", "execve", NULL, 1);
	fflush(stdout);
	if (pthread_create(&thread, NULL, execute, program))
		errx(1, "failed to start a thread");
	pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
	unsigned long refused = 0, signals = 0;
	char *program = NULL;
	int option;

	while ((option = getopt(argc, argv, "d:s:x:")) != -1) {
		if (option == 'd')
			refused = truth_number(optarg);
		else if (option == 's')
			signals = truth_number(optarg);
		else if (option == 'x')
			program = optarg;
		else
			errx(2, "%s", usage);
	}
	if (optind < argc)
		errx(2, "%s", usage);
	get_signals(signals);
	make_refused_calls(refused);
	if (program)
		execute_in_thread(program);
	return 0;
}
