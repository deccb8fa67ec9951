// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "links.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

static struct bpf_link **links;
static size_t links_cnt;
static int *fds;
static size_t fds_cnt;

int links_keep(struct bpf_link *link)
{
	struct bpf_link **grown;

	if (!link)
		return -EINVAL;
	grown = reallocarray(links, links_cnt + 1, sizeof(*links));
	if (!grown) {
		bpf_link__destroy(link);
		return fail(-ENOMEM, "failed to keep a probe");
	}
	links = grown;
	links[links_cnt++] = link;
	return 0;
}

int links_keep_fd(int fd)
{
	int *grown = reallocarray(fds, fds_cnt + 1, sizeof(*fds));

	if (!grown) {
		close(fd);
		return fail(-ENOMEM, "failed to keep a probe");
	}
	fds = grown;
	fds[fds_cnt++] = fd;
	return 0;
}

void links_destroy(void)
{
	while (links_cnt)
		bpf_link__destroy(links[--links_cnt]);
	while (fds_cnt)
		close(fds[--fds_cnt]);
	free(links);
	free(fds);
	links = NULL;
	fds = NULL;
}

static bool is_of_kernel(int fd)
{
	static const char kind[] = "anon_inode:";
	char path[32], target[64];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	len = readlink(path, target, sizeof(target));
	return len > (ssize_t)strlen(kind) && !memcmp(target, kind, strlen(kind));
}

/* Whoever reads what we wrote, or waits for the end of it, must not wait for the probes. */
static void close_files(int except)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		int fd = strtol(entry->d_name, NULL, 10);

		if (fd != except && fd != dirfd(dir) && !is_of_kernel(fd))
			close(fd);
	}
	if (dir)
		closedir(dir);
}

void links_leave(void)
{
	int ends[2];
	char byte;

	if ((!links_cnt && !fds_cnt) || pipe2(ends, O_CLOEXEC))
		return;
	if (fork() == 0) {
		close(ends[1]);
		close_files(ends[0]);
		setsid();
		/* The last one to close a probe pays for it: let that not be our parent. */
		if (read(ends[0], &byte, 1) <= 0)
			_exit(0);
	}
	close(ends[0]);
}
