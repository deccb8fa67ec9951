/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Datagrams that wait for a known time, from one socket to another of the same process.
 *
 * usage: io-wait MODE [-bBS] [-n ROUNDS] [-m MESSAGES] [-c CALL] [-s BYTES] [-g BYTES]
 *                [-t READERS] [-T NET] [-R NET]
 *   waits    in each round MESSAGES are sent, wait, and are read
 *   blocked  READERS that block in one socket get ROUNDS x MESSAGES datagrams
 *   flood    MESSAGES are sent to a socket whose buffer is too small; what came is read
 *   closed   MESSAGES are sent to the port of a socket that has been closed
 *   nothing  MESSAGES are there, and wait to be read until the end of stdin
 *
 *   -c CALL  recvmmsg, recvmsg, recv or read
 *   -S       single sends, not sendmmsg
 *   -s, -g   bytes of a datagram; of a segment of it (UDP_SEGMENT)
 *   -T, -R   the sender's and the receiver's network, a file (/proc/PID/ns/net); the receiver
 *            is 10.77.0.2 then, else 127.0.0.1
 *   -b       the readers are busy: they never block
 *   -d US    sleep after each sending call
 *
 * The truth: "datagrams N" were read; "packets N" sent, one for each message that was accepted;
 * "dropped N", as the socket has counted them; "port N" of the receiver. In the mode waits also
 * "hist rx_shortest SLOT COUNT" and "hist rx_longest SLOT COUNT": how long each datagram has at
 * least and at most been under way, from the stamp that the kernel hands over with it, to just
 * before and just after the call that has read it. Who looks at both from within the kernel sees
 * the same stamp, and the end of the read somewhere within that call, however slow the machine is.
 */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ready.h"
#include "socket-buffers.h"
#include "truth.h"

#include <netinet/udp.h>

#define MESSAGES_MAX 64
#define READERS_MAX  16
#define BYTES_MAX    65507
#define WAIT_FIRST   11 /* of 1.5 * 2^WAIT microseconds */
#define WAIT_LAST    15
#define CLOCK_NS     50000 /* by which a clock that is made of another may be wrong (before 6.1) */
#define NS_PER_S     1000000000LL
#define SMALL_BUFFER 4096
#define LARGE_BUFFER (16 << 20)
#define IDLE_MS      300   /* after which nothing more comes */
#define PATIENCE_MS  20000 /* after which it is an error that something does not */

enum call { CALL_RECVMMSG, CALL_RECVMSG, CALL_RECV, CALL_READ, CALLS };

static const char *const calls[CALLS] = {"recvmmsg", "recvmsg", "recv", "read"};

static struct {
	const char *mode;
	unsigned long rounds, messages, bytes, segment, readers, delay_us;
	const char *tx_net, *rx_net;
	enum call call;
	bool single, busy;
} options = {.rounds = 12, .messages = 5, .bytes = 100, .readers = 1};

static struct {
	unsigned long shortest[TRUTH_SLOTS], longest[TRUTH_SLOTS];
	unsigned long datagrams, packets;
} truth;

static int tx, rx;
static struct sockaddr_in to = {.sin_family = AF_INET};

static void enter_net(const char *path)
{
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (path && (fd < 0 || setns(fd, CLONE_NEWNET)))
		err(1, "failed to enter '%s'", path);
}

static void set_option(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)))
		err(1, "failed to set an option of a socket");
}

/* Of the receiver's calls. */
static void set_timeout(unsigned int ms)
{
	struct timeval t = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	if (setsockopt(rx, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)))
		err(1, "failed to set a timeout");
}

static void open_sockets(void)
{
	socklen_t len = sizeof(to);

	enter_net(options.rx_net);
	rx = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	to.sin_addr.s_addr = inet_addr(options.rx_net ? "10.77.0.2" : "127.0.0.1");
	if (rx < 0 || bind(rx, (struct sockaddr *)&to, len) ||
	    getsockname(rx, (struct sockaddr *)&to, &len))
		err(1, "failed to open a UDP socket");
	enter_net(options.tx_net);
	tx = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (tx < 0 || connect(tx, (struct sockaddr *)&to, len))
		err(1, "failed to open a UDP socket");
	if (options.segment)
		set_option(tx, IPPROTO_UDP, UDP_SEGMENT, options.segment);
	socket_enlarge(rx, SO_RCVBUF, SO_RCVBUFFORCE, LARGE_BUFFER);
	socket_enlarge(tx, SO_SNDBUF, SO_SNDBUFFORCE, LARGE_BUFFER);
	printf("port %u\n", ntohs(to.sin_port));
}

