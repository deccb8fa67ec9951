// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "preload-hello.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <linux/magic.h>

/* The one descriptor of a message that was received, or -1; others cannot be in it. */
static int descriptor_of(struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int fd = -1;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(fd)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

bool preload_hello__receive(struct preload_hello *hello, int socket_fd, int *memfd)
{
	struct iovec iov = {hello, sizeof(*hello)};
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n = recvmsg(socket_fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	*memfd = n < 0 ? -1 : descriptor_of(&msg);
	if (n <= 0 && *memfd < 0)
		return false;
	/* The secret of nobody. */
	if (n != sizeof(*hello) || hello->magic != PRELOAD_MAGIC)
		*hello = (struct preload_hello){0};
	return true;
}

/*
 * A file that could become smaller, or has pages of a kind that can run out, would kill us by
 * SIGBUS.
 */
unsigned int preload_hello__slots(const struct preload_hello *hello, int fd, unsigned int ring_bits)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct statfs fs;
	struct stat st;
	off_t slots;

	if (hello->ring_bits != ring_bits || seals < 0 || !(seals & F_SEAL_SHRINK) ||
	    fstat(fd, &st) || fstatfs(fd, &fs) || fs.f_type != TMPFS_MAGIC ||
	    st.st_size < PRELOAD_RINGS)
		return 0;
	slots = (st.st_size - PRELOAD_RINGS) >> ring_bits;
	return slots < PRELOAD_SLOTS ? slots : PRELOAD_SLOTS;
}
