/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "output.h"
#include "process.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define HANG_MS 20000 /* no test waits so long unless what it waits for never comes */

/* Nothing that a test asserts may be read from a name. */
static const char *const hostile_names[] = {
	") R 1",         "a) S 1 (b", "((",     "))",  "x\nTgid:\t1", "x\nState:\tZ",
	"\nThreads:\t9", "\n",        "a b\tc", "\\n", "\x1b[31mred", "123456789012345",
};

/* A child writes a byte when it is set up. */
static int ready[2];

/* Does not return in the child, which becomes what fn makes of it. */
static pid_t spawn(void (*fn)(const void *arg), const void *arg)
{
	char byte;
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fn(arg);
		_exit(1);
	}
	assert_true(pid > 0);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	return pid;
}

static void end(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void say_ready(void)
{
	if (write(ready[1], "", 1) != 1)
		_exit(1);
}

/* Blocks in read(2): nothing is ever written to its pipe. */
static void be_named(const void *name)
{
	int ends[2];
	char byte;

	if (pipe(ends) || (name && prctl(PR_SET_NAME, name)))
		_exit(1);
	say_ready();
	_exit(read(ends[0], &byte, 1) == 1);
}

static void be_spinning(const void *arg)
{
	(void)arg;
	say_ready();
	for (volatile int i = 0;; i++)
		;
}

static void *be_thread(void *arg)
{
	(void)arg;
	say_ready();
	for (;;)
		pause();
	return NULL;
}

/* The leader ends and leaves one thread behind. */
static void be_leaderless(const void *arg)
{
	pthread_t thread;

	(void)arg;
	if (!pthread_create(&thread, NULL, be_thread, NULL))
		syscall(SYS_exit, 0);
}

/* Three threads beside the leader, each of which says that it is ready. */
static void be_threaded(const void *arg)
{
	pthread_t thread;

	(void)arg;
	for (int i = 0; i < 3; i++) {
		if (pthread_create(&thread, NULL, be_thread, NULL))
			_exit(1);
	}
	for (;;)
		pause();
}

/* Ended, but not yet reaped. */
static pid_t spawn_zombie(const char *name)
{
	pid_t pid = spawn(be_named, name);
	siginfo_t info;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
	return pid;
}

/* text: with one %d or two, for the PIDs. */
static void check(pid_t pid, int expected, const char *text)
{
	struct output err;
	int ret;

	output_begin(&err, STDERR_FILENO);
	ret = process_check(pid);
	output_end(&err, STDERR_FILENO);
	assert_int_equal(ret, expected);
	assert_contains(err.text, text);
	assert_int_equal(!err.len, !expected);
}

static void test_check(void **state)
{
	pid_t pid = spawn(be_named, NULL);
	char text[64];

	(void)state;
	check(pid, 0, "");
	end(pid);
	snprintf(text, sizeof(text), ": no process with PID %d\ntry: pgrep", pid);
	check(pid, -ESRCH, text);
	check(INT_MAX, -ESRCH, ": no process with PID 2147483647\n");
	check(0, -EINVAL, ": 0 is not a PID");
	check(-1, -EINVAL, ": -1 is not a PID");
	check(INT_MIN, -EINVAL, "not a PID");
	snprintf(text, sizeof(text), ": %d is ", getpid());
	check(getpid(), -EINVAL, text);
}

static void test_check_zombie(void **state)
{
	pid_t pid = spawn_zombie("gone\n(x)");
	char text[128];

	(void)state;
	snprintf(text, sizeof(text), ": process %d (gone\\n(x)) has ended and waits for its parent",
		 pid);
	check(pid, -ESRCH, text);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

struct ids {
	size_t n;
	pid_t id[8];
	pid_t stop_at;
	bool found;
};

static int collect(pid_t id, void *arg)
{
	struct ids *ids = arg;

	if (ids->n < ARRAY_SIZE(ids->id))
		ids->id[ids->n] = id;
	ids->n++;
	ids->found |= id == ids->stop_at;
	return id == ids->stop_at ? 77 : 0;
}

static void test_threads(void **state)
{
	pid_t pid = spawn(be_threaded, NULL);
	struct ids ids = {0}, some = {0};
	char text[64];

	(void)state;
	assert_int_equal(read(ready[0], text, 1), 1);
	assert_int_equal(read(ready[0], text, 1), 1);
	assert_int_equal(process_each_thread(pid, collect, &ids), 0);
	assert_int_equal(ids.n, 4);
	assert_int_equal(ids.id[0], pid);
	check(pid, 0, "");
	for (size_t i = 1; i < ids.n; i++) {
		snprintf(text, sizeof(text), ": %d is a thread of %d (test_process)\ntry: -p %d\n",
			 ids.id[i], pid, pid);
		check(ids.id[i], -EINVAL, text);
	}
	some.stop_at = ids.id[1];
	assert_int_equal(process_each_thread(pid, collect, &some), 77);
	assert_int_equal(some.n, 2);
	end(pid);
	assert_int_equal(process_each_thread(pid, collect, &ids), -ESRCH);
	assert_int_equal(ids.n, 4);
}

static char leader_state(pid_t pid)
{
	char path[64], text[512] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	return strrchr(text, ')') ? strrchr(text, ')')[2] : 0;
}

/* A zombie by its state, but its threads run on. */
static void test_leaderless(void **state)
{
	pid_t pid = spawn(be_leaderless, NULL);
	struct ids ids = {0};

	(void)state;
	for (int ms = 0; ms < HANG_MS && leader_state(pid) != 'Z'; ms++)
		usleep(1000);
	assert_int_equal(leader_state(pid), 'Z');
	check(pid, 0, "");
	assert_int_equal(process_each_thread(pid, collect, &ids), 0);
	assert_int_equal(ids.n, 2);
	end(pid);
}

static void test_hostile_names(void **state)
{
	char comm[PROCESS_COMM];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hostile_names); i++) {
		pid_t pid = spawn(be_named, hostile_names[i]);

		process_comm(pid, comm);
		assert_string_equal(comm, hostile_names[i]);
		assert_int_equal(process_parent(pid), getpid());
		check(pid, 0, "");
		end(pid);
		process_comm(pid, comm);
		assert_string_equal(comm, "?");
		assert_int_equal(process_parent(pid), -ESRCH);
	}
}

