/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <ctype.h>
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "process.h"

#define PROC_PATH  64         /* "/proc/PID/task/TID/syscall" */
#define PF_KTHREAD 0x00200000 /* include/linux/sched.h */
#define PROC_TEXT  4096       /* what we want of status stands in its first lines */

/* Returns the length of the text, NUL-terminated in buf, or a negative error. */
static ssize_t read_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	len = read(fd, buf, size - 1);
	if (len < 0)
		len = -errno;
	else
		buf[len] = '\0';
	close(fd);
	return len;
}

/*
 * Value of a "KEY:\tVALUE" line of /proc/PID/status; "" if there is none. The kernel escapes
 * newlines in the Name line (and only there does a process choose the text), so that no name
 * can pass for another line.
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

static long status_number(const char *status, const char *key)
{
	return strtol(status_value(status, key), NULL, 10);
}

/* A leader that has left its threads behind is shown as a zombie too, but the process runs. */
static bool has_ended(const char *status)
{
	const char state = *status_value(status, "State");

	return (state == 'Z' || state == 'X') && status_number(status, "Threads") <= 1;
}

static int refuse_missing(pid_t pid)
{
	int err = refuse(-ESRCH, "no process with PID %d", pid);

	suggest("pgrep -a NAME");
	return err;
}

static int refuse_thread(pid_t tid, pid_t tgid)
{
	char comm[PROCESS_COMM];
	int err;

	process_comm(tgid, comm);
	err = refuse(-EINVAL, "%d is a thread of %d (%s)", tid, tgid, comm);
	suggest("-p %d", tgid);
	return err;
}

int process_check(pid_t pid)
{
	char path[PROC_PATH], status[PROC_TEXT], comm[PROCESS_COMM];
	ssize_t len;
	pid_t tgid;

	if (pid <= 0)
		return refuse(-EINVAL, "%d is not a PID: they start at 1", pid);
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	len = read_text(path, status, sizeof(status));
	if (len == -ESRCH)
		return refuse_missing(pid);
	if (len < 0)
		return fail(len, "failed to read '%s'", path);
	tgid = status_number(status, "Tgid");
	if (tgid == getpid())
		return refuse(-EINVAL, "%d is %s itself, which is never traced", pid, log_tool());
	if (tgid != pid)
		return refuse_thread(pid, tgid);
	if (!has_ended(status))
		return 0;
	process_comm(pid, comm);
	return refuse(-ESRCH, "process %d (%s) has ended and waits for its parent", pid, comm);
}

bool process_runs(pid_t pid)
{
	char path[PROC_PATH], status[PROC_TEXT];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	return read_text(path, status, sizeof(status)) > 0 && !has_ended(status);
}

void process_comm(pid_t pid, char comm[PROCESS_COMM])
{
	/* Names of kernel workers are longer here than in the task. */
	char path[PROC_PATH], text[PROC_PATH];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	len = read_text(path, text, sizeof(text));
	if (len <= 0) {
		snprintf(comm, PROCESS_COMM, "?");
		return;
	}
	/* Only the last newline is the kernel's: a name may have some itself. */
	if (text[len - 1] == '\n')
		text[len - 1] = '\0';
	snprintf(comm, PROCESS_COMM, "%.*s", PROCESS_COMM - 1, text);
}

struct stat_fields {
	pid_t parent;
	unsigned int flags;
};

static int read_stat(pid_t pid, struct stat_fields *fields)
{
	char path[PROC_PATH], stat[PROC_TEXT];
	const char *comm_end;
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	len = read_text(path, stat, sizeof(stat));
	if (len < 0)
		return len;
	/* The name before it may hold anything, the fields after it hold no parenthesis. */
	comm_end = strrchr(stat, ')');
	if (!comm_end ||
	    sscanf(comm_end, ") %*c %d %*d %*d %*d %*d %u", &fields->parent, &fields->flags) != 2)
		return -EPROTO;
	return 0;
}

pid_t process_parent(pid_t pid)
{
	struct stat_fields fields;
	int err = read_stat(pid, &fields);

	return err ?: fields.parent;
}

bool process_is_kernel(pid_t pid)
{
	struct stat_fields fields;

	return !read_stat(pid, &fields) && fields.flags & PF_KTHREAD;
}

/* 0 if the name is not a number above 0. */
static pid_t parse_pid(const char *name)
{
	char *end;
	long number;

	if (!isdigit((unsigned char)*name))
		return 0;
	number = strtol(name, &end, 10);
	return *end || number > INT_MAX ? 0 : number;
}

static int each_number(const char *path, int (*fn)(pid_t id, void *arg), void *arg)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int ret = 0;
	pid_t id;

	if (!dir)
		return errno == ENOENT ? -ESRCH : -errno;
	while (!ret) {
		errno = 0;
		entry = readdir(dir);
		if (!entry) {
			ret = errno == ENOENT ? -ESRCH : -errno;
			break;
		}
		id = parse_pid(entry->d_name);
		if (id)
			ret = fn(id, arg);
	}
	closedir(dir);
	return ret;
}

int process_each(int (*fn)(pid_t pid, void *arg), void *arg)
{
	return each_number("/proc", fn, arg);
}

int process_each_thread(pid_t pid, int (*fn)(pid_t tid, void *arg), void *arg)
{
	char path[PROC_PATH];

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	return each_number(path, fn, arg);
}

long process_blocked_syscall(pid_t pid, pid_t tid)
{
	char path[PROC_PATH], text[256];
	char *end;
	ssize_t len;
	long number;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", pid, tid);
	len = read_text(path, text, sizeof(text));
	if (len < 0)
		return len;
	/* "running", or "-1 SP PC" for a thread that is blocked outside a call (a page fault). */
	number = strtol(text, &end, 10);
	return end == text || number < 0 ? -EAGAIN : number;
}

int process_elf_class(pid_t pid)
{
	char path[PROC_PATH];

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	return file_elf_class(path);
}

int file_elf_class(const char *path)
{
	static const int bits[] = {[ELFCLASS32] = 32, [ELFCLASS64] = 64};
	unsigned char ident[EI_CLASS + 1];
	/* Without O_NONBLOCK a FIFO would hold us until it has a writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t len;
	int err;

	if (fd < 0)
		return -errno;
	len = read(fd, ident, sizeof(ident));
	err = -errno;
	close(fd);
	if (len < 0)
		return err;
	if (len < (ssize_t)sizeof(ident) || memcmp(ident, ELFMAG, SELFMAG))
		return -ENOEXEC;
	if (ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64)
		return -ENOEXEC;
	return bits[ident[EI_CLASS]];
}
