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

int binary_of_name(struct binary *binary, const char *name)
{
	char *found = NULL;

	snprintf(binary->path, sizeof(binary->path), "%s", name);
	if (!strchr(name, '/') && !command_find(name, &found))
		snprintf(binary->path, sizeof(binary->path), "%s", found);
	free(found);
	return binary__stat(binary) ? 0 : fail(-errno, "failed to open '%s'", name);
}

/*
 * The link in map_files leads to the very inode. The plain path is preferred while it does too:
 * kernels without BPF cookies (5.15) need a path that stands in the maps.
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
 * root. The descriptor stays open, since the path leads through it.
 */
static bool path_in_root_of(struct binary *binary, pid_t pid, const char *name)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	char root[32];
	int root_fd, fd;

	snprintf(root, sizeof(root), "/proc/%d/root", pid);
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = root_fd < 0 ? -1 : syscall(SYS_openat2, root_fd, name, &how, sizeof(how));
	if (root_fd >= 0)
		close(root_fd);
	if (fd < 0)
		return false;
	snprintf(binary->path, sizeof(binary->path), "/proc/self/fd/%d", fd);
	return binary__stat(binary);
}

/* A file that the process has not mapped, or that has no path in the maps: a link, a mount. */
static bool find_unmapped(struct binary *binary, pid_t pid, const char *name)
{
	struct binary ours;

	snprintf(ours.path, sizeof(ours.path), "%s", name);
	if (*name != '/') {
		*binary = ours;
		return strchr(name, '/') && binary__stat(binary);
	}
	if (!path_in_root_of(binary, pid, name)) {
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
	int err = maps_of_process(&maps, pid);
	bool found;

	/* Who may not look into the process may still know the file. */
	if (err == -EACCES || err == -EPERM)
		err = 0;
	m = maps__find(&maps, resolved ?: name);
	found = (m && use_mapping(binary, pid, m)) || find_unmapped(binary, pid, name);
	if (err)
		fail(err, "failed to read what process %d has mapped", pid);
	else if (!found && (!*name || strchr(name, '/')))
		err = fail(-ENOENT, "failed to open '%s'", name);
	else if (!found)
		err = refuse_unloaded(pid, name, &maps);
	if (!err)
		verbose("'%s' of process %d is '%s'", name, pid, binary->path);
	maps__free(&maps);
	free(resolved);
	return err;
}
