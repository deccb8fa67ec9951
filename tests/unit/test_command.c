/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#define _GNU_SOURCE 1
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "command.h"
#include "output.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The words of a command, for functions that want an argv. */
#define ARGV(...)                         \
	(char *[])                        \
	{                                 \
		(char *)__VA_ARGS__, NULL \
	}
#define SH(script) ARGV("sh", "-c", script)

static char dir[] = "/tmp/test_command.XXXXXX";

struct run {
	int start, go, status;
	struct output out, err;
};

/* The result is static: it is large, and valid until the next run. */
static const struct run *run_as(char *const argv[], const char *user)
{
	static struct run r;
	struct command c = COMMAND_INIT;

	memset(&r, 0, sizeof(r));
	output_begin(&r.out, STDOUT_FILENO);
	output_begin(&r.err, STDERR_FILENO);
	r.start = command__start(&c, argv, user);
	if (!r.start) {
		r.go = command__go(&c, argv[0]);
		command__reap(&c, true);
		r.status = command__exit_status(&c);
		command__close(&c);
	}
	output_end(&r.err, STDERR_FILENO);
	output_end(&r.out, STDOUT_FILENO);
	return &r;
}

static const struct run *run(char *const argv[])
{
	return run_as(argv, NULL);
}

static void assert_ran(const struct run *r, const char *out, int status)
{
	assert_int_equal(r->start, 0);
	assert_int_equal(r->go, 0);
	assert_string_equal(r->err.text, "");
	assert_string_equal(r->out.text, out);
	assert_int_equal(r->status, status);
}

static char *in_dir(const char *name)
{
	static char paths[4][64];
	static unsigned int next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static void put_file(const char *name, const void *bytes, size_t len, mode_t mode)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void put_script(const char *name, const char *text, mode_t mode)
{
	put_file(name, text, strlen(text), mode);
}

/* A real program whose dynamic loader has a name that does not exist. */
static void put_loaderless(const char *name)
{
	static char bytes[1 << 22];
	int fd = open("/bin/sh", O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, bytes, sizeof(bytes));
	char *loader;

	close(fd);
	assert_true(len > 0 && len < (ssize_t)sizeof(bytes));
	loader = memmem(bytes, len, "/ld-", 4);
	assert_non_null(loader);
	loader[1] = 'X';
	put_file(name, bytes, len, 0755);
}

static int make_dir(void **state)
{
	static const Elf64_Ehdr alien = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64},
		.e_machine = 0xfffe,
	};

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(mkdir(in_dir("closed"), 0700), 0);
	assert_int_equal(mkdir(in_dir("folder"), 0755), 0);
	put_script("hashbang", "#!/bin/sh\nprintf 'with:%s:' \"$@\"\nexit 3\n", 0755);
	put_script("plain", "printf 'without:%s:' \"$@\"\nexit 4\n", 0755);
	put_script("closed/hidden", "#!/bin/sh\n", 0755);
	put_script("unmarked", "#!/bin/sh\n", 0644);
	put_script("orphan", "#! /no/such/interpreter -x\n", 0755);
	put_script("crlf", "#!/bin/sh\r\n", 0755);
	put_file("alien", &alien, sizeof(alien), 0755);
	put_loaderless("loaderless");
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	return run(ARGV("rm", "-rf", dir))->status;
}

static void test_exit_status(void **state)
{
	(void)state;
	assert_ran(run(SH("exit 0")), "", 0);
	assert_ran(run(SH("exit 7")), "", 7);
	assert_ran(run(SH("exit 255")), "", 255);
	assert_ran(run(SH("kill -SEGV $$")), "", 128 + SIGSEGV);
	assert_ran(run(SH("kill -KILL $$")), "", 128 + SIGKILL);
	assert_ran(run(SH("echo out; exit 126")), "out\n", 126);
}

static void test_scripts(void **state)
{
	(void)state;
	assert_ran(run(ARGV(in_dir("hashbang"), "a b", "")), "with:a b:with::", 3);
	assert_ran(run(ARGV(in_dir("plain"), "a b", "")), "without:a b:without::", 4);
	assert_ran(run(ARGV(in_dir("plain"))), "without::", 4);
}

static void assert_failed(char *name, int go, const char *what, const char *hint)
{
	const struct run *r = run(ARGV(name));

	assert_int_equal(r->start, 0);
	assert_int_equal(r->go, go);
	assert_string_equal(r->out.text, "");
	assert_contains(r->err.text, what);
	assert_contains(r->err.text, hint);
}

static void test_cannot_run(void **state)
{
	(void)state;
	assert_failed((char *)"ngnix-no", 127, ": command not found: 'ngnix-no'\n", "try: give");
	assert_failed((char *)"", 127, ": command not found: ''\n", "try: ");
	assert_failed((char *)"sleep 5", 127, ": command not found: 'sleep 5'\n", "try: -c");
	assert_failed((char *)"/no/such", 127, ": command not found: '/no/such'\n", "no such file");
	assert_failed(in_dir("unmarked"), 126, "/unmarked': permission denied\n", "try: chmod +x");
	assert_failed(in_dir("folder"), 126, "/folder': it is a directory\n", "cannot execute");
	assert_failed(in_dir("plain/x"), 126, "Not a directory", "cannot execute");
	assert_failed(in_dir("orphan"), 126, "interpreter '#!/no/such/interpreter' is missing\n",
		      "cannot execute");
	assert_failed(in_dir("crlf"), 126, "interpreter '#!/bin/sh\\r' is missing\n", "cannot");
	assert_failed(in_dir("alien"), 126, "Exec format error", "cannot execute");
	assert_failed(in_dir("loaderless"), 126, "its dynamic loader is missing\n", "cannot");
}

