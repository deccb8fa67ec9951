/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef WORKLOAD_SOCKET_BUFFERS_H
#define WORKLOAD_SOCKET_BUFFERS_H

#include <sys/socket.h>

/* Without the privilege for so much, as much as anybody may have: a few datagrams fit. */
static inline void socket_enlarge(int fd, int name, int forced_name, int bytes)
{
	if (setsockopt(fd, SOL_SOCKET, forced_name, &bytes, sizeof(bytes)))
		setsockopt(fd, SOL_SOCKET, name, &bytes, sizeof(bytes));
}

#endif
