/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "proc-text.h"
#include "process.h"

#define PROC_PATH  64         /* "/proc/PID/task/TID/syscall" */
#define PF_KTHREAD 0x00200000 /* include/linux/sched.h */
#define PROC_TEXT  16384      /* Threads in status comes after up to 65536 groups */

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

static int read_status(pid_t pid, struct proc_status *status)
{
	char path[PROC_PATH], text[PROC_TEXT];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	len = read_text(path, text, sizeof(text));
	if (len <= 0)
		return len ?: -ESRCH;
	proc_parse_status(text, status);
	return 0;
}

/* A leader that has left its threads behind is shown as a zombie too, but the process runs. */
static bool has_ended(const struct proc_status *status)
{
	return (status->state == 'Z' || status->state == 'X') && status->threads <= 1;
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
	char comm[PROCESS_COMM];
	struct proc_status status;
	int err;

	if (pid <= 0)
		return refuse(-EINVAL, "%d is not a PID: they start at 1", pid);
	err = read_status(pid, &status);
	if (err == -ESRCH)
		return refuse_missing(pid);
	if (err)
		return fail(err, "failed to read '/proc/%d/status'", pid);
	if (status.tgid == getpid())
		return refuse(-EINVAL, "%d is %s itself, which is never traced", pid, log_tool());
	if (status.tgid != pid)
		return refuse_thread(pid, status.tgid);
	if (!has_ended(&status))
		return 0;
	process_comm(pid, comm);
	return refuse(-ESRCH, "process %d (%s) has ended and waits for its parent", pid, comm);
}

bool process_runs(pid_t pid)
{
	struct proc_status status;

	return !read_status(pid, &status) && !has_ended(&status);
}

void process_comm(pid_t pid, char comm[PROCESS_COMM])
{
	/* Names of kernel workers are longer here than in the task. */
	char path[PROC_PATH], text[PROC_PATH];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	len = read_text(path, text, sizeof(text));
	proc_parse_comm(text, len < 0 ? 0 : len, comm, PROCESS_COMM);
}

static int read_stat(pid_t pid, struct proc_stat *stat)
{
	char path[PROC_PATH], text[PROC_TEXT];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	len = read_text(path, text, sizeof(text));
	return len < 0 ? len : proc_parse_stat(text, stat);
}

pid_t process_parent(pid_t pid)
{
	struct proc_stat stat;
	int err = read_stat(pid, &stat);

	return err ?: stat.parent;
}

bool process_is_kernel(pid_t pid)
{
	struct proc_stat stat;

	return !read_stat(pid, &stat) && stat.flags & PF_KTHREAD;
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
		id = proc_parse_pid(entry->d_name);
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
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", pid, tid);
	len = read_text(path, text, sizeof(text));
	return len < 0 ? len : proc_parse_syscall(text);
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

bool process_ended(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	return poll(&p, 1, 0) != 0;
}
