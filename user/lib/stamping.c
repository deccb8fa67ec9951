// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "stamping.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/net_tstamp.h>

#include "clock.h"
#include "log.h"

#define NS_PER_S   1000000000LL
#define TRIES      200
#define TRY_US     5000
#define CLOCK_LOOK 5 /* times; the one that took least is nearest to the truth */

static void wait_a_little(void)
{
	nanosleep(&(struct timespec){.tv_nsec = TRY_US * 1000L}, NULL);
}

/* With a stamp of the kernel's: unlike SO_TIMESTAMPNS, this never makes one up. */
static bool is_stamped(struct msghdr *msg)
{
	struct timespec stamps[3];
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPING ||
		    c->cmsg_len < CMSG_LEN(sizeof(stamps)))
			continue;
		memcpy(stamps, CMSG_DATA(c), sizeof(stamps));
		return stamps[0].tv_sec;
	}
	return false;
}

/* 1: a datagram to ourselves was stamped, 0: not, -1: none came through. */
static int try_stamp(int fd)
{
	char control[256] __attribute__((aligned(8))), byte = 0;
	struct iovec vec = {.iov_base = &byte, .iov_len = 1};
	struct msghdr msg = {
		.msg_iov = &vec,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};

	if (send(fd, &byte, 1, MSG_DONTWAIT) != 1)
		return -1;
	for (int i = 0; recvmsg(fd, &msg, MSG_DONTWAIT) < 0; i++) {
		if (i == TRIES / 10)
			return -1;
		wait_a_little();
	}
	return is_stamped(&msg);
}

/* The descriptor stays open: the kernel stamps until it is closed. */
int stamping_start(void)
{
	int flags = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE, stamped = 0;
	struct sockaddr_in self = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(self);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags)))
		return fail(-errno, "failed to have packets stamped");
	if (bind(fd, (struct sockaddr *)&self, len) ||
	    getsockname(fd, (struct sockaddr *)&self, &len) ||
	    connect(fd, (struct sockaddr *)&self, len))
		stamped = -1;
	for (int i = 0; !stamped && i < TRIES; i++) {
		stamped = try_stamp(fd);
		if (!stamped)
			wait_a_little();
	}
	if (stamped > 0)
		return 0;
	/* No loopback device, or a firewall: it takes the kernel some milliseconds. */
	verbose("cannot see whether packets are stamped: waiting");
	for (int i = 0; i < TRIES / 10; i++)
		wait_a_little();
	return 0;
}

static int64_t ns_of(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

struct stamping_clocks stamping_clocks(void)
{
	struct stamping_clocks clocks = {0};
	int64_t shortest_ns = INT64_MAX, before, real, after;

	for (int i = 0; i < CLOCK_LOOK; i++) {
		before = clock_now_ns();
		real = ns_of(CLOCK_REALTIME);
		after = clock_now_ns();
		if (after - before >= shortest_ns)
			continue;
		shortest_ns = after - before;
		clocks.monotonic_ns = before + (after - before) / 2 - real;
	}
	clocks.tai_ns = ns_of(CLOCK_TAI) - ns_of(CLOCK_REALTIME);
	clocks.tai_ns = (clocks.tai_ns + NS_PER_S / 2) / NS_PER_S * NS_PER_S;
	return clocks;
}
