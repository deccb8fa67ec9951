/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Two pipes join us and the child. The child prepares all that it can, reports an int (0, or
 * the errno of the preparation), and blocks in read(2) of the other pipe: whoever traces it
 * from the byte that releases it on sees one execve(2) and then the command. A second int is
 * what failed, as for command_explain(); end of file without one means that exec has closed the
 * pipe.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "log.h"
#include "process.h"

#define SHELL "/bin/sh"

struct launch {
	char *const *argv;
	const struct command *command;
	const struct passwd *user; /* NULL: stay who we are */
	pid_t parent;
	int go[2];
	int report[2];
};

static int refuse_user(const char *user)
{
	int err = refuse(-EINVAL, "no user named '%s'", user);

	suggest("getent passwd");
	return err;
}

static int become_user(const struct passwd *user)
{
	bool same = geteuid() && getuid() == user->pw_uid && geteuid() == user->pw_uid;

	if (setenv("HOME", user->pw_dir, 1) || setenv("USER", user->pw_name, 1) ||
	    setenv("LOGNAME", user->pw_name, 1))
		return errno;
	if (same)
		return 0;
	/* What was given to us by name (capabilities(7), ambient) is not the user's. */
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (initgroups(user->pw_name, user->pw_gid) || setgid(user->pw_gid) || setuid(user->pw_uid))
		return errno;
	return 0;
}

static void reset_signals(void)
{
	static const unsigned long defaults[8]; /* a struct sigaction of the kernel, all zero */
	sigset_t none;

	/* Past glibc, which keeps two signals to itself: our parent may have ignored those too. */
	for (int sig = 1; sig < NSIG; sig++)
		syscall(SYS_rt_sigaction, sig, defaults, NULL, (NSIG - 1) / 8);
	/* The mask last: until then one of our handlers could run in the child. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int set_variables(const struct command_variable *v)
{
	for (; v && v->name; v++) {
		if (setenv(v->name, v->value, 1))
			return errno;
	}
	return 0;
}

static void report_errno(const struct launch *l, int err)
{
	/* If nobody reads it, nobody is there to be told. */
	if (write(l->report[1], &err, sizeof(err)) != sizeof(err))
		_exit(COMMAND_OUR_FAILURE);
}

/* Returns only if it could not exec. */
static void exec_by_shell(const char *path, char *const argv[])
{
	size_t argc = 0;
	char **shell_argv;

	while (argv[argc])
		argc++;
	shell_argv = calloc(argc + 2, sizeof(*shell_argv));
	if (!shell_argv)
		return;
	shell_argv[0] = SHELL;
	shell_argv[1] = (char *)path;
	memcpy(shell_argv + 2, argv + 1, (argc - 1) * sizeof(*argv));
	execve(SHELL, shell_argv, environ);
}

static _Noreturn void run_child(const struct launch *l)
{
	const char *name = l->argv[0];
	char *path = (char *)name;
	int err, exec_err = 0;
	ssize_t n;
	char byte;

	reset_signals();
	close(l->go[1]);
	close(l->report[0]);
	err = l->user ? become_user(l->user) : 0;
	err = err ?: set_variables(l->command->variables);
	/* A change of user clears it, so it comes after that. */
	if (!l->command->outlives_us)
		prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != l->parent)
		_exit(COMMAND_OUR_FAILURE);
	/* As the user who runs it; a path needs no search, and exec knows best what ails it. */
	if (!strchr(name, '/'))
		exec_err = command_find(name, &path);
	report_errno(l, err);
	do
		n = read(l->go[0], &byte, 1);
	while (n < 0 && errno == EINTR);
	if (err || n != 1)
		_exit(COMMAND_OUR_FAILURE);
	if (!exec_err) {
		execve(path, l->argv, environ);
		exec_err = errno;
	}
	/* The shell would take a program for another machine for a script. */
	if (exec_err == ENOEXEC && file_elf_class(path) < 0) {
		exec_by_shell(path, l->argv);
		exec_err = errno;
	}
	report_errno(l, exec_err);
	_exit(COMMAND_OUR_FAILURE);
}

/* An ignored SIGCHLD, which we may have inherited, would lose the status of the child. */
static void keep_child_status(void)
{
	struct sigaction action;

	if (sigaction(SIGCHLD, NULL, &action) || action.sa_handler != SIG_IGN)
		return;
	action.sa_handler = SIG_DFL;
	sigaction(SIGCHLD, &action, NULL);
}

/* Signals wait until the child has no handler of ours any more. */
static pid_t fork_child(const struct launch *l)
{
	sigset_t all, old;
	pid_t pid;
	int err;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = fork();
	if (!pid)
		run_child(l);
	err = -errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	return pid < 0 ? err : pid;
}

/* 1: *value was read, 0: end of file, or a negative error. */
static int read_report(int fd, int *value)
{
	ssize_t n;

	do
		n = read(fd, value, sizeof(*value));
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n == sizeof(*value);
}

