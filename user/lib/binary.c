// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "binary.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"
#include "maps.h"
#include "process.h"

static bool binary__stat(struct binary *binary)
{
	struct stat st;

	if (stat(binary->path, &st))
		return false;
	binary->device = st.st_dev;
	binary->inode = st.st_ino;
	return true;
}

/*
 * What is at the path now stays what is probed, though the file be renamed or replaced between
 * our looks at it and the kernel's. Only a file is ever opened: to open a device of a target's
 * choice could do anything (start a watchdog).
 */
static int binary__hold(struct binary *binary, const char *name)
{
	struct stat st;
	char through[32];
	int fd = open(binary->path, O_PATH | O_CLOEXEC), err;

	if (fd < 0 || fstat(fd, &st)) {
		err = fail(-errno, "failed to open '%s'", name);
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		err = refuse(-EINVAL, "'%s' has no probes: it is not a file", name);
		goto out;
	}
	binary->fd = fd;
	binary->device = st.st_dev;
	binary->inode = st.st_ino;
	snprintf(through, sizeof(through), "/proc/self/fd/%d", fd);
	if (!access(through, F_OK)) /* there is a /proc */
		snprintf(binary->path, sizeof(binary->path), "%s", through);
	return 0;
out:
	if (fd >= 0)
		close(fd);
	return err;
}

void binary__close(struct binary *binary)
{
	close(binary->fd);
}

int binary_of_name(struct binary *binary, const char *name)
{
	char *found = NULL;

	snprintf(binary->path, sizeof(binary->path), "%s", name);
	if (!strchr(name, '/') && !command_find(name, &found))
		snprintf(binary->path, sizeof(binary->path), "%s", found);
	free(found);
	return binary__hold(binary, name);
}

/*
 * The link in map_files leads to the very inode, for those who may follow it (CAP_SYS_ADMIN). The
 * plain path is preferred while it does too: it says more to a reader.
 */
static bool use_mapping(struct binary *binary, pid_t pid, const struct mapping *m)
{
	struct binary plain;

	snprintf(binary->path, sizeof(binary->path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, pid,
		 m->start, m->end);
	snprintf(plain.path, sizeof(plain.path), "%s", m->path);
	if (!binary__stat(&plain) || m->deleted)
		return binary__stat(binary);
	if (!binary__stat(binary) ||
	    (plain.device == binary->device && plain.inode == binary->inode))
		*binary = plain;
	return true;
}

/* Names of programs and libraries, as far as there is room. */
static void list_mapped(const struct maps *maps, char *text, size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < maps->cnt; i++) {
		const char *base = strrchr(maps->map[i].path, '/') + 1;
		size_t need = strlen(base) + 1;

		if (!maps->map[i].executable || len + need >= size)
			continue;
		len += snprintf(text + len, size - len, " %s", base);
	}
}

static int refuse_unloaded(pid_t pid, const char *name, const struct maps *maps)
{
	char comm[PROCESS_COMM], loaded[512];

	process_comm(pid, comm);
	list_mapped(maps, loaded, sizeof(loaded));
	refuse(-ENOENT, "%s (PID %d) has not loaded '%s'", comm, pid, name);
	why("what it has loaded:%s", *loaded ? loaded : " nothing");
	suggest("the path of the file, which it may load later");
	return -ENOENT;
}

/*
 * A path as the process sees it: links in it, which it may have made, do not lead out of its
 * root. *fd is to stay open for as long as the path is used, which leads through it.
 */
static bool path_in_root_of(struct binary *binary, pid_t pid, const char *name, int *fd)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	char root[32];
	int root_fd;

	snprintf(root, sizeof(root), "/proc/%d/root", pid);
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	*fd = root_fd < 0 ? -1 : syscall(SYS_openat2, root_fd, name, &how, sizeof(how));
	if (root_fd >= 0)
		close(root_fd);
	if (*fd < 0)
		return false;
	snprintf(binary->path, sizeof(binary->path), "/proc/self/fd/%d", *fd);
	return binary__stat(binary);
}

/* A file that the process has not mapped, or that has no path in the maps: a link, a mount. */
static bool find_unmapped(struct binary *binary, pid_t pid, const char *name, int *fd)
{
	struct binary ours;

	snprintf(ours.path, sizeof(ours.path), "%s", name);
	if (*name != '/') {
		*binary = ours;
		return strchr(name, '/') && binary__stat(binary);
	}
	if (!path_in_root_of(binary, pid, name, fd)) {
		*binary = ours;
		return binary__stat(binary);
	}
	if (binary__stat(&ours) && ours.device == binary->device && ours.inode == binary->inode)
		*binary = ours;
	return true;
}

int binary_of_process(struct binary *binary, pid_t pid, const char *name)
{
	char *resolved = *name != '/' && strchr(name, '/') ? realpath(name, NULL) : NULL;
	const struct mapping *m;
	struct maps maps;
	int err = maps_of_process(&maps, pid), root_fd = -1;
	bool found;

	/* Who may not look into the process may still know the file. */
	if (err == -EACCES || err == -EPERM)
		err = 0;
	m = maps__find(&maps, resolved ?: name);
	found = (m && use_mapping(binary, pid, m)) || find_unmapped(binary, pid, name, &root_fd);
	if (err)
		fail(err, "failed to read what process %d has mapped", pid);
	else if (!found && (!*name || strchr(name, '/')))
		err = fail(-ENOENT, "failed to open '%s'", name);
	else if (!found)
		err = refuse_unloaded(pid, name, &maps);
	if (!err) {
		verbose("'%s' of process %d is '%s'", name, pid, binary->path);
		err = binary__hold(binary, name);
	}
	if (root_fd >= 0)
		close(root_fd);
	maps__free(&maps);
	free(resolved);
	return err;
}
