/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * UDP over loopback in one process, by every call that can send or receive a datagram. The
 * choice of calls, batch lengths and sizes follows from the seed. In each round each thread
 * makes one sending call and then receives, without blocking, until nothing is left.
 *
 * usage: udp-load [-6cefMNSw] [-n ROUNDS] [-t THREADS] [-s SEED] [-d US]
 *   -n ROUNDS   rounds of each thread (default 100)
 *   -t THREADS  (default 1)
 *   -S          the threads share one pair of sockets, instead of a pair each
 *   -6          IPv6
 *   -c          connected sockets
 *   -w          connected sockets, used by write, writev, read and readv too
 *   -M          sendmmsg and recvmmsg only
 *   -e          calls that fail or do part of what was asked, in every fourth round
 *   -N          the same calls on Unix sockets and on pipes, which are not UDP
 *   -f          all of it in the forked child of a forked child
 *   -s SEED     (default 1)
 *   -d US       sleep that many microseconds between rounds
 *
 * The truth is of what the calls returned, so it is exact even if a datagram is dropped.
 * "calls" and everything else is about UDP sockets; "other" is -N's and -e's calls on what is
 * no UDP socket. A single call asks for 1 message. A 32-bit build (-m32) does the same.
 */
#define _GNU_SOURCE 1
#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loopback.h"
#include "socket-buffers.h"
#include "truth.h"
#include "udp-calls.h"

#define THREADS_MAX  64
#define DATAGRAM_MAX 65536
#define TOO_LONG     66000
#define RCVBUF_BYTES (64 << 20)

/* One thread's traffic: tx sends to rx. */
struct flow {
	unsigned int random;
	int tx, rx;
	int local[2], pipe[2];
	struct loopback to;
	struct batch out;     /* what this round sends */
	struct batch partial; /* the last of its 4 messages is too long */
	struct batch excess;  /* too long from the start */
	struct batch plain;   /* for what has no address */
	struct batch in;
	char sink[DATAGRAM_MAX];
};

static struct {
	unsigned long rounds, threads, seed, delay_us;
	bool shared, ipv6, connected, stream, batches_only, errors, noise, grandchild;
} options = {.rounds = 100, .threads = 1, .seed = 1};

static const char usage[] =
	"usage: udp-load [-6cefMNSw] [-n ROUNDS] [-t THREADS] [-s SEED] [-d US]";
static struct truth truth;
static char payload[TOO_LONG];

/* On a UDP socket. Returns the messages moved, or -1. */
static long transfer(enum truth_call call, int fd, struct batch *batch, unsigned int vlen)
{
	bool is_batch = call == TRUTH_SENDMMSG || call == TRUTH_RECVMMSG;
	unsigned long bytes = 0;
	long messages = make_call[call](fd, batch, vlen, &bytes);

	truth_call(&truth, call, is_batch ? vlen : 1, messages, bytes);
	return messages;
}

/* On anything but a UDP socket. */
static void distract(enum truth_call call, int fd, struct batch *batch)
{
	unsigned long bytes = 0;

	make_call[call](fd, batch, 1, &bytes);
	truth_add(&truth.other[call], 1);
}

/* How many calls of each direction are in use: they stand in that order. */
static unsigned int kinds(void)
{
	if (options.batches_only)
		return 1;
	return options.stream ? 5 : 3;
}

static void batch_address(struct batch *batch, struct flow *flow)
{
	for (int i = 0; i < VLEN_MAX; i++) {
		batch->msgs[i].msg_hdr.msg_name = &flow->to.addr;
		batch->msgs[i].msg_hdr.msg_namelen = flow->to.len;
	}
}

static void batches_init(struct flow *flow)
{
	batch_init(&flow->out, payload, 1);
	batch_init(&flow->partial, payload, 10);
	flow->partial.iovs[3].iov_len = TOO_LONG;
	batch_init(&flow->excess, payload, TOO_LONG);
	batch_init(&flow->plain, payload, 3);
	batch_init(&flow->in, flow->sink, sizeof(flow->sink));
	if (options.connected)
		return;
	batch_address(&flow->out, flow);
	batch_address(&flow->partial, flow);
	batch_address(&flow->excess, flow);
}

static void send_round(struct flow *flow)
{
	enum truth_call call = TRUTH_SENDMMSG + truth_random(&flow->random) % kinds();
	unsigned int vlen = 1 + truth_random(&flow->random) % VLEN_MAX;

	for (unsigned int i = 0; i < vlen; i++) {
		unsigned int limit = truth_random(&flow->random) % 32 ? 1400 : 16000;

		flow->out.iovs[i].iov_len = 1 + truth_random(&flow->random) % limit;
	}
	transfer(call, flow->tx, &flow->out, vlen);
}

static void drain(struct flow *flow)
{
	long messages;

	do {
		enum truth_call call = TRUTH_RECVMMSG + truth_random(&flow->random) % kinds();
		unsigned int vlen = 1 + truth_random(&flow->random) % VLEN_MAX;

		messages = transfer(call, flow->rx, &flow->in, vlen);
	} while (messages >= 0);
}

