// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "log.h"

bool cgroup_parse_mount(const char *line, struct cgroup_mount *m)
{
	const char *type = strstr(line, " - ");

	return type && !strncmp(type + 3, "cgroup2 ", 8) &&
	       sscanf(line, "%*s %*s %*s %4095s %4095s", m->root, m->dir) == 2;
}

/* The path of a cgroup below a mount, or NULL if the mount does not have it. */
static const char *below(const struct cgroup_mount *m, const char *cgroup)
{
	size_t len = strcmp(m->root, "/") ? strlen(m->root) : 0;

	if (strncmp(cgroup, m->root, len) || (cgroup[len] && cgroup[len] != '/'))
		return NULL;
	return cgroup + len;
}

/* The first mount that has a cgroup: where that is in path. A hybrid system has it elsewhere. */
static bool find_folder(const char *cgroup, char *path, size_t size, struct cgroup_mount *m)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char line[3 * PATH_MAX];
	bool found = false;

	while (mounts && !found && fgets(line, sizeof(line), mounts)) {
		const char *rest = cgroup_parse_mount(line, m) ? below(m, cgroup) : NULL;
		int len = rest ? snprintf(path, size, "%s%s", m->dir, rest) : -1;

		found = len > 0 && (size_t)len < size && !access(path, F_OK);
	}
	if (mounts)
		fclose(mounts);
	return found;
}

static bool find_mount(struct cgroup_mount *m)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char line[3 * PATH_MAX];
	bool found = false;

	while (mounts && !found && fgets(line, sizeof(line), mounts))
		found = cgroup_parse_mount(line, m);
	if (mounts)
		fclose(mounts);
	return found;
}

int cgroup_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = -errno;
	char below_mount[2 * PATH_MAX];
	bool mounted = false;
	struct statfs fs;
	struct cgroup_mount m;

	if (fd >= 0 && !fstatfs(fd, &fs) && fs.f_type == CGROUP2_SUPER_MAGIC)
		return fd;
	mounted = find_mount(&m);
	if (fd < 0 && mounted) {
		snprintf(below_mount, sizeof(below_mount), "%s/%s", m.dir, path);
		fd = open(below_mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0)
			return fd;
	}
	if (fd < 0)
		return fail(err, "failed to open the cgroup '%s'", path);
	close(fd);
	refuse(-EINVAL, "'%s' is not a cgroup of the cgroup2 hierarchy", path);
	if (mounted)
		suggest("a folder below '%s'", m.dir);
	return -EINVAL;
}

bool cgroup_parse(FILE *text, char *cgroup, size_t size)
{
	char line[PATH_MAX];
	bool found = false;

	while (!found && fgets(line, sizeof(line), text)) {
		found = !strncmp(line, "0::", 3);
		line[strcspn(line, "\n")] = '\0';
	}
	if (found)
		snprintf(cgroup, size, "%s", strcmp(line + 3, "/") ? line + 3 : "");
	return found;
}

static bool cgroup_of(pid_t pid, char *cgroup, size_t size)
{
	char path[64];
	bool found;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	f = fopen(path, "re");
	found = f && cgroup_parse(f, cgroup, size);
	if (f)
		fclose(f);
	return found;
}

bool cgroup_has(int fd, pid_t pid)
{
	char cgroup[PATH_MAX], path[2 * PATH_MAX];
	struct stat want, at;
	struct cgroup_mount m;
	char *slash;

	if (fstat(fd, &want) || !cgroup_of(pid, cgroup, sizeof(cgroup)) ||
	    !find_folder(cgroup, path, sizeof(path), &m))
		return false;
	/* Up to the folder that is mounted: all that is in the hierarchy has one st_dev. */
	while (!stat(path, &at) && at.st_dev == want.st_dev) {
		if (at.st_ino == want.st_ino)
			return true;
		slash = strrchr(path, '/');
		if (!slash || strlen(path) <= strlen(m.dir))
			return false;
		*slash = '\0';
	}
	return false;
}
