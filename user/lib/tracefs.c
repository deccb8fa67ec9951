// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
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

int tracefs_event_id(const char *group, const char *event)
{
	char path[256], buf[32] = "";
	int dir = tracefs_dir(), fd;
	ssize_t len;

	if (dir < 0)
		return dir;
	snprintf(path, sizeof(path), "%s/%s/id", group, event);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	return len > 0 ? (int)strtol(buf, NULL, 10) : -EIO;
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
	link = bpf_program__attach_perf_event(prog, fd);
	if (!link) {
		fail(-errno, "failed to attach to the tracepoint '%s:%s'", group, event);
		close(fd);
	}
	return link;
}