static long long now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void send_batch(unsigned long messages)
{
	static char bytes[BYTES_MAX];
	struct iovec vec = {.iov_base = bytes, .iov_len = options.bytes};
	struct mmsghdr msgs[MESSAGES_MAX] = {0};
	int sent = 0;

	for (unsigned long i = 0; i < messages; i++) {
		msgs[i].msg_hdr.msg_iov = &vec;
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	for (unsigned long i = 0; options.single && i < messages; i++)
		sent += sendmsg(tx, &msgs[i].msg_hdr, 0) == (ssize_t)options.bytes;
	if (!options.single)
		sent = sendmmsg(tx, msgs, messages, 0);
	if (sent != (int)messages)
		err(1, "sent %d of %lu messages", sent, messages);
	truth.packets += sent;
	if (options.delay_us)
		usleep(options.delay_us);
}

/* A datagram was read by a call between these two times, of the clock that its stamp is of. */
static void count_stamp(struct msghdr *msg, long long before, long long after)
{
	struct timespec stamp;
	struct cmsghdr *c;
	long long ns;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
		ns = stamp.tv_sec * NS_PER_S + stamp.tv_nsec;
		truth.shortest[truth_slot(before - ns - CLOCK_NS)]++;
		truth.longest[truth_slot(after - ns + CLOCK_NS)]++;
		return;
	}
	errx(1, "a datagram without a stamp");
}

/* How many were read, -1 for an error. */
static int receive(bool wait)
{
	static _Thread_local char bytes[BYTES_MAX], control[MESSAGES_MAX][128];
	struct mmsghdr msgs[MESSAGES_MAX] = {0};
	struct iovec vec = {.iov_base = bytes, .iov_len = sizeof(bytes)};
	int flags = wait ? MSG_WAITFORONE : MSG_DONTWAIT, got;
	long long before;

	for (int i = 0; i < MESSAGES_MAX; i++)
		msgs[i].msg_hdr = (struct msghdr){.msg_iov = &vec,
						  .msg_iovlen = 1,
						  .msg_control = control[i],
						  .msg_controllen = sizeof(control[i])};
	before = now_ns(CLOCK_REALTIME);
	switch (options.call) {
	case CALL_RECV:
		return recv(rx, bytes, sizeof(bytes), flags & MSG_DONTWAIT) < 0 ? -1 : 1;
	case CALL_READ:
		return read(rx, bytes, sizeof(bytes)) < 0 ? -1 : 1;
	case CALL_RECVMSG:
		got = recvmsg(rx, &msgs[0].msg_hdr, flags & MSG_DONTWAIT) < 0 ? -1 : 1;
		break;
	default:
		/* One at a time: a batch's times are all of its end. */
		got = recvmmsg(rx, msgs, wait ? MESSAGES_MAX : 1, flags, NULL);
	}
	if (!wait && got == 1)
		count_stamp(&msgs[0].msg_hdr, before, now_ns(CLOCK_REALTIME));
	return got;
}

static void receive_all(unsigned long datagrams)
{
	while (datagrams--) {
		if (receive(false) != 1)
			err(1, "failed to receive");
		truth.datagrams++;
	}
}

/* A slow machine may bring them after the sending call. Each peek looks behind the one before. */
static void await(unsigned long datagrams)
{
	static char bytes[BYTES_MAX];

	set_option(rx, SOL_SOCKET, SO_PEEK_OFF, 0);
	while (datagrams--) {
		if (recv(rx, bytes, sizeof(bytes), MSG_PEEK) < 0)
			err(1, "failed to await a datagram");
	}
	set_option(rx, SOL_SOCKET, SO_PEEK_OFF, -1);
}

static unsigned long per_message(void)
{
	if (!options.segment)
		return 1;
	return (options.bytes + options.segment - 1) / options.segment;
}

