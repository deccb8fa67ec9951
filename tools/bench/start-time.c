/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * usage: start-time TEXT COMMAND [ARGUMENT...]
 *
 * Runs a command until it prints a line with TEXT on stdout or stderr, and a tenth of a second
 * more; then kills it. Prints the time until the line in ms, and the peak and the present
 * resident memory in KB.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SETTLE_US 100000

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static pid_t run(char **argv, FILE **output)
{
	int fds[2];
	pid_t pid;

	if (pipe(fds))
		err(1, "failed to make a pipe");
	pid = fork();
	if (pid < 0)
		err(1, "failed to fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(fds[1]);
	*output = fdopen(fds[0], "r");
	if (!*output)
		err(1, "failed to read from '%s'", argv[0]);
	return pid;
}

static bool wait_for(FILE *output, const char *text)
{
	char line[1024];

	while (fgets(line, sizeof(line), output)) {
		if (strstr(line, text))
			return true;
	}
	return false;
}

static unsigned long memory_kb(pid_t pid, const char *name)
{
	char path[64], line[256];
	unsigned long kb = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	if (!file)
		err(1, "failed to open '%s'", path);
	while (!kb && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, name, strlen(name)))
			kb = strtoul(line + strlen(name) + 1, NULL, 10);
	}
	fclose(file);
	return kb;
}

int main(int argc, char **argv)
{
	double start_ms = now_ms(), attached_ms;
	char line[1024];
	FILE *output;
	pid_t pid;

	if (argc < 3)
		errx(2, "usage: start-time TEXT COMMAND [ARGUMENT...]");
	pid = run(argv + 2, &output);
	if (!wait_for(output, argv[1]))
		errx(1, "'%s' ended without a line with '%s'", argv[2], argv[1]);
	attached_ms = now_ms();
	usleep(SETTLE_US);
	printf("%.2f %lu %lu\n", attached_ms - start_ms, memory_kb(pid, "VmHWM"),
	       memory_kb(pid, "VmRSS"));
	kill(pid, SIGKILL);
	while (fgets(line, sizeof(line), output))
		;
	waitpid(pid, NULL, 0);
	return 0;
}
