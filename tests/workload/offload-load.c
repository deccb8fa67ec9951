/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * UDP with generic segmentation and receive offload: over loopback in one process, or as one of
 * two that share a network. In each round each thread makes one sending call of up to
 * ROUND_DATAGRAMS datagrams and then receives, without blocking, until nothing is left. Calls,
 * sizes and control data follow from the seed.
 *
 * usage: offload-load [-6eGMw] [-g WHICH] [-b BATCH] [-m MTU] [-T SIZE] [-B SIZE]
 *                     [-s ADDR -p PORT | -r PORT [-N COUNT]]
 *                     [-n ROUNDS] [-t THREADS] [-S SEED] [-d US]
 *   -g WHICH    segment by "cmsg" (default), by the "option" of the socket, by "both", or "off"
 *   -G          receive with UDP_GRO
 *   -6          IPv6
 *   -M          sendmmsg and recvmmsg only, and receive with room for control data always
 *   -b BATCH    messages of a sendmmsg, at most (default 32)
 *   -m MTU      sizes of datagrams fit it (default 65536)
 *   -e          in every fourth round sends that fail, or do part of what was asked
 *   -T SIZE     receive into buffers of SIZE bytes and of twice that
 *   -B SIZE     for benchmarks: batches of 32 messages of SIZE bytes in segments of up to 1200,
 *               with three pieces of control data each; adds the times of sendmmsg
 *   -s ADDR -p PORT  send only, thread i to PORT + i
 *   -r PORT     receive only, thread i at PORT + i, until the other side has ended, or sent
 *               COUNT datagrams, or was silent for some seconds
 *   -w          print "ready PID" when the sockets are open, and go on at the end of stdin
 *   -n ROUNDS   rounds of each thread (default 100; 0: until SIGINT or SIGTERM)
 *   -t THREADS  (default 1), each with sockets of its own
 *   -S SEED     (default 1)
 *   -d US       sleep that many microseconds between rounds (default 0; with -s 1000)
 *
 * offload-truth.h and truth.h have the facts. The truth is of what the calls returned, so it is
 * exact even if a datagram is dropped. Each of two processes states its own.
 */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "loopback.h"
#include "offload-options.h"
#include "offload-receive.h"
#include "offload-send.h"
#include "offload-truth.h"
#include "ready.h"
#include "socket-buffers.h"

#define PATTERN_BATCH 32
#define BUFFER_BYTES  (64 << 20)
#define SILENCE_MS    10000
#define POLL_MS       100
#define END_DELAY_US  20000 /* so that the end is not put together with what was before */
#define END_MARK      "end"

/* One thread's traffic: tx sends to rx. One of them is -1 if another process has it. */
struct flow {
	int tx, rx;
	struct loopback to;
	struct outbox out;
	struct inbox in;
	unsigned long long send_ns_sum, send_ns_min;
	unsigned long sends;
};

static struct truth truth;
static struct offload_truth offload;
static char payload[TOO_LONG];
static volatile sig_atomic_t stopped;

static unsigned long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static void note_send_time(struct flow *flow, unsigned long long ns)
{
	flow->send_ns_sum += ns;
	flow->sends++;
	if (flow->sends == 1 || ns < flow->send_ns_min)
		flow->send_ns_min = ns;
}

static void send_planned(struct flow *flow, enum truth_call call, unsigned int vlen)
{
	struct outbox *out = &flow->out;
	unsigned long bytes = 0;
	unsigned long long start_ns = now_ns();
	long messages = make_call[call](flow->tx, &out->batch, vlen, &bytes);

	note_send_time(flow, now_ns() - start_ns);
	truth_call(&truth, call, call == TRUTH_SENDMMSG ? vlen : 1, messages, bytes);
	if (messages < 0 && out->segments[0])
		truth_add(&offload.gso_errors[errno], 1);
	if (call == TRUTH_SENDMMSG && messages >= 0 && messages < (long)vlen)
		truth_add(&offload.sendmmsg_partial, 1);
	for (long i = 0; i < messages; i++)
		offload_sent(&offload, out->batch.iovs[i].iov_len, out->segments[i]);
}

static void set_option(struct flow *flow)
{
	static const unsigned int sizes[] = {0, 100, 500, 1200, 8000};
	unsigned int choice = outbox_random(&flow->out, sizeof(sizes) / sizeof(sizes[0]));
	int size = sizes[choice] < flow->out.limit ? sizes[choice] : flow->out.limit;

	if (setsockopt(flow->tx, SOL_UDP, UDP_SEGMENT, &size, sizeof(size)))
		err(1, "failed to set UDP_SEGMENT");
	flow->out.option = size;
}