/* Called when there is nothing to receive, so that the receiving calls return EAGAIN. */
static void provoke_errors(struct flow *flow)
{
	const int not_udp[] = {-1, 9999, flow->pipe[1]};

	transfer(TRUTH_SENDMMSG, flow->tx, &flow->partial, 4);
	transfer(TRUTH_SENDMMSG, flow->tx, &flow->partial, 0);
	drain(flow);
	transfer(TRUTH_RECVMMSG, flow->rx, &flow->in, 0);
	for (unsigned int kind = 0; kind < kinds(); kind++) {
		transfer(TRUTH_SENDMMSG + kind, flow->tx, &flow->excess, 1);
		transfer(TRUTH_RECVMMSG + kind, flow->rx, &flow->in, 1);
	}
	for (size_t i = 0; i < sizeof(not_udp) / sizeof(not_udp[0]); i++) {
		for (unsigned int kind = 0; kind < 3; kind++) {
			distract(TRUTH_SENDMMSG + kind, not_udp[i], &flow->plain);
			distract(TRUTH_RECVMMSG + kind, not_udp[i], &flow->in);
		}
	}
}

static void make_noise(struct flow *flow)
{
	for (unsigned int kind = 0; kind < 5; kind++) {
		distract(TRUTH_SENDMMSG + kind, flow->local[0], &flow->plain);
		distract(TRUTH_RECVMMSG + kind, flow->local[1], &flow->in);
	}
	distract(TRUTH_WRITE, flow->pipe[1], &flow->plain);
	distract(TRUTH_WRITEV, flow->pipe[1], &flow->plain);
	distract(TRUTH_READ, flow->pipe[0], &flow->in);
	distract(TRUTH_SENDTO, flow->pipe[1], &flow->plain);
}

static void *run(void *arg)
{
	struct flow *flow = arg;

	for (unsigned long round = 0; round < options.rounds; round++) {
		send_round(flow);
		drain(flow);
		if (options.errors && round % 4 == 0)
			provoke_errors(flow);
		if (options.noise)
			make_noise(flow);
		if (options.delay_us)
			usleep(options.delay_us);
	}
	return NULL;
}

/* Without the privilege for a large buffer a long batch may lose datagrams: "messages rx" tells. */
static int open_socket(struct loopback *self)
{
	int fd = loopback_open(options.ipv6, SOCK_NONBLOCK, self);

	socket_enlarge(fd, SO_RCVBUF, SO_RCVBUFFORCE, RCVBUF_BYTES);
	return fd;
}

static struct flow *open_flow(unsigned int id, const struct flow *share)
{
	struct flow *flow = calloc(1, sizeof(*flow));
	struct loopback from;

	if (!flow || pipe(flow->pipe) ||
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, flow->local))
		err(1, "failed to set up thread %u", id);
	flow->random = options.seed * 7919 + id * 104729;
	if (share) {
		flow->tx = share->tx;
		flow->rx = share->rx;
		flow->to = share->to;
	} else {
		flow->rx = open_socket(&flow->to);
		flow->tx = open_socket(&from);
	}
	if (!share && options.connected) {
		loopback_connect(flow->tx, &flow->to);
		loopback_connect(flow->rx, &from);
	}
	batches_init(flow);
	return flow;
}

/* Returns in the grandchild only; the others end as it does. */
static void become_grandchild(void)
{
	for (int generation = 0; generation < 2; generation++) {
		pid_t child = fork();
		int status;

		if (child == 0)
			continue;
		if (child < 0 || waitpid(child, &status, 0) != child)
			err(1, "failed to fork or wait");
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
}

static void parse_options(int argc, char **argv)
{
	static unsigned long *const numbers[128] = {
		['n'] = &options.rounds,
		['t'] = &options.threads,
		['s'] = &options.seed,
		['d'] = &options.delay_us,
	};
	static bool *const flags[128] = {
		['S'] = &options.shared,       ['6'] = &options.ipv6,
		['c'] = &options.connected,    ['w'] = &options.stream,
		['e'] = &options.errors,       ['N'] = &options.noise,
		['M'] = &options.batches_only, ['f'] = &options.grandchild,
	};
	int option;

	while ((option = getopt(argc, argv, "n:t:s:d:S6cwMeNf")) != -1) {
		if (option == '?')
			errx(2, "%s", usage);
		if (numbers[option])
			*numbers[option] = truth_number(optarg);
		else
			*flags[option] = true;
	}
	if (optind < argc || !options.threads || options.threads > THREADS_MAX)
		errx(2, "%s", usage);
	options.connected |= options.stream;
}

int main(int argc, char **argv)
{
	struct flow *flows[THREADS_MAX];
	pthread_t threads[THREADS_MAX];

	parse_options(argc, argv);
	if (options.grandchild)
		become_grandchild();
	for (unsigned int i = 0; i < options.threads; i++)
		flows[i] = open_flow(i, options.shared && i ? flows[0] : NULL);
	for (unsigned int i = 1; i < options.threads; i++) {
		if (pthread_create(&threads[i], NULL, run, flows[i]))
			errx(1, "failed to start thread %u", i);
	}
	run(flows[0]);
	for (unsigned int i = 1; i < options.threads; i++)
		pthread_join(threads[i], NULL);
	for (unsigned int i = 0; i < options.threads; i++)
		free(flows[i]);
	truth_print(&truth);
	return 0;
}
