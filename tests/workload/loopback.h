/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef WORKLOAD_LOOPBACK_H
#define WORKLOAD_LOOPBACK_H

#include <err.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

struct loopback {
	struct sockaddr_storage addr;
	socklen_t len;
};

/* A UDP socket with a port of its own, which goes to self. */
static inline int loopback_open(bool ipv6, int flags, struct loopback *self)
{
	int fd = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | flags, 0);

	*self = (struct loopback){.len = sizeof(struct sockaddr_in)};
	if (ipv6) {
		*(struct sockaddr_in6 *)&self->addr = (struct sockaddr_in6){
			.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
		self->len = sizeof(struct sockaddr_in6);
	} else {
		*(struct sockaddr_in *)&self->addr = (struct sockaddr_in){
			.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	}
	if (fd < 0 || bind(fd, (struct sockaddr *)&self->addr, self->len) ||
	    getsockname(fd, (struct sockaddr *)&self->addr, &self->len))
		err(1, "failed to open a UDP socket");
	return fd;
}

static inline void loopback_connect(int fd, const struct loopback *peer)
{
	if (connect(fd, (const struct sockaddr *)&peer->addr, peer->len))
		err(1, "failed to connect");
}

#endif