static void send_round(struct flow *flow, unsigned long round)
{
	struct outbox *out = &flow->out;
	enum truth_call call = TRUTH_SENDMMSG;
	unsigned int vlen;

	if (options.by_option && round % 8 == 0)
		set_option(flow);
	if (!options.batches_only)
		call += outbox_random(out, 3);
	vlen = call == TRUTH_SENDMMSG ? 1 + outbox_random(out, options.batch) : 1;
	out->budget = ROUND_DATAGRAMS;
	for (unsigned int i = 0; i < vlen; i++) {
		outbox_plan(out, i, call != TRUTH_SENDTO, options.by_cmsg);
		if (!out->budget)
			vlen = i + 1;
	}
	send_planned(flow, call, vlen);
}

/* Each alone, as the first of a batch, and behind one that succeeds. */
static void provoke_errors(struct flow *flow)
{
	struct outbox *out = &flow->out;
	int off = 1;

	for (size_t i = 0; i < MISTAKES; i++) {
		out->budget = ROUND_DATAGRAMS;
		outbox_mistake(out, 0, &mistakes[i]);
		outbox_plan(out, 1, true, options.by_cmsg);
		send_planned(flow, TRUTH_SENDMSG, 1);
		send_planned(flow, TRUTH_SENDMMSG, 2);
		outbox_plan(out, 0, true, options.by_cmsg);
		outbox_mistake(out, 1, &mistakes[i]);
		send_planned(flow, TRUTH_SENDMMSG, 2);
	}
	/* Segments need a checksum, which IPv4 alone leaves out by this option. */
	if (setsockopt(flow->tx, SOL_SOCKET, SO_NO_CHECK, &off, sizeof(off)))
		err(1, "failed to set SO_NO_CHECK");
	outbox_plan(out, 0, true, options.by_cmsg);
	send_planned(flow, TRUTH_SENDMSG, 1);
	off = 0;
	setsockopt(flow->tx, SOL_SOCKET, SO_NO_CHECK, &off, sizeof(off));
}

static void drain(struct flow *flow)
{
	struct inbox *in = &flow->in;
	long messages;

	do {
		enum truth_call call = TRUTH_RECVMMSG;
		unsigned int vlen = PATTERN_BATCH;
		unsigned long bytes = 0;

		if (!options.batches_only)
			call += truth_random(&in->random) % 3;
		if (!options.pattern)
			vlen = 2 + truth_random(&in->random) % (VLEN_MAX - 1);
		vlen = call == TRUTH_RECVMMSG ? vlen : 1;
		inbox_prepare(in, vlen);
		messages = make_call[call](flow->rx, &in->batch, vlen, &bytes);
		truth_call(&truth, call, vlen, messages, bytes);
		if (messages >= 0)
			inbox_note_all(in, &offload, call, messages, bytes);
	} while (messages >= 0);
}

static void receive_all(struct flow *flow)
{
	struct pollfd readable = {.fd = flow->rx, .events = POLLIN};
	int silent_ms = 0;

	while (!stopped && silent_ms < SILENCE_MS &&
	       memcmp(flow->in.sink, END_MARK, sizeof(END_MARK)) &&
	       (!options.datagrams || offload.datagrams[TRUTH_RX] < options.datagrams)) {
		silent_ms += POLL_MS;
		if (poll(&readable, 1, POLL_MS) <= 0)
			continue;
		drain(flow);
		silent_ms = 0;
	}
}

static void send_end(struct flow *flow)
{
	static char mark[] = END_MARK;
	struct outbox *out = &flow->out;

	usleep(END_DELAY_US);
	out->segments[0] = out->option;
	out->batch.msgs[0].msg_hdr.msg_controllen = 0;
	out->batch.iovs[0] = (struct iovec){.iov_base = mark, .iov_len = sizeof(mark)};
	send_planned(flow, TRUTH_SENDMMSG, 1);
}

static void *run(void *arg)
{
	struct flow *flow = arg;

	if (flow->tx < 0) {
		receive_all(flow);
		return NULL;
	}
	for (unsigned long round = 0; !stopped && (!options.rounds || round < options.rounds);
	     round++) {
		if (options.pattern)
			send_planned(flow, TRUTH_SENDMMSG, PATTERN_BATCH);
		else
			send_round(flow, round);
		if (options.errors && round % 4 == 0)
			provoke_errors(flow);
		if (flow->rx >= 0)
			drain(flow);
		if (options.delay_us)
			usleep(options.delay_us);
	}
	if (flow->rx < 0)
		send_end(flow);
	return NULL;
}

static void enable(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)))
		err(1, "failed to set option %d of level %d", name, level);
}

/* Without the privilege for large buffers datagrams may be lost: both sides' counts tell. */
static void set_address(struct loopback *self, const char *addr, unsigned int port)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&self->addr;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&self->addr;

	*self = (struct loopback){.len = options.ipv6 ? sizeof(*v6) : sizeof(*v4)};
	self->addr.ss_family = options.ipv6 ? AF_INET6 : AF_INET;
	/* The port is at the same place in both. */
	v4->sin_port = htons(port);
	if (inet_pton(self->addr.ss_family, addr,
		      options.ipv6 ? (void *)&v6->sin6_addr : (void *)&v4->sin_addr) != 1)
		errx(2, "not an address: '%s'", addr);
}

