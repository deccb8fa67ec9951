/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * More of one kind than a tool's maps have room for.
 *
 * usage: flood -e N | -u N | -m N
 *   -e N   N failed calls, each with another pair of system call and errno; a seccomp filter
 *          answers them
 *   -u N   N sendto of 1 byte over UDP, each to another peer (127.a.b.c)
 *   -m N   N processes whose ids differ by multiples of 65536 from that of one of FIRST other
 *          ones; all of them are in ppoll when it says "ready", until the end of stdin
 *
 * -m needs a kernel.pid_max of 4194304 and the right to choose process ids.
 */
#define _GNU_SOURCE 1
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loopback.h"
#include "ready.h"
#include "truth.h"

#define CALLS     300 /* system calls that exist everywhere */
#define ERRNO_MAX 4095
#define MAGIC     0x77697265 /* upper half of argument 6: the lower one is the errno */

#define FIRST    160
#define TID_BASE 100000 /* above the kernel's own and what a test machine has */
#define TID_STEP 65536
#define TID_MAX  4194304

static void filter_install(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[5]) + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MAGIC, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[5])),
		BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO),
		BPF_STMT(BPF_RET | BPF_A, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		err(1, "failed to install a seccomp filter");
}

static void flood_errnos(unsigned long n)
{
	if (n > CALLS * 100UL)
		errx(2, "at most %d", CALLS * 100);
	filter_install();
	for (unsigned long i = 0; i < n; i++) {
		int error = 1 + i / CALLS;

		if (syscall(i % CALLS, 0, 0, 0, 0, 0, (uint64_t)MAGIC << 32 | error) != -1 ||
		    errno != error)
			errx(1, "a call was not answered by the filter");
	}
	truth_print_count("failed", NULL, NULL, n);
}

static void flood_peers(unsigned long n)
{
	struct loopback to;
	struct sockaddr_in *addr = (struct sockaddr_in *)&to.addr;
	int any = socket(AF_INET, SOCK_DGRAM, 0), out = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t len = sizeof(*addr);

	*addr = (struct sockaddr_in){.sin_family = AF_INET};
	to.len = len;
	if (any < 0 || out < 0 || bind(any, (struct sockaddr *)addr, len) ||
	    getsockname(any, (struct sockaddr *)addr, &len))
		err(1, "failed to open a UDP socket");
	for (unsigned long i = 0; i < n; i++) {
		addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + i);
		loopback_connect(out, &to);
		if (sendto(out, "", 1, 0, NULL, 0) != 1)
			err(1, "failed to send");
	}
	truth_print_count("calls", "sendto", NULL, n);
}

static pid_t start_as(pid_t tid)
{
	uint64_t set_tid = tid;
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&set_tid,
		.set_tid_size = 1,
	};
	pid_t pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid < 0)
		err(1, "failed to start a process with the id %d", tid);
	while (!pid)
		syscall(SYS_ppoll, NULL, 0, NULL, NULL);
	return pid;
}

/* The kernel names the system call only of a task that does not run. */

static void start_all(pid_t *pids, unsigned long from, unsigned long to)
{
	for (unsigned long i = from; i < to; i++)
		pids[i] = start_as(TID_BASE + i % FIRST + i / FIRST * TID_STEP);
	for (unsigned long i = from; i < to; i++) {
		while (ready_syscall_of(pids[i]) != SYS_ppoll)
			usleep(100);
	}
}

static void flood_tids(unsigned long n)
{
	unsigned long total = FIRST + n;
	pid_t *pids = calloc(total, sizeof(*pids));

	if (!pids || TID_BASE + (total / FIRST + 1) * TID_STEP > TID_MAX)
		errx(2, "too many");
	/* Who has to end us in a hurry ends them all by the group. */
	if (getpgrp() != getpid() && setpgid(0, 0))
		err(1, "failed to become a process group");
	start_all(pids, 0, FIRST);
	start_all(pids, FIRST, total);
	ready_wait_go();
	for (unsigned long i = 0; i < total; i++)
		kill(pids[i], SIGKILL);
	for (unsigned long i = 0; i < total; i++)
		waitpid(pids[i], NULL, 0);
	free(pids);
	truth_print_count("processes", NULL, NULL, total);
}

int main(int argc, char **argv)
{
	static void (*const floods[])(unsigned long n) = {
		['e'] = flood_errnos, ['u'] = flood_peers, ['m'] = flood_tids};
	int option = getopt(argc, argv, "e:u:m:");

	if (option == -1 || option == '?' || optind < argc)
		errx(2, "usage: flood -e N | -u N | -m N");
	floods[option](truth_number(optarg));
	return 0;
}
