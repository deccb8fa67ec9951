// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "watcher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "log.h"

#define LOOK_MS 1000

/* Who reads what the tool prints waits for all that have it open. */
static void leave_output(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	close(null);
}

/* The reading end is the tool's alone: once it is closed, there is no tool any more. */
static _Noreturn void watch(watcher_fn fn, void *arg, int fd)
{
	struct pollfd tool = {.fd = fd};
	int err = 0;

	leave_output();
	while (!err && poll(&tool, 1, LOOK_MS) == 0)
		err = fn(arg, fd);
	/* What was attached here must stay, also if no more can be. */
	while (!tool.revents && poll(&tool, 1, -1) < 0 && errno == EINTR)
		continue;
	close(STDERR_FILENO);
	_exit(0);
}

int watcher_start(watcher_fn fn, void *arg)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return fail(-errno, "failed to open a pipe");
	pid = fork();
	if (pid < 0) {
		close(ends[0]);
		close(ends[1]);
		return fail(-errno, "failed to start a process");
	}
	if (!pid) {
		close(ends[0]);
		watch(fn, arg, ends[1]);
	}
	close(ends[1]);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	return ends[0];
}
