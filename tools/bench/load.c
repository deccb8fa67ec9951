/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * usage: load
 *
 * The process that is traced, or that must not suffer from it. Each line "LOAD CHUNKS" on stdin
 * makes that many runs of about a millisecond; the fastest one's time for one step, in ns, is
 * the answer. A millisecond is short enough that on a busy machine some run is not disturbed.
 */
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CHUNK_NS      1000000
#define VLEN_MAX      32
#define MESSAGE_BYTES 64

static struct mmsghdr tx_msgs[VLEN_MAX], rx_msgs[VLEN_MAX];
static struct iovec tx_iovs[VLEN_MAX], rx_iovs[VLEN_MAX];
static char tx_bytes[MESSAGE_BYTES], rx_bytes[MESSAGE_BYTES];
static int tx_fd, rx_fd;

/* Messages as QUIC servers send them: three control messages each, the last one asks for GSO. */
#define SEGMENT_BYTES 32

struct control {
	struct cmsghdr info_header;
	struct in_pktinfo info __attribute__((aligned(8)));
	struct cmsghdr tos_header __attribute__((aligned(8)));
	int tos __attribute__((aligned(8)));
	struct cmsghdr gso_header __attribute__((aligned(8)));
	uint16_t gso __attribute__((aligned(8)));
};

static struct mmsghdr gso_msgs[VLEN_MAX];
static struct control controls[VLEN_MAX];
static int gso_fd;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void step_getppid(unsigned int unused)
{
	(void)unused;
	syscall(SYS_getppid);
}

static void step_pair(unsigned int vlen)
{
	if (sendmmsg(tx_fd, tx_msgs, vlen, 0) != (int)vlen ||
	    recvmmsg(rx_fd, rx_msgs, vlen, MSG_DONTWAIT, NULL) != (int)vlen)
		err(1, "failed to pass %u messages through loopback", vlen);
}

/* Nobody reads what it sends. */
static void step_gso(unsigned int vlen)
{
	if (sendmmsg(gso_fd, gso_msgs, vlen, 0) != (int)vlen)
		err(1, "failed to send %u messages of two datagrams", vlen);
}

static void step_receive_nothing(unsigned int vlen)
{
	if (recvmmsg(rx_fd, rx_msgs, vlen, MSG_DONTWAIT, NULL) >= 0 || errno != EAGAIN)
		errx(1, "the receive of nothing received");
}

static const struct load {
	const char *name;
	void (*step)(unsigned int vlen);
	unsigned int vlen;
	unsigned int steps; /* between two looks at the clock */
} loads[] = {
	{"getppid", step_getppid, 0, 500}, {"pair8", step_pair, 8, 10},
	{"pair32", step_pair, 32, 5},      {"nothing", step_receive_nothing, 8, 200},
	{"gso1", step_gso, 1, 100},        {"gso2", step_gso, 2, 50},
	{"gso32", step_gso, 32, 5},
};

static double run_chunk_ns(const struct load *load)
{
	uint64_t start = now_ns(), end, steps = 0;

	do {
		for (unsigned int i = 0; i < load->steps; i++)
			load->step(load->vlen);
		steps += load->steps;
		end = now_ns();
	} while (end - start < CHUNK_NS);
	return (double)(end - start) / steps;
}

static double run_ns(const char *name, unsigned int chunks)
{
	double best = 0, ns;

	for (size_t l = 0; l < sizeof(loads) / sizeof(loads[0]); l++) {
		if (strcmp(loads[l].name, name))
			continue;
		for (unsigned int i = 0; i < chunks; i++) {
			ns = run_chunk_ns(&loads[l]);
			best = i && best < ns ? best : ns;
		}
		return best;
	}
	errx(1, "no load is called '%s'", name);
}

static void open_sockets(void)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);

	tx_fd = socket(AF_INET, SOCK_DGRAM, 0);
	rx_fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (tx_fd < 0 || rx_fd < 0 || bind(rx_fd, (struct sockaddr *)&addr, len) ||
	    getsockname(rx_fd, (struct sockaddr *)&addr, &len) ||
	    connect(tx_fd, (struct sockaddr *)&addr, len))
		err(1, "failed to open UDP sockets on loopback");
	for (int i = 0; i < VLEN_MAX; i++) {
		tx_iovs[i] = (struct iovec){tx_bytes, sizeof(tx_bytes)};
		rx_iovs[i] = (struct iovec){rx_bytes, sizeof(rx_bytes)};
		tx_msgs[i].msg_hdr = (struct msghdr){.msg_iov = &tx_iovs[i], .msg_iovlen = 1};
		rx_msgs[i].msg_hdr = (struct msghdr){.msg_iov = &rx_iovs[i], .msg_iovlen = 1};
	}
}

static struct cmsghdr header_of(int level, int type, size_t bytes)
{
	return (struct cmsghdr){
		.cmsg_len = CMSG_LEN(bytes), .cmsg_level = level, .cmsg_type = type};
}

static void open_gso_socket(void)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int sink = socket(AF_INET, SOCK_DGRAM, 0), bytes = 1;
	socklen_t len = sizeof(addr);

	gso_fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (gso_fd < 0 || sink < 0 || bind(sink, (struct sockaddr *)&addr, len) ||
	    setsockopt(sink, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) ||
	    getsockname(sink, (struct sockaddr *)&addr, &len) ||
	    connect(gso_fd, (struct sockaddr *)&addr, len))
		err(1, "failed to open a UDP socket to send from");
	for (int i = 0; i < VLEN_MAX; i++) {
		controls[i] = (struct control){
			.info_header = header_of(IPPROTO_IP, IP_PKTINFO, sizeof(struct in_pktinfo)),
			.tos_header = header_of(IPPROTO_IP, IP_TOS, sizeof(int)),
			.gso_header = header_of(SOL_UDP, UDP_SEGMENT, sizeof(uint16_t)),
			.gso = SEGMENT_BYTES,
		};
		gso_msgs[i].msg_hdr = tx_msgs[i].msg_hdr;
		gso_msgs[i].msg_hdr.msg_control = &controls[i];
		gso_msgs[i].msg_hdr.msg_controllen = sizeof(controls[i]);
	}
}

int main(void)
{
	char name[16];
	unsigned int chunks;

	open_sockets();
	open_gso_socket();
	while (scanf("%15s %u", name, &chunks) == 2) {
		printf("%.2f\n", run_ns(name, chunks));
		fflush(stdout);
	}
	return 0;
}
