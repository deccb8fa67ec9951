/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* When a command runs and when it ends. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "command.h"
#include "output.h"
#include "process.h"

#define HANG_MS 20000 /* no test waits so long unless what it waits for never comes */

/* The words of a command, for functions that want an argv. */
#define ARGV(...)                         \
	(char *[])                        \
	{                                 \
		(char *)__VA_ARGS__, NULL \
	}
#define SH(script) ARGV("sh", "-c", script)

static char dir[] = "/tmp/test_command_life.XXXXXX";
static char touched[sizeof(dir) + sizeof("/touched")];

static int make_dir(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(touched, sizeof(touched), "%s/touched", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	return unlink(touched) || rmdir(dir);
}

/* Until the child has got from its report to the read that holds it. */
static long wait_blocked(pid_t pid)
{
	long nr = -EAGAIN;

	for (int ms = 0; ms < HANG_MS && nr != SYS_read; ms++) {
		nr = process_blocked_syscall(pid, pid);
		if (nr < 0 && nr != -EAGAIN)
			break;
		usleep(1000);
	}
	return nr;
}

static void test_waits_for_go(void **state)
{
	struct command c = COMMAND_INIT;

	(void)state;
	assert_int_equal(command__start(&c, ARGV("touch", touched), NULL), 0);
	assert_int_equal(wait_blocked(c.pid), SYS_read);
	assert_false(command__reap(&c, false));
	assert_int_equal(command__exit_status(&c), COMMAND_OUR_FAILURE);
	assert_int_equal(access(touched, F_OK), -1);
	command__stop(&c, HANG_MS);
	assert_true(command__reap(&c, false));
	assert_int_equal(command__exit_status(&c), 128 + SIGKILL);
	assert_int_equal(access(touched, F_OK), -1);
	command__close(&c);

	assert_int_equal(command__start(&c, ARGV("touch", touched), NULL), 0);
	assert_int_equal(command__go(&c, "touch"), 0);
	assert_true(command__reap(&c, true));
	assert_int_equal(access(touched, F_OK), 0);
	command__close(&c);
}

static bool readable(int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	return poll(&pfd, 1, HANG_MS) == 1;
}

/* Who gives up without a word to the child must not leave it waiting. */
static void test_closed_before_go(void **state)
{
	struct command c = COMMAND_INIT;
	int pidfd;

	(void)state;
	assert_int_equal(command__start(&c, ARGV("touch", touched), NULL), 0);
	pidfd = dup(c.pidfd);
	command__close(&c);
	assert_true(readable(pidfd));
	close(pidfd);
	assert_true(command__reap(&c, false));
	assert_int_equal(command__exit_status(&c), COMMAND_OUR_FAILURE);
}

/* Its standard output becomes a pipe, whose read end is returned. */
static int start_piped(struct command *c, char *const argv[], const char *user)
{
	int ends[2], saved, err;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fflush(NULL);
	saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	dup2(ends[1], STDOUT_FILENO);
	close(ends[1]);
	err = command__start(c, argv, user);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	assert_int_equal(err, 0);
	return ends[0];
}

static void check_stop(const char *script, int grace_ms, int sig)
{
	struct command c = COMMAND_INIT;
	char ready[8] = "";
	int out = start_piped(&c, SH((char *)script), NULL);

	assert_int_equal(command__go(&c, "sh"), 0);
	assert_true(readable(out));
	assert_true(read(out, ready, sizeof(ready) - 1) > 0);
	assert_string_equal(ready, "ready\n");
	assert_false(command__reap(&c, false));
	command__stop(&c, grace_ms);
	assert_true(readable(c.pidfd));
	assert_true(command__reap(&c, false));
	assert_int_equal(command__exit_status(&c), 128 + sig);
	command__stop(&c, grace_ms); /* nothing is left to be stopped */
	assert_int_equal(command__exit_status(&c), 128 + sig);
	command__close(&c);
	assert_int_equal(c.pidfd, -1);
	close(out);
}

static void test_stop(void **state)
{
	(void)state;
	check_stop("echo ready; exec sleep 1000", HANG_MS, SIGTERM);
	check_stop("trap '' TERM; echo ready; exec sleep 1000", 50, SIGKILL);
	check_stop("trap '' TERM; echo ready; exec sleep 1000", 0, SIGKILL);
}

static void test_killed_before_go(void **state)
{
	struct command c = COMMAND_INIT;
	struct output err;
	int ret;

	(void)state;
	assert_int_equal(command__start(&c, ARGV("true"), NULL), 0);
	assert_int_equal(kill(c.pid, SIGKILL), 0);
	assert_true(readable(c.pidfd));
	output_begin(&err, STDERR_FILENO);
	ret = command__go(&c, "true");
	output_end(&err, STDERR_FILENO);
	assert_int_equal(ret, -ECHILD);
	assert_contains(err.text, "'true' was ended before it could start");
	assert_true(command__reap(&c, true));
	assert_int_equal(command__exit_status(&c), 128 + SIGKILL);
	command__close(&c);
}

/* A process of ours starts a command and dies: the pipe ends when the command does too. */
static void check_orphan(const char *user, bool go)
{
	struct command c = COMMAND_INIT;
	int ends[2], status;
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		dup2(ends[1], STDOUT_FILENO);
		if (command__start(&c, ARGV("sleep", "1000"), user))
			_exit(1);
		_exit(go ? command__go(&c, "sleep") : 0);
	}
	close(ends[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(readable(ends[0]));
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
}

static void test_dies_with_us(void **state)
{
	(void)state;
	check_orphan(NULL, false);
	check_orphan(NULL, true);
	if (!geteuid())
		check_orphan("nobody", true);
}

/* A zeroed command has no descriptors, though 0 could be one. */
static void test_zero_state(void **state)
{
	struct command c = {0};

	(void)state;
	assert_true(command__reap(&c, true));
	command__stop(&c, 0);
	command__close(&c);
	assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waits_for_go), cmocka_unit_test(test_closed_before_go),
		cmocka_unit_test(test_stop),         cmocka_unit_test(test_killed_before_go),
		cmocka_unit_test(test_dies_with_us), cmocka_unit_test(test_zero_state),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
