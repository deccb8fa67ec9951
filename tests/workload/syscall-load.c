/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Exact numbers of system calls, from threads, children and grandchildren.
 *
 * usage: syscall-load [-Fx] [-g N] [-r N] [-e N] [-o N] [-t THREADS] [-f CHILDREN] [-p N]
 *                     [-S SECONDS] [-k SIGNAL]
 * The work of each thread of each process:
 *   -g N         getppid
 *   -r N         read of 0 bytes from /dev/null
 *   -e N         close that fails with EBADF
 *   -o N         openat that fails with ENOENT
 * Who does it:
 *   -t THREADS   that many threads (default 1, which is the process itself)
 *   -f CHILDREN  that many forked children too, after the process itself
 *   -F           and a forked child of each child, before that child
 *   -x           the process does half of its own work, then executes itself for the rest
 * And then, in the process only:
 *   -p N         N processes that do nothing, one after the other
 *   -S SECONDS   sleep in epoll_pwait, with nothing to wait for
 *   -k SIGNAL    send itself that signal
 *
 * The truth is printed before the sleep and the signal, and includes them. It covers what this
 * program does; a dynamic loader also reads, opens and closes, so link it statically (-static)
 * where those are compared. "forks" and "exits" are processes, "threads" counts those started.
 * A 32-bit build (-m32) does the same.
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "truth.h"

#define THREADS_MAX 64
#define RESUMED     "SYSCALL_LOAD_RESUMED"

enum call { GETPPID, READ, CLOSE, OPENAT, CALLS };

struct work {
	unsigned long counts[CALLS];
};

static const struct {
	const char *name;
	const char *error;
} calls[] = {
	[GETPPID] = {.name = "getppid"},
	[READ] = {.name = "read"},
	[CLOSE] = {.name = "close", .error = "EBADF"},
	[OPENAT] = {.name = "openat", .error = "ENOENT"},
};

static struct {
	struct work work;
	unsigned long threads, children, processes, sleep_s, signal;
	bool grandchildren, exec;
} options = {.threads = 1};

static const char usage[] = "usage: syscall-load [-Fx] [-g N] [-r N] [-e N] [-o N] [-t THREADS] "
			    "[-f CHILDREN] [-p N] [-S SECONDS] [-k SIGNAL]";
static int dev_null = -1;

static void make_call(enum call call)
{
	char nothing;
	long result = 0;

	switch (call) {
	case GETPPID:
		syscall(SYS_getppid);
		break;
	case READ:
		result = syscall(SYS_read, dev_null, &nothing, 0);
		break;
	case CLOSE:
		result = syscall(SYS_close, -1) == -1 ? 0 : -1;
		break;
	case OPENAT:
		result = syscall(SYS_openat, AT_FDCWD, "/nonexistent", O_RDONLY) == -1 ? 0 : -1;
		break;
	default:
		break;
	}
	if (result)
		errx(1, "%s did not do what it must", calls[call].name);
}

static void *run_thread(void *arg)
{
	const struct work *work = arg;

	for (int call = 0; call < CALLS; call++) {
		for (unsigned long i = 0; i < work->counts[call]; i++)
			make_call(call);
	}
	return NULL;
}

static void run_threads(struct work *work)
{
	pthread_t threads[THREADS_MAX];

	for (unsigned int i = 1; i < options.threads; i++) {
		if (pthread_create(&threads[i], NULL, run_thread, work))
			errx(1, "failed to start thread %u", i);
	}
	run_thread(work);
	for (unsigned int i = 1; i < options.threads; i++)
		pthread_join(threads[i], NULL);
}

static void start_child(void (*body)(void))
{
	pid_t child = fork();

	if (child < 0)
		err(1, "failed to fork");
	if (child)
		return;
	if (body)
		body();
	_exit(0);
}

static void wait_children(unsigned long count)
{
	int status;

	while (count--) {
		if (waitpid(-1, &status, 0) < 0)
			err(1, "failed to wait");
		if (status)
			errx(1, "a child failed");
	}
}

static void be_grandchild(void)
{
	run_threads(&options.work);
}

static void be_child(void)
{
	if (options.grandchildren) {
		start_child(be_grandchild);
		wait_children(1);
	}
	run_threads(&options.work);
}

/* Without -x this is all of it. */
static struct work own_part(bool resumed)
{
	struct work part = options.work;

