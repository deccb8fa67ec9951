/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Two connected sockets, of UDP and of what is not. */
#ifndef WORKLOAD_SOCKET_PAIRS_H
#define WORKLOAD_SOCKET_PAIRS_H

#include "loopback.h"

struct pair {
	int tx, rx;
	bool udp;
};

static inline struct pair udp_pair(void)
{
	struct loopback self, peer;
	struct pair pair = {.udp = true};

	pair.tx = loopback_open(false, 0, &self);
	pair.rx = loopback_open(false, 0, &peer);
	loopback_connect(pair.tx, &peer);
	loopback_connect(pair.rx, &self);
	return pair;
}

static inline struct pair tcp_pair(void)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct pair pair = {.tx = socket(AF_INET, SOCK_STREAM, 0)};

	if (bind(listener, (struct sockaddr *)&addr, len) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&addr, &len) ||
	    connect(pair.tx, (struct sockaddr *)&addr, len))
		err(1, "failed to connect by TCP");
	pair.rx = accept(listener, NULL, NULL);
	return pair;
}

static inline struct pair unix_pair(void)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds))
		err(1, "failed to open Unix sockets");
	return (struct pair){.tx = fds[0], .rx = fds[1]};
}

#endif
