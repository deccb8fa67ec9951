/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proc-text.h"

/*
 * Value of a "KEY:\tVALUE" line; "" if there is none. The kernel escapes newlines in the Name
 * line (and only there does a process choose the text), so that no name can pass for another
 * line.
 */
static const char *status_value(const char *status, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = status; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, key, len) && line[len] == ':')
			return line + len + 1 + strspn(line + len + 1, " \t");
	}
	return "";
}

/* What does not fit is no number of the kernel's. */
static int status_number(const char *status, const char *key)
{
	long number = strtol(status_value(status, key), NULL, 10);

	return number < 0 || number > INT_MAX ? 0 : number;
}

void proc_parse_status(const char *text, struct proc_status *status)
{
	status->state = *status_value(text, "State");
	status->tgid = status_number(text, "Tgid");
	status->threads = status_number(text, "Threads");
}

int proc_parse_stat(const char *text, struct proc_stat *stat)
{
	/* The name before it may hold anything, the fields after it hold no parenthesis. */
	const char *comm_end = strrchr(text, ')');

	if (!comm_end ||
	    sscanf(comm_end, ") %*c %d %*d %*d %*d %*d %u", &stat->parent, &stat->flags) != 2)
		return -EPROTO;
	return 0;
}

void proc_parse_comm(const char *text, size_t len, char *comm, size_t size)
{
	if (!len) {
		snprintf(comm, size, "?");
		return;
	}
	/* Only the last newline is the kernel's: a name may have some itself. */
	if (text[len - 1] == '\n')
		len--;
	snprintf(comm, size, "%.*s", (int)len, text);
}

long proc_parse_syscall(const char *text)
{
	char *end;
	/* "running", or "-1 SP PC" for a thread that is blocked outside a call (a page fault). */
	long number = strtol(text, &end, 10);

	return end == text || number < 0 ? -EAGAIN : number;
}

pid_t proc_parse_pid(const char *name)
{
	char *end;
	long number;

	if (!isdigit((unsigned char)*name))
		return 0;
	number = strtol(name, &end, 10);
	return *end || number > INT_MAX ? 0 : number;
}
