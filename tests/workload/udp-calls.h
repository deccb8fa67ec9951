/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The ten calls that can send or receive a datagram, behind one signature. */
#ifndef WORKLOAD_UDP_CALLS_H
#define WORKLOAD_UDP_CALLS_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "truth.h"

#define VLEN_MAX 128

struct batch {
	struct mmsghdr msgs[VLEN_MAX];
	struct iovec iovs[VLEN_MAX];
};

/* All messages are the same buffer, and without an address. */
static inline void batch_init(struct batch *batch, void *base, size_t len)
{
	for (int i = 0; i < VLEN_MAX; i++) {
		batch->iovs[i] = (struct iovec){.iov_base = base, .iov_len = len};
		batch->msgs[i].msg_hdr = (struct msghdr){.msg_iov = &batch->iovs[i],
							 .msg_iovlen = 1};
	}
}

static inline long batch_result(const struct batch *batch, int messages, unsigned long *bytes)
{
	for (int i = 0; i < messages; i++)
		*bytes += batch->msgs[i].msg_len;
	return messages;
}

static inline long single_result(ssize_t result, unsigned long *bytes)
{
	if (result < 0)
		return -1;
	*bytes = result;
	return 1;
}

static inline long make_sendmmsg(int fd, struct batch *batch, unsigned int vlen,
				 unsigned long *bytes)
{
	return batch_result(batch, sendmmsg(fd, batch->msgs, vlen, 0), bytes);
}

static inline long make_sendmsg(int fd, struct batch *batch, unsigned int vlen,
				unsigned long *bytes)
{
	(void)vlen;
	return single_result(sendmsg(fd, &batch->msgs[0].msg_hdr, 0), bytes);
}

static inline long make_sendto(int fd, struct batch *batch, unsigned int vlen, unsigned long *bytes)
{
	const struct msghdr *msg = &batch->msgs[0].msg_hdr;

	(void)vlen;
	return single_result(sendto(fd, msg->msg_iov->iov_base, msg->msg_iov->iov_len, 0,
				    msg->msg_name, msg->msg_namelen),
			     bytes);
}

static inline long make_write(int fd, struct batch *batch, unsigned int vlen, unsigned long *bytes)
{
	(void)vlen;
	return single_result(write(fd, batch->iovs[0].iov_base, batch->iovs[0].iov_len), bytes);
}

static inline long make_writev(int fd, struct batch *batch, unsigned int vlen, unsigned long *bytes)
{
	(void)vlen;
	return single_result(writev(fd, batch->iovs, 1), bytes);
}

static inline long make_recvmmsg(int fd, struct batch *batch, unsigned int vlen,
				 unsigned long *bytes)
{
	return batch_result(batch, recvmmsg(fd, batch->msgs, vlen, MSG_DONTWAIT, NULL), bytes);
}

static inline long make_recvmsg(int fd, struct batch *batch, unsigned int vlen,
				unsigned long *bytes)
{
	(void)vlen;
	return single_result(recvmsg(fd, &batch->msgs[0].msg_hdr, MSG_DONTWAIT), bytes);
}

static inline long make_recvfrom(int fd, struct batch *batch, unsigned int vlen,
				 unsigned long *bytes)
{
	const struct iovec *iov = batch->iovs;

	(void)vlen;
	return single_result(recvfrom(fd, iov->iov_base, iov->iov_len, MSG_DONTWAIT, NULL, NULL),
			     bytes);
}

static inline long make_read(int fd, struct batch *batch, unsigned int vlen, unsigned long *bytes)
{
	(void)vlen;
	return single_result(read(fd, batch->iovs[0].iov_base, batch->iovs[0].iov_len), bytes);
}

static inline long make_readv(int fd, struct batch *batch, unsigned int vlen, unsigned long *bytes)
{
	(void)vlen;
	return single_result(readv(fd, batch->iovs, 1), bytes);
}

/*
 * Makes the call once, with MSG_DONTWAIT where it can be said. A call that is no batch takes the
 * first message. Returns the number of messages, or -1 with errno set; bytes is of all of them.
 */
typedef long make_fn(int fd, struct batch *batch, unsigned int vlen, unsigned long *bytes);

static make_fn *const make_call[] = {
	[TRUTH_SENDMMSG] = make_sendmmsg, [TRUTH_SENDMSG] = make_sendmsg,
	[TRUTH_SENDTO] = make_sendto,     [TRUTH_WRITE] = make_write,
	[TRUTH_WRITEV] = make_writev,     [TRUTH_RECVMMSG] = make_recvmmsg,
	[TRUTH_RECVMSG] = make_recvmsg,   [TRUTH_RECVFROM] = make_recvfrom,
	[TRUTH_READ] = make_read,         [TRUTH_READV] = make_readv,
};

#endif