static void test_no_command(void **state)
{
	const struct run *r = run((char *[]){NULL});

	(void)state;
	assert_int_equal(r->start, -EINVAL);
	assert_contains(r->err.text, "no command");
}

static void test_argv_and_environment(void **state)
{
	static const char expected[] = "sh\0-c\0cat /proc/$$/cmdline; :\0\0a b\0$x 'y\0\n\0";
	const struct run *r;

	(void)state;
	r = run(ARGV("sh", "-c", "cat /proc/$$/cmdline; :", "", "a b", "$x 'y", "\n"));
	assert_int_equal(r->out.len, sizeof(expected) - 1);
	assert_memory_equal(r->out.text, expected, sizeof(expected) - 1);
	setenv("WIRESCOPE_TEST", "a b=c", 1);
	assert_ran(run(SH("echo \"$WIRESCOPE_TEST\"")), "a b=c\n", 0);
	unsetenv("WIRESCOPE_TEST");
	assert_ran(run(SH("echo \"${WIRESCOPE_TEST-none}\"")), "none\n", 0);
}

/* What its caller gave to us is for the command (make's jobserver, sockets); ours is not. */
static void test_descriptors(void **state)
{
	const struct run *r;
	int given, ours;

	(void)state;
	given = fcntl(STDIN_FILENO, F_DUPFD, 50);
	ours = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 60);
	r = run(SH("cd /proc/self/fd; for fd in 1 50 60; do [ ! -e $fd ] || echo $fd; done"));
	close(given);
	close(ours);
	assert_int_equal(given, 50);
	assert_int_equal(ours, 60);
	assert_ran(r, "1\n50\n", 0);
}

static void test_signals(void **state)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction old_pipe, old_child;
	sigset_t all, some, old, after;
	const struct run *r;

	(void)state;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	sigaction(SIGPIPE, &ignore, &old_pipe);
	sigaction(SIGCHLD, &ignore, &old_child);
	r = run(SH("grep -E '^Sig(Blk|Ign)' /proc/self/status; exit 9"));
	sigaction(SIGCHLD, &old_child, NULL);
	sigaction(SIGPIPE, &old_pipe, NULL);
	sigprocmask(SIG_SETMASK, &old, &after);
	assert_ran(r, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n", 9);
	/* Ours is as it was. */
	assert_int_equal(sigismember(&after, SIGTERM), 1);
	assert_int_equal(sigismember(&after, SIGPIPE), 1);
	sigemptyset(&some);
	sigaddset(&some, SIGUSR1);
	sigprocmask(SIG_SETMASK, &some, NULL);
	r = run(SH("exit 0"));
	sigprocmask(SIG_SETMASK, &old, &after);
	assert_ran(r, "", 0);
	for (int sig = 1; sig < NSIG; sig++)
		assert_int_equal(sigismember(&after, sig) == 1, sig == SIGUSR1);
}

static void test_user(void **state)
{
	static const gid_t foreign = 12345;
	char *old = strdup(getenv("PATH")), path[256];
	gid_t groups[NGROUPS_MAX];
	int n = getgroups(NGROUPS_MAX, groups);
	const struct run *r;

	(void)state;
	if (geteuid() || n < 0 || setgroups(1, &foreign)) {
		free(old);
		skip();
	}
	r = run_as(SH("id -un; id -Gn; echo $USER $LOGNAME $HOME"), "nobody");
	assert_int_equal(setgroups(n, groups), 0);
	assert_ran(r, "nobody\nnogroup\nnobody nobody /nonexistent\n", 0);
	/* PATH is searched as the user, and a closed directory is no "permission denied". */
	snprintf(path, sizeof(path), "%s:%s", in_dir("closed"), old);
	setenv("PATH", path, 1);
	assert_ran(run(ARGV("hidden")), "", 0);
	r = run_as(ARGV("hidden"), "nobody");
	setenv("PATH", old, 1);
	free(old);
	assert_int_equal(r->go, COMMAND_NOT_FOUND);
	r = run_as(ARGV(in_dir("closed/hidden")), "nobody");
	assert_int_equal(r->go, COMMAND_CANNOT_EXEC);
	assert_contains(r->err.text, "permission denied");
	assert_string_not_equal(getenv("HOME") ?: "", "/nonexistent");
}

static void test_unknown_user(void **state)
{
	const struct run *r = run_as(ARGV("true"), "no-such-user");

	(void)state;
	assert_int_equal(r->start, -EINVAL);
	assert_contains(r->err.text, ": no user named 'no-such-user'\ntry: ");
}

/* As run_as() from a process that may not change its user. */
static void test_forbidden_user(void **state)
{
	const struct run *r;
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (!pid) {
		if (!geteuid() && setuid(65534))
			_exit(99);
		r = run_as(ARGV("true"), "root");
		_exit(r->start == -EPERM && strstr(r->err.text, "user 'root'") ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit_status),
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_cannot_run),
		cmocka_unit_test(test_no_command),
		cmocka_unit_test(test_argv_and_environment),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_unknown_user),
		cmocka_unit_test(test_forbidden_user),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
