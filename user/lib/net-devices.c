// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "net-devices.h"

#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process.h"

#define NAMED_NETWORKS "/run/netns" /* of ip-netns(8) */

static bool is_in_network(int fd, const char *name)
{
	return !setns(fd, CLONE_NEWNET) && if_nametoindex(name);
}

/* Only who may enter them sees what is there; to others they are without devices. */
static bool is_in_named_network(const char *name)
{
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	DIR *dir = own < 0 ? NULL : opendir(NAMED_NETWORKS);
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		int fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			continue;
		found = entry->d_name[0] != '.' && is_in_network(fd, name);
		close(fd);
	}
	if (dir) {
		setns(own, CLONE_NEWNET);
		closedir(dir);
	}
	if (own >= 0)
		close(own);
	return found;
}

/* /proc/PID/net/dev has a line "  eth0: 12 34 ..." for each device. */
static int process_has_device(pid_t pid, void *arg)
{
	char path[64], line[512];
	bool found = false;
	FILE *list;

	snprintf(path, sizeof(path), "/proc/%d/net/dev", pid);
	list = fopen(path, "re");
	while (list && !found && fgets(line, sizeof(line), list)) {
		char *name = line + strspn(line, " "), *end = strrchr(name, ':');

		if (end)
			*end = '\0';
		found = end && !strcmp(name, arg);
	}
	if (list)
		fclose(list);
	return found;
}

bool net_device_exists(const char *name)
{
	return if_nametoindex(name) || is_in_named_network(name) ||
	       process_each(process_has_device, (void *)name) > 0;
}

void net_device_list(char *buf, size_t size)
{
	struct if_nameindex *list = if_nameindex();
	size_t len = 0;

	buf[0] = '\0';
	for (struct if_nameindex *at = list; at && at->if_index && len < size; at++)
		len += snprintf(buf + len, size - len, "%s%s", len ? ", " : "", at->if_name);
	if (list)
		if_freenameindex(list);
}

uint32_t net_own_inode(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) ? 0 : st.st_ino;
}

void net_inode_text(uint32_t inode, char *buf, size_t size)
{
	DIR *dir = opendir(NAMED_NETWORKS);
	struct dirent *entry;
	struct stat st;

	snprintf(buf, size, "netns %u", inode);
	while (dir && (entry = readdir(dir))) {
		if (!fstatat(dirfd(dir), entry->d_name, &st, 0) && st.st_ino == inode)
			snprintf(buf, size, "netns %s", entry->d_name);
	}
	if (dir)
		closedir(dir);
}
