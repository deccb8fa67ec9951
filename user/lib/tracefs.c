// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tracefs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"

static int mount_detached(void)
{
	int fs = syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC), dir;

	if (fs < 0)
		return -errno;
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		dir = -errno;
	else
		dir = syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	close(fs);
	return dir;
}

/* A directory descriptor of tracefs, kept open. */
static int tracefs_dir(void)
{
	static const char *const paths[] = {"/sys/kernel/tracing/events",
					    "/sys/kernel/debug/tracing/events"};
	static int dir = -1;
	int root;

	for (size_t i = 0; dir < 0 && i < sizeof(paths) / sizeof(paths[0]); i++)
		dir = open(paths[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0)
		return dir;
	root = mount_detached();
	if (root < 0)
		return root;
	dir = openat(root, "events", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(root);
	return dir < 0 ? -errno : dir;
}

/* Of an event; a name does not lead elsewhere. */
static int open_file(const char *group, const char *event, const char *file)
{
	int dir = tracefs_dir(), fd;
	char path[256];

	if (dir < 0)
		return dir;
	if (strchr(group, '/') || strchr(event, '/') ||
	    snprintf(path, sizeof(path), "%s/%s/%s", group, event, file) >= (int)sizeof(path))
		return -ENOENT;
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int tracefs_event_id(const char *group, const char *event)
{
	int fd = open_file(group, event, "id");
	char buf[32] = "";
	ssize_t len;

	if (fd < 0)
		return fd;
	len = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	return len > 0 ? (int)strtol(buf, NULL, 10) : -EIO;
}

int tracefs_read_format(const char *group, const char *event, char **text)
{
	int fd = open_file(group, event, "format"), err = 0;
	size_t size = 0;
	FILE *file;

	*text = NULL;
	if (fd < 0)
		return fd;
	file = fdopen(fd, "r");
	if (!file) {
		err = -errno;
		close(fd);
		return err;
	}
	if (getdelim(text, &size, '\0', file) < 0) {
		err = -EIO;
		free(*text);
		*text = NULL;
	}
	fclose(file);
	return err;
}

static int is_directory(const struct dirent *entry)
{
	return entry->d_type == DT_DIR && entry->d_name[0] != '.';
}

static void free_entries(struct dirent **entries, int cnt)
{
	for (int i = 0; i < cnt; i++)
		free(entries[i]);
	free(entries);
}

static int each_event_of(const char *group,
			 int (*fn)(const char *group, const char *event, void *arg), void *arg)
{
	struct dirent **events;
	int cnt = scandirat(tracefs_dir(), group, &events, is_directory, alphasort), err = 0;

	if (cnt < 0)
		return -errno;
	for (int i = 0; !err && i < cnt; i++)
		err = fn(group, events[i]->d_name, arg);
	free_entries(events, cnt);
	return err;
}

int tracefs_each_event(int (*fn)(const char *group, const char *event, void *arg), void *arg)
{
	int dir = tracefs_dir(), cnt, err = 0;
	struct dirent **groups;

	if (dir < 0)
		return dir;
	cnt = scandirat(dir, ".", &groups, is_directory, alphasort);
	if (cnt < 0)
		return -errno;
	for (int i = 0; !err && i < cnt; i++)
		err = each_event_of(groups[i]->d_name, fn, arg);
	free_entries(groups, cnt);
	return err;
}

/*
 * The rights are asked for with an event that counts nothing: letting go of a tracepoint takes
 * the kernel many milliseconds. Debian's kernel.perf_event_paranoid=3 wants CAP_SYS_ADMIN.
 */
int tracefs_try(const char *group, const char *event)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
	};
	int id = tracefs_event_id(group, event), fd;

	if (id < 0)
		return id;
	fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

struct bpf_link *tracefs_attach(const struct bpf_program *prog, const char *group,
				const char *event)
{
	return tracefs_attach_cookie(prog, group, event, 0);
}

struct bpf_link *tracefs_attach_cookie(const struct bpf_program *prog, const char *group,
				       const char *event, uint64_t cookie)
{
	LIBBPF_OPTS(bpf_perf_event_opts, opts, .bpf_cookie = cookie);
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.sample_period = 1,
		.wakeup_events = 1,
	};
	int id = tracefs_event_id(group, event), fd;
	struct bpf_link *link;

	if (id < 0) {
		fail(id, "failed to find the tracepoint '%s:%s'", group, event);
		return NULL;
	}
	attr.config = id;
	fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0) {
		fail(-errno, "failed to open the tracepoint '%s:%s'", group, event);
		return NULL;
	}
	link = bpf_program__attach_perf_event_opts(prog, fd, &opts);
	if (!link) {
		fail(-errno, "failed to attach to the tracepoint '%s:%s'", group, event);
		close(fd);
	}
	return link;
}