/* At a port of its own if port is 0. */
static int open_bound(enum truth_dir dir, unsigned int port, struct loopback *self)
{
	static const char *const addrs[2][2] = {{"127.0.0.1", "::1"}, {"0.0.0.0", "::"}};
	bool is_remote = options.to || options.at_port;
	int fd = socket(options.ipv6 ? AF_INET6 : AF_INET,
			SOCK_DGRAM | (dir == TRUTH_RX ? SOCK_NONBLOCK : 0), 0);

	set_address(self, addrs[is_remote][options.ipv6], port);
	if (fd < 0 || bind(fd, (struct sockaddr *)&self->addr, self->len) ||
	    getsockname(fd, (struct sockaddr *)&self->addr, &self->len))
		err(1, "failed to open a UDP socket");
	printf("port %s %u\n", truth_dirs[dir],
	       ntohs(((struct sockaddr_in *)&self->addr)->sin_port));
	return fd;
}

/* More control data than that of UDP_GRO, on every second thread also before it. */
static int open_receiver(unsigned int id, struct loopback *self)
{
	int fd = open_bound(TRUTH_RX, options.at_port ? options.at_port + id : 0, self);

	socket_enlarge(fd, SO_RCVBUF, SO_RCVBUFFORCE, BUFFER_BYTES);
	if (options.gro)
		enable(fd, SOL_UDP, UDP_GRO, 1);
	enable(fd, options.ipv6 ? IPPROTO_IPV6 : IPPROTO_IP,
	       options.ipv6 ? IPV6_RECVPKTINFO : IP_PKTINFO, 1);
	enable(fd, options.ipv6 ? IPPROTO_IPV6 : IPPROTO_IP,
	       options.ipv6 ? IPV6_RECVTCLASS : IP_RECVTOS, 1);
	enable(fd, SOL_SOCKET, SO_TIMESTAMP, id % 2);
	return fd;
}

static void prepare_outbox(struct flow *flow, unsigned int random)
{
	struct outbox *out = &flow->out;
	unsigned int headers = options.ipv6 ? 48 : 28;

	out->random = random;
	out->ipv6 = options.ipv6;
	out->limit = options.mtu - headers < PAYLOAD_MAX ? options.mtu - headers : PAYLOAD_MAX;
	batch_init(&out->batch, payload, 1);
	for (int i = 0; i < VLEN_MAX; i++) {
		out->batch.msgs[i].msg_hdr.msg_name = &flow->to.addr;
		out->batch.msgs[i].msg_hdr.msg_namelen = flow->to.len;
	}
	if (options.pattern)
		outbox_pattern(out, options.pattern);
}

static struct flow *open_flow(unsigned int id)
{
	struct flow *flow = calloc(1, sizeof(*flow));
	unsigned int random = options.seed * 7919 + id * 104729;
	struct loopback from;

	if (!flow)
		err(1, "failed to set up thread %u", id);
	flow->tx = flow->rx = -1;
	if (options.to)
		set_address(&flow->to, options.to, options.to_port + id);
	else
		flow->rx = open_receiver(id, &flow->to);
	if (!options.at_port) {
		flow->tx = open_bound(TRUTH_TX, 0, &from);
		socket_enlarge(flow->tx, SO_SNDBUF, SO_SNDBUFFORCE, BUFFER_BYTES);
	}
	flow->in.random = random;
	flow->in.small = options.small;
	flow->in.always_control = options.batches_only;
	batch_init(&flow->in.batch, flow->in.sink, sizeof(flow->in.sink));
	prepare_outbox(flow, random);
	return flow;
}

static void stop(int number)
{
	(void)number;
	stopped = true;
}

static void print_times(struct flow **flows)
{
	for (unsigned int i = 0; i < options.threads && options.pattern; i++) {
		if (!flows[i]->sends)
			continue;
		printf("sendmmsg_min_ns %llu\n", flows[i]->send_ns_min);
		printf("sendmmsg_mean_ns %llu\n", flows[i]->send_ns_sum / flows[i]->sends);
	}
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = stop};
	struct flow *flows[THREADS_MAX];
	pthread_t threads[THREADS_MAX];

	parse_options(argc, argv);
	check_options();
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	for (unsigned int i = 0; i < options.threads; i++)
		flows[i] = open_flow(i);
	if (options.wait)
		ready_wait_go();
	for (unsigned int i = 1; i < options.threads; i++) {
		if (pthread_create(&threads[i], NULL, run, flows[i]))
			errx(1, "failed to start thread %u", i);
	}
	run(flows[0]);
	for (unsigned int i = 1; i < options.threads; i++)
		pthread_join(threads[i], NULL);
	print_times(flows);
	offload_print(&offload, options.small);
	truth_print(&truth);
	for (unsigned int i = 0; i < options.threads; i++)
		free(flows[i]);
	return 0;
}
