/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A command to be traced from its first instruction: it is forked at once and waits on a
 * close-on-exec pipe until the probes are on.
 */
#ifndef WIRESCOPE_COMMAND_H
#define WIRESCOPE_COMMAND_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* Exit statuses of timeout(1) and env(1). */
enum {
	COMMAND_OUR_FAILURE = 125,
	COMMAND_CANNOT_EXEC = 126,
	COMMAND_NOT_FOUND = 127,
};

/* Of an environment. */
struct command_variable {
	const char *name; /* NULL: the end of a list */
	const char *value;
};

struct command {
	/* Set before it is started. */
	const struct command_variable *variables; /* beside those that we have; NULL: none */
	bool outlives_us;                         /* no SIGTERM when we die */

	pid_t pid;   /* 0: none */
	int pidfd;   /* readable when it has ended; -1: none */
	int go_fd;   /* write end: one byte lets it exec */
	int exec_fd; /* read end: an errno if exec failed, end of file if it worked */
	bool reaped;
	int status; /* of waitpid(2), once reaped */
};

#define COMMAND_INIT                                    \
	{                                               \
		.pidfd = -1, .go_fd = -1, .exec_fd = -1 \
	}

/*
 * Split a line into words by the rules of POSIX sh quoting: single quotes, double quotes
 * (backslash before $ ` " \ and newline), backslash outside. No expansion of any kind.
 * *argv is NULL-terminated, in one allocation: the caller frees it with free(). Returns
 * -EINVAL after a message for an open quote, a trailing backslash or an empty line.
 */
int command_split(const char *line, char ***argv);

/*
 * Path of a command as execvp(3) would find it in PATH: *path is malloced. Returns -ENOENT
 * or -EACCES (a file is there but cannot be executed); no message.
 */
int command_find(const char *name, char **path);

#define COMMAND_INTERPRETER 256 /* the kernel reads no more of a #! line */

/* The interpreter that the #! line of a script names; false if there is none. */
bool command_interpreter(FILE *script, char interpreter[COMMAND_INTERPRETER]);

/*
 * Print why a command cannot run. err: from command_find() if below 0, the errno of execve(2)
 * if above. Returns COMMAND_NOT_FOUND or COMMAND_CANNOT_EXEC.
 */
int command_explain(const char *name, int err);

/*
 * Fork the command; it does not run yet. user: run as this user (groups too), NULL: as we
 * are. The child gets an empty signal mask, default signal actions, none of our descriptors
 * but 0 to 2, and SIGTERM when we die, unless it outlives us. Errors print a message; those to be
 * reported as 126 or 127 come from command__go().
 */
int command__start(struct command *c, char *const argv[], const char *user);

/*
 * Let it exec and wait until that has worked or failed. Returns 0, or COMMAND_NOT_FOUND or
 * COMMAND_CANNOT_EXEC after a message, or a negative error.
 */
int command__go(struct command *c, const char *name);

/* Reap it if it has ended (never blocks unless wait); true once it is gone. */
bool command__reap(struct command *c, bool wait);

/* Exit status for our own exit: its own, or 128 + the signal that ended it. */
int command__exit_status(const struct command *c);

/* SIGTERM, and SIGKILL after grace_ms; reaps. A command that never ran is killed at once. */
void command__stop(struct command *c, int grace_ms);

void command__close(struct command *c);

#endif