static void test_own_names(void **state)
{
	char comm[PROCESS_COMM];
	pid_t pid = spawn(be_named, "");

	(void)state;
	process_comm(pid, comm);
	assert_string_equal(comm, "");
	assert_int_equal(process_parent(pid), getpid());
	end(pid);
	assert_int_equal(process_parent(getpid()), getppid());
	assert_int_equal(process_parent(1), 0);
}

static void test_each(void **state)
{
	pid_t pid = spawn(be_named, NULL);
	struct ids child = {.stop_at = pid}, self = {.stop_at = getpid()}, none = {0};

	(void)state;
	assert_int_equal(process_each(collect, &child), 77);
	assert_true(child.found);
	assert_int_equal(process_each(collect, &self), 77);
	assert_true(self.found);
	end(pid);
	child.found = false;
	assert_int_equal(process_each(collect, &child), 0);
	assert_false(child.found);
	assert_int_equal(process_each(collect, &none), 0);
	assert_true(none.n >= 2);
}

static void test_blocked_syscall(void **state)
{
	pid_t blocked = spawn(be_named, NULL), spinning = spawn(be_spinning, NULL);
	long nr = -EAGAIN;

	(void)state;
	for (int ms = 0; ms < HANG_MS && nr != SYS_read; ms++) {
		nr = process_blocked_syscall(blocked, blocked);
		usleep(1000);
	}
	assert_int_equal(nr, SYS_read);
	/* It may still be on its way out of the write that made it ready. */
	for (int ms = 0; ms < HANG_MS && nr != -EAGAIN; ms++)
		nr = process_blocked_syscall(spinning, spinning);
	assert_int_equal(nr, -EAGAIN);
	/* Stopped, but not in a call: "-1 SP PC". */
	assert_int_equal(kill(spinning, SIGSTOP), 0);
	assert_int_equal(waitpid(spinning, NULL, WUNTRACED), spinning);
	assert_int_equal(process_blocked_syscall(spinning, spinning), -EAGAIN);
	assert_int_equal(process_blocked_syscall(blocked, spinning), -ESRCH);
	end(blocked);
	end(spinning);
	assert_int_equal(process_blocked_syscall(blocked, blocked), -ESRCH);
}

struct elf_case {
	const char *bytes;
	size_t len;
	int expected;
};

#define ELF_CASE(bytes, expected)                    \
	{                                            \
		bytes, sizeof(bytes) - 1, (expected) \
	}

static const struct elf_case elf_cases[] = {
	ELF_CASE("\177ELF\1", 32),         ELF_CASE("\177ELF\2", 64),
	ELF_CASE("\177ELF\2\1\1", 64),     ELF_CASE("\177ELF\0", -ENOEXEC),
	ELF_CASE("\177ELF\3", -ENOEXEC),   ELF_CASE("\177ELF\377", -ENOEXEC),
	ELF_CASE("\177ELF", -ENOEXEC),     ELF_CASE("\177ELG\2", -ENOEXEC),
	ELF_CASE("#!/bin/sh\n", -ENOEXEC), ELF_CASE("", -ENOEXEC),
};

static void test_file_elf_class(void **state)
{
	char path[] = "/tmp/test_process.XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(elf_cases); i++) {
		const struct elf_case *e = &elf_cases[i];

		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, e->bytes, e->len, 0), e->len);
		assert_int_equal(file_elf_class(path), e->expected);
	}
	close(fd);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(file_elf_class(path), -ENOENT);
	assert_int_equal(file_elf_class("/tmp"), -EISDIR);
	/* A FIFO without a writer does not hold us. */
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(file_elf_class(path), -ENOEXEC);
	assert_int_equal(unlink(path), 0);
}

static void test_process_elf_class(void **state)
{
	pid_t pid = spawn(be_named, NULL);

	(void)state;
	assert_int_equal(process_elf_class(pid), 8 * sizeof(void *));
	end(pid);
	assert_true(process_elf_class(pid) < 0);
}

static int make_pipe(void **state)
{
	(void)state;
	/* The name of the binary may be another one. */
	prctl(PR_SET_NAME, "test_process");
	return pipe2(ready, O_CLOEXEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),          cmocka_unit_test(test_check_zombie),
		cmocka_unit_test(test_threads),        cmocka_unit_test(test_leaderless),
		cmocka_unit_test(test_hostile_names),  cmocka_unit_test(test_own_names),
		cmocka_unit_test(test_each),           cmocka_unit_test(test_blocked_syscall),
		cmocka_unit_test(test_file_elf_class), cmocka_unit_test(test_process_elf_class),
	};

	return cmocka_run_group_tests(tests, make_pipe, NULL);
}