/* Into the middle of a slot of nanoseconds: 1.46 times its begin. */
static void mode_waits(void)
{
	long long begin, wait;

	set_timeout(PATIENCE_MS);
	set_option(rx, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	for (unsigned long i = 0; i < options.rounds; i++) {
		begin = now_ns(CLOCK_MONOTONIC);
		wait = 1500LL << (WAIT_FIRST + i % (WAIT_LAST - WAIT_FIRST));
		send_batch(options.messages);
		while (now_ns(CLOCK_MONOTONIC) < begin + wait)
			usleep(wait / 20000);
		await(options.messages * per_message());
		receive_all(options.messages * per_message());
	}
	truth_print_slots("rx_shortest", truth.shortest);
	truth_print_slots("rx_longest", truth.longest);
}

static void *read_on(void *arg)
{
	int got;

	(void)arg;
	for (;;) {
		got = receive(true);
		if (got < 0 && errno == EAGAIN && !options.busy)
			return NULL;
		if (got < 0 && errno != EAGAIN)
			err(1, "failed to receive");
		if (got > 0)
			truth_add(&truth.datagrams, got);
		if (__atomic_load_n(&truth.datagrams, __ATOMIC_RELAXED) >=
		    options.rounds * options.messages * per_message())
			return NULL;
	}
}

static void mode_blocked(void)
{
	pthread_t readers[READERS_MAX];

	set_timeout(IDLE_MS);
	if (options.busy)
		fcntl(rx, F_SETFL, O_NONBLOCK);
	for (unsigned long i = 0; i < options.readers; i++)
		pthread_create(&readers[i], NULL, read_on, NULL);
	for (unsigned long i = 0; i < options.rounds; i++)
		send_batch(options.messages);
	for (unsigned long i = 0; i < options.readers; i++)
		pthread_join(readers[i], NULL);
}

static void mode_flood(void)
{
	set_option(rx, SOL_SOCKET, SO_RCVBUF, SMALL_BUFFER);
	set_timeout(IDLE_MS);
	send_batch(options.messages);
	usleep(IDLE_MS * 1000);
	options.call = CALL_RECV;
	while (receive(true) == 1)
		truth.datagrams++;
	printf("dropped %lu\n", truth.packets - truth.datagrams);
}

static void mode_closed(void)
{
	struct sockaddr_in any = {.sin_family = AF_UNSPEC};

	send_batch(1);
	options.call = CALL_RECV;
	if (receive(true) != 1)
		err(1, "failed to receive");
	truth.datagrams++;
	close(rx);
	/* Not connected, it hears of no error. */
	if (connect(tx, (struct sockaddr *)&any, sizeof(any)))
		err(1, "failed to let go of the receiver");
	for (unsigned long i = 0; i < options.messages; i++) {
		if (sendto(tx, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) != 1)
			err(1, "failed to send");
		truth.packets++;
	}
	printf("dropped %lu\n", options.messages);
}

static void mode_nothing(void)
{
	send_batch(options.messages);
	ready_wait_go();
	options.call = CALL_RECV;
	for (unsigned long i = 0; i < options.messages; i++)
		truth.datagrams += receive(false) == 1;
}

static const struct {
	const char *name;
	void (*run)(void);
} modes[] = {
	{"waits", mode_waits},   {"blocked", mode_blocked}, {"flood", mode_flood},
	{"closed", mode_closed}, {"nothing", mode_nothing},
};

static void set_call(const char *name)
{
	for (int i = 0; i < CALLS; i++) {
		if (!strcmp(name, calls[i])) {
			options.call = i;
			return;
		}
	}
	errx(2, "no such call: '%s'", name);
}

static unsigned long *const numbers[] = {
	['d'] = &options.delay_us, ['g'] = &options.segment, ['m'] = &options.messages,
	['n'] = &options.rounds,   ['s'] = &options.bytes,   ['t'] = &options.readers,
};

static void parse(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "bSn:m:c:s:g:t:T:R:d:")) != -1) {
		switch (opt) {
		case 'b':
			options.busy = true;
			break;
		case 'S':
			options.single = true;
			break;
		case 'c':
			set_call(optarg);
			break;
		case 'T':
			options.tx_net = optarg;
			break;
		case 'R':
			options.rx_net = optarg;
			break;
		default:
			if (!numbers[opt])
				exit(2);
			*numbers[opt] = truth_number(optarg);
		}
	}
	if (optind + 1 != argc || options.messages > MESSAGES_MAX ||
	    options.readers > READERS_MAX || options.bytes > BYTES_MAX)
		errx(2, "usage: io-wait MODE [-bS] [-n ROUNDS] [-m MESSAGES] ...");
	options.mode = argv[optind];
}

int main(int argc, char **argv)
{
	size_t i = 0;

	parse(argc, argv);
	while (i < sizeof(modes) / sizeof(modes[0]) && strcmp(modes[i].name, options.mode))
		i++;
	if (i == sizeof(modes) / sizeof(modes[0]))
		errx(2, "no such mode: '%s'", options.mode);
	open_sockets();
	modes[i].run();
	truth_print_count("datagrams", NULL, NULL, truth.datagrams);
	truth_print_count("packets", NULL, NULL, truth.packets);
	return 0;
}
