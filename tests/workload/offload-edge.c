// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * UDP messages as programs rarely have them: control data that says its size twice, that is
 * nowhere aligned or cut off, receives that only look, or fetch errors. Prints offload-truth.h's
 * facts.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <unistd.h>

#include "offload-cmsg.h"
#include "offload-truth.h"
#include "truth.h"

#define LENGTH   3000
#define ROOM     20 /* of each of PARTS */
#define PARTS    12
#define MESSAGES 8
#define UNEVEN   (CMSG_SPACE(2) + 18) /* bytes from one message's control data to the next */

static struct offload_truth truth;
static char data[65536];
static int sock;

static int open_socket(struct sockaddr_in *address)
{
	socklen_t len = sizeof(*address);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	*address = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	if (fd < 0 || bind(fd, (void *)address, len) || getsockname(fd, (void *)address, &len) ||
	    connect(fd, (void *)address, len))
		err(1, "socket");
	return fd;
}

static void set_option(int level, int option, int value)
{
	if (setsockopt(sock, level, option, &value, sizeof(value)))
		err(1, "option %d", option);
}

/* Sent as datagrams of size bytes. */
static void send_as(unsigned int size, const struct control *control)
{
	struct iovec iov = {.iov_base = data, .iov_len = LENGTH};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	msg.msg_control = (void *)control->bytes;
	msg.msg_controllen = control->len;
	if (sendmsg(sock, &msg, 0) != LENGTH)
		err(1, "sendmsg");
	offload_sent(&truth, LENGTH, size);
}

static void drain(void)
{
	long len;

	while ((len = recv(sock, data, sizeof(data), MSG_DONTWAIT)) >= 0)
		offload_message(&truth, TRUTH_RX, len, 0);
}

/* The kernel takes the last. */
static void say_it_twice(void)
{
	struct control control = {.len = 0};

	control_add_segment(&control, 1000);
	control_add_segment(&control, 300);
	send_as(300, &control);
	drain();
}

static void send_uneven(void)
{
	static char area[MESSAGES * UNEVEN];
	struct mmsghdr msgs[MESSAGES] = {0};
	struct iovec iov = {.iov_base = data, .iov_len = LENGTH};

	for (unsigned int i = 0; i < MESSAGES; i++) {
		struct control control = {.len = 0};
		char *at = area + i * UNEVEN;

		control_add_segment(&control, 100 * (i + 1));
		memcpy(at, control.bytes, control.len);
		msgs[i].msg_hdr = (struct msghdr){.msg_iov = &iov, .msg_iovlen = 1};
		msgs[i].msg_hdr.msg_control = at;
		msgs[i].msg_hdr.msg_controllen = control.len;
		offload_sent(&truth, LENGTH, 100 * (i + 1));
	}
	if (sendmmsg(sock, msgs, MESSAGES, 0) != MESSAGES)
		err(1, "sendmmsg");
	drain();
}

/* The header of the kernel's UDP_GRO fits, and no size. */
static void receive_header_only(void)
{
	struct control control = {.len = 0}, received = {.len = 0};
	struct iovec iov = {.iov_base = data, .iov_len = sizeof(data)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = received.bytes};
	long len;

	set_option(SOL_UDP, UDP_GRO, 1);
	control_add_segment(&control, 500);
	send_as(500, &control);
	msg.msg_controllen = CMSG_LEN(0);
	len = recvmsg(sock, &msg, 0);
	offload_message(&truth, TRUTH_RX, len, 0);
	set_option(SOL_UDP, UDP_GRO, 0);
	drain();
}

/* Each of these leaves the message for the next one. */
static void look_first(void)
{
	struct iovec iov = {.iov_base = data, .iov_len = 9};
	struct msghdr nothing = {0};
	struct mmsghdr batch = {.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}};

	send_as(0, &(struct control){.len = 0});
	if (recvmsg(sock, &nothing, MSG_PEEK | MSG_TRUNC) != LENGTH ||
	    recvmmsg(sock, &batch, 1, MSG_PEEK, NULL) != 1 || recv(sock, data, 1, MSG_PEEK) != 1)
		err(1, "peek");
	drain();
}

static void receive_in_parts(void)
{
	struct iovec iovs[PARTS];
	struct msghdr msg = {.msg_iov = iovs, .msg_iovlen = PARTS};

	for (int i = 0; i < PARTS; i++)
		iovs[i] = (struct iovec){.iov_base = data, .iov_len = ROOM};
	send_as(0, &(struct control){.len = 0});
	if (recvmsg(sock, &msg, 0) != PARTS * ROOM)
		err(1, "recvmsg");
	offload_message(&truth, TRUTH_RX, PARTS * ROOM, 0);
	truth_add(&truth.truncated[0], 1);
}

/* A send whose message is nowhere tells nothing, and nothing is lost. */
static void send_nothing(void)
{
	set_option(SOL_UDP, UDP_SEGMENT, 1000);
	if (sendmsg(sock, (void *)8, 0) >= 0 || errno != EFAULT)
		err(1, "sendmsg of no message");
	set_option(SOL_UDP, UDP_SEGMENT, 0);
}

static void receive_errors(void)
{
	struct sockaddr_in gone;
	char bytes[512];
	struct msghdr msg = {.msg_control = bytes, .msg_controllen = sizeof(bytes)};
	int tries = 0;

	close(open_socket(&gone));
	set_option(SOL_IP, IP_RECVERR, 1);
	if (connect(sock, (void *)&gone, sizeof(gone)))
		err(1, "connect");
	send_as(0, &(struct control){.len = 0});
	while (recvmsg(sock, &msg, MSG_ERRQUEUE) < 0) {
		if (errno != EAGAIN || ++tries > 5000)
			err(1, "error queue");
		usleep(1000);
	}
}

int main(void)
{
	struct sockaddr_in own;

	sock = open_socket(&own);
	say_it_twice();
	send_uneven();
	receive_header_only();
	look_first();
	receive_in_parts();
	send_nothing();
	receive_errors();
	offload_print(&truth, PARTS * ROOM);
	return 0;
}