/* Errors print a message. */
static int await_child(const struct command *c, const struct launch *l)
{
	int child_err, ret = read_report(c->exec_fd, &child_err);

	if (ret < 0)
		return fail(ret, "failed to read from the child");
	if (!ret)
		return refuse(-ECHILD, "'%s' was ended before it could start", l->argv[0]);
	if (child_err)
		return fail(-child_err, "failed to become user '%s'", l->user->pw_name);
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int launch(struct command *c, struct launch *l)
{
	pid_t pid;

	if (pipe2(l->go, O_CLOEXEC) || pipe2(l->report, O_CLOEXEC))
		return fail(-errno, "failed to create a pipe");
	pid = fork_child(l);
	if (pid < 0)
		return fail(pid, "failed to fork");
	close_fd(&l->go[0]);
	close_fd(&l->report[1]);
	c->pid = pid;
	c->pidfd = syscall(SYS_pidfd_open, pid, 0);
	c->go_fd = l->go[1];
	c->exec_fd = l->report[0];
	l->go[1] = l->report[0] = -1;
	if (c->pidfd < 0)
		return fail(-errno, "failed to open a descriptor of process %d", pid);
	return await_child(c, l);
}

int command__start(struct command *c, char *const argv[], const char *user)
{
	struct command fresh = COMMAND_INIT;
	struct launch l = {.argv = argv, .parent = getpid(), .go = {-1, -1}, .report = {-1, -1}};
	int err;

	fresh.variables = c->variables;
	fresh.outlives_us = c->outlives_us;
	*c = fresh;
	l.command = c;
	if (!argv[0])
		return refuse(-EINVAL, "no command is given");
	if (user) {
		l.user = getpwnam(user);
		if (!l.user)
			return refuse_user(user);
	}
	keep_child_status();
	err = launch(c, &l);
	for (int i = 0; i < 2; i++) {
		close_fd(&l.go[i]);
		close_fd(&l.report[i]);
	}
	if (err) {
		command__stop(c, 0);
		command__close(c);
		*c = (struct command)COMMAND_INIT;
	}
	return err;
}

/* A child that is dead already must not cost our own life by SIGPIPE. */
static int release(int fd)
{
	static const struct timespec now;
	sigset_t sigpipe, old;
	int err = 0;

	sigemptyset(&sigpipe);
	sigaddset(&sigpipe, SIGPIPE);
	sigprocmask(SIG_BLOCK, &sigpipe, &old);
	if (write(fd, "", 1) != 1) {
		err = -errno;
		sigtimedwait(&sigpipe, NULL, &now);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	return err;
}

int command__go(struct command *c, const char *name)
{
	int exec_err, ret;

	ret = release(c->go_fd);
	close_fd(&c->go_fd);
	if (ret == -EPIPE)
		return refuse(-ECHILD, "'%s' was ended before it could start", name);
	if (ret)
		return fail(ret, "failed to start '%s'", name);
	ret = read_report(c->exec_fd, &exec_err);
	close_fd(&c->exec_fd);
	if (ret < 0)
		return fail(ret, "failed to read from the child");
	if (!ret)
		return 0;
	command__reap(c, true);
	return command_explain(name, exec_err);
}

bool command__reap(struct command *c, bool wait)
{
	pid_t pid;

	if (!c->pid || c->reaped)
		return true;
	do
		pid = waitpid(c->pid, &c->status, wait ? 0 : WNOHANG);
	while (pid < 0 && errno == EINTR);
	if (!pid)
		return false;
	/* Somebody else has reaped it: its status is lost, which is no success. */
	if (pid < 0)
		c->status = COMMAND_OUR_FAILURE << 8;
	c->reaped = true;
	return true;
}

int command__exit_status(const struct command *c)
{
	if (c->reaped && WIFEXITED(c->status))
		return WEXITSTATUS(c->status);
	if (c->reaped && WIFSIGNALED(c->status))
		return 128 + WTERMSIG(c->status);
	return COMMAND_OUR_FAILURE;
}

static long long monotonic_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void await_end(int pidfd, int timeout_ms)
{
	struct pollfd pfd = {.fd = pidfd, .events = POLLIN};
	long long left_ms, deadline_ms = monotonic_ms() + timeout_ms;

	do {
		left_ms = deadline_ms - monotonic_ms();
		if (poll(&pfd, 1, left_ms > 0 ? left_ms : 0) >= 0)
			return;
	} while (errno == EINTR && left_ms > 0);
}

void command__stop(struct command *c, int grace_ms)
{
	if (command__reap(c, false))
		return;
	if (c->go_fd < 0) {
		kill(c->pid, SIGTERM);
		await_end(c->pidfd, grace_ms);
		if (command__reap(c, false))
			return;
	}
	/* It fails for a set-user-ID program of another user, which would keep us waiting. */
	command__reap(c, !kill(c->pid, SIGKILL));
}

void command__close(struct command *c)
{
	if (!c->pid)
		return;
	close_fd(&c->pidfd);
	close_fd(&c->go_fd);
	close_fd(&c->exec_fd);
}
