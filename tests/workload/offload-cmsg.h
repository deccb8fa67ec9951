/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Control data of UDP messages as QUIC servers use it, and what the kernel adds on receipt. */
#ifndef WORKLOAD_OFFLOAD_CMSG_H
#define WORKLOAD_OFFLOAD_CMSG_H

#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#define CONTROL_BYTES 256

struct control {
	_Alignas(struct cmsghdr) char bytes[CONTROL_BYTES];
	size_t len;
};

static inline void control_add(struct control *control, int level, int type, const void *data,
			       size_t len)
{
	struct cmsghdr *cmsg = (void *)(control->bytes + control->len);

	cmsg->cmsg_level = level;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(cmsg), data, len);
	control->len += CMSG_SPACE(len);
}

/* Of any source address, and on any interface. */
static inline void control_add_pktinfo(struct control *control, bool ipv6)
{
	static const struct in6_pktinfo any6;
	static const struct in_pktinfo any4;

	if (ipv6)
		control_add(control, IPPROTO_IPV6, IPV6_PKTINFO, &any6, sizeof(any6));
	else
		control_add(control, IPPROTO_IP, IP_PKTINFO, &any4, sizeof(any4));
}

/* Capable of explicit congestion notification, as QUIC says of its packets. */
static inline void control_add_ecn(struct control *control, bool ipv6)
{
	const int ect0 = 2;

	control_add(control, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, ipv6 ? IPV6_TCLASS : IP_TOS, &ect0,
		    sizeof(ect0));
}

static inline void control_add_segment(struct control *control, unsigned int size)
{
	const uint16_t value = size;

	control_add(control, SOL_UDP, UDP_SEGMENT, &value, sizeof(value));
}

/* The bytes of each datagram but the last that the kernel put together, or 0. */
static inline unsigned int control_gro_size(struct msghdr *msg)
{
	int size = 0;

	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level == SOL_UDP && cmsg->cmsg_type == UDP_GRO)
			memcpy(&size, CMSG_DATA(cmsg), sizeof(size));
	}
	return size;
}

#endif
