// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "udp-ports.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Inode of the socket that a link of /proc/PID/fd names; 0 if it is none. */
static unsigned long socket_inode(int dir_fd, const char *name)
{
	unsigned long inode = 0;
	char text[64];
	ssize_t len = readlinkat(dir_fd, name, text, sizeof(text) - 1);

	text[len < 0 ? 0 : len] = '\0';
	return sscanf(text, "socket:[%lu]", &inode) == 1 ? inode : 0;
}

struct inodes {
	unsigned long *inode;
	size_t cnt;
};

static int compare(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

	return (x > y) - (x < y);
}

static void add_inode(struct inodes *inodes, unsigned long inode)
{
	unsigned long *grown;

	/* Room for a power of two: there may be a hundred thousand. */
	if (!(inodes->cnt & (inodes->cnt - 1))) {
		grown = reallocarray(inodes->inode, inodes->cnt ? 2 * inodes->cnt : 1,
				     sizeof(*grown));
		if (!grown)
			return;
		inodes->inode = grown;
	}
	inodes->inode[inodes->cnt++] = inode;
}

/* Of all sockets of a process, sorted. */
static struct inodes sockets_of(pid_t pid)
{
	struct inodes inodes = {0};
	struct dirent *entry;
	unsigned long inode;
	char path[32];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		inode = socket_inode(dirfd(dir), entry->d_name);
		if (inode)
			add_inode(&inodes, inode);
	}
	if (dir)
		closedir(dir);
	if (inodes.cnt)
		qsort(inodes.inode, inodes.cnt, sizeof(inode), compare);
	return inodes;
}

/* "SL: ADDR:PORT ADDR:PORT ST TX:RX TR:WHEN RETRNSMT UID TIMEOUT INODE ..." */
static void read_ports(FILE *table, const struct inodes *own, uint8_t ports[65536])
{
	unsigned long inode;
	unsigned int port;
	char line[512];

	while (fgets(line, sizeof(line), table)) {
		if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*s %*s %*s %*s %*s %*s %*s %lu", &port,
			   &inode) == 2 &&
		    port < 65536 && bsearch(&inode, own->inode, own->cnt, sizeof(inode), compare))
			ports[port] = 1;
	}
}

void udp_ports_of_process(pid_t pid, uint8_t ports[65536])
{
	static const char *const tables[] = {"udp", "udp6"};
	struct inodes own = sockets_of(pid);
	char path[48];

	for (int i = 0; own.cnt && i < 2; i++) {
		FILE *table;

		snprintf(path, sizeof(path), "/proc/%d/net/%s", pid, tables[i]);
		table = fopen(path, "re");
		if (!table)
			continue;
		read_ports(table, &own, ports);
		fclose(table);
	}
	free(own.inode);
}