	for (int call = 0; options.exec && call < CALLS; call++) {
		unsigned long first = part.counts[call] / 2;

		part.counts[call] = resumed ? part.counts[call] - first : first;
	}
	return part;
}

static void run_processes(char **argv)
{
	bool resumed = getenv(RESUMED);
	struct work part = own_part(resumed);

	run_threads(&part);
	if (options.exec && !resumed) {
		setenv(RESUMED, "1", 1);
		execvp(argv[0], argv);
		err(1, "failed to execute '%s'", argv[0]);
	}
	for (unsigned long i = 0; i < options.children; i++)
		start_child(be_child);
	wait_children(options.children);
	for (unsigned long i = 0; i < options.processes; i++) {
		start_child(NULL);
		wait_children(1);
	}
}

static bool is_fatal(int signal)
{
	static const int survived[] = {0,       SIGCHLD, SIGCONT, SIGURG, SIGWINCH,
				       SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};

	for (size_t i = 0; i < sizeof(survived) / sizeof(survived[0]); i++) {
		if (signal == survived[i])
			return false;
	}
	return true;
}

static void print_truth(void)
{
	unsigned long descendants = options.children * (options.grandchildren ? 2 : 1);
	unsigned long forks = descendants + options.processes;
	unsigned long images = options.exec ? 2 : 1; /* that the process itself runs */
	unsigned long threads = (options.threads - 1) * (descendants + images);

	for (int call = 0; call < CALLS; call++) {
		unsigned long count = options.work.counts[call] * options.threads *
				      (1 + descendants);

		if (calls[call].error)
			truth_print_count("errors", calls[call].name, calls[call].error, count);
		if (call == OPENAT && options.work.counts[READ])
			count += images;
		truth_print_count("calls", calls[call].name, NULL, count);
	}
	truth_print_count("calls", "wait4", NULL, forks);
	truth_print_count("calls", "execve", NULL, images - 1);
	truth_print_count("calls", "epoll_pwait", NULL, options.sleep_s ? 1 : 0);
	truth_print_count("calls", "tgkill", NULL, options.signal ? 1 : 0);
	truth_print_count("calls", "exit", NULL, threads);
	truth_print_count("calls", "exit_group", NULL, forks + !is_fatal(options.signal));
	truth_print_count("threads", NULL, NULL, threads);
	truth_print_count("forks", NULL, NULL, forks);
	truth_print_count("exits", NULL, NULL, forks + 1);
	if (fflush(stdout))
		err(1, "failed to write the truth");
}

static void sleep_in_epoll(void)
{
	struct epoll_event event;
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0)
		err(1, "failed to open an epoll set");
	syscall(SYS_epoll_pwait, fd, &event, 1, (int)options.sleep_s * 1000, NULL, 0);
}

static void kill_itself(void)
{
	const struct rlimit no_core = {0};

	setrlimit(RLIMIT_CORE, &no_core);
	raise(options.signal);
}

static void parse_options(int argc, char **argv)
{
	static unsigned long *const numbers[128] = {
		['g'] = &options.work.counts[GETPPID],
		['r'] = &options.work.counts[READ],
		['e'] = &options.work.counts[CLOSE],
		['o'] = &options.work.counts[OPENAT],
		['t'] = &options.threads,
		['f'] = &options.children,
		['p'] = &options.processes,
		['S'] = &options.sleep_s,
		['k'] = &options.signal,
	};
	static bool *const flags[128] = {
		['F'] = &options.grandchildren,
		['x'] = &options.exec,
	};
	int option;

	while ((option = getopt(argc, argv, "g:r:e:o:t:f:p:S:k:Fx")) != -1) {
		if (option == '?')
			errx(2, "%s", usage);
		if (numbers[option])
			*numbers[option] = truth_number(optarg);
		else
			*flags[option] = true;
	}
	if (optind < argc || !options.threads || options.threads > THREADS_MAX)
		errx(2, "%s", usage);
}

int main(int argc, char **argv)
{
	parse_options(argc, argv);
	if (options.work.counts[READ]) {
		dev_null = syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC);
		if (dev_null < 0)
			err(1, "failed to open '/dev/null'");
	}
	run_processes(argv);
	print_truth();
	if (options.sleep_s)
		sleep_in_epoll();
	if (options.signal)
		kill_itself();
	return 0;
}
