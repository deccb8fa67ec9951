/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Fires the static probes that s2n-quic has around its socket calls, without making the calls:
 * N pairs of a start and a finish in each thread, whose direction, kind, count and outcome follow
 * from the seed. A failed call finishes with count 0 and the errno in its last argument.
 *
 * usage: usdt-app [-fw] [-n N] [-t THREADS] [-s SEED] [-d US]
 *   -n N        pairs of each thread (default 1000)
 *   -t THREADS  (default 1); they all name the same socket
 *   -s SEED     (default 1)
 *   -d US       sleep that many microseconds between start and finish
 *   -f          all of it in a forked child
 *   -w          first print "ready PID" and wait for the end of stdin
 *
 * The truth has the names of udp-load's, and "probes NAME COUNT" for how often each fired. Start
 * of a batch send has two sites, one of which gives its count as a constant. -DPROVIDER=other
 * builds the same with another provider.
 */
#define _GNU_SOURCE 1
#include <sys/sdt.h>
#include <sys/socket.h>

#include "probe-app.h"

#define PROBE(name) s2n_quic_platform__syscall__##name

#define VLEN_MAX  128
#define SOCKET_FD 5L

/* Probe arguments are long, as s2n-quic passes them: then every operand has 8 bytes. */
typedef void start_fn(struct mmsghdr *msgs, long count);
typedef void finish_fn(struct mmsghdr *msgs, long count, long error);

enum kind { MMSG, MSG, KINDS };

static const char usage[] = "usage: usdt-app [-fw] [-n N] [-t THREADS] [-s SEED] [-d US]";
static struct truth truth;
static unsigned long pairs_fired[KINDS][TRUTH_DIRS];

static __attribute__((noinline)) void start_send_one(struct mmsghdr *msgs)
{
	DTRACE_PROBE3(PROVIDER, PROBE(mmsg__start_send), SOCKET_FD, msgs, 1L);
}

static __attribute__((noinline)) void start_send_many(struct mmsghdr *msgs, long count)
{
	DTRACE_PROBE3(PROVIDER, PROBE(mmsg__start_send), SOCKET_FD, msgs, count);
}

static void mmsg_start_send(struct mmsghdr *msgs, long count)
{
	if (count == 1)
		start_send_one(msgs);
	else
		start_send_many(msgs, count);
}

static void mmsg_finish_send(struct mmsghdr *msgs, long count, long error)
{
	DTRACE_PROBE4(PROVIDER, PROBE(mmsg__finish_send), SOCKET_FD, msgs, count, error);
}

static void mmsg_start_recv(struct mmsghdr *msgs, long count)
{
	DTRACE_PROBE3(PROVIDER, PROBE(mmsg__start_recv), SOCKET_FD, msgs, count);
}

static void mmsg_finish_recv(struct mmsghdr *msgs, long count, long error)
{
	DTRACE_PROBE4(PROVIDER, PROBE(mmsg__finish_recv), SOCKET_FD, msgs, count, error);
}

static void msg_start_send(struct mmsghdr *msgs, long count)
{
	(void)count;
	DTRACE_PROBE2(PROVIDER, PROBE(msg__start_send), SOCKET_FD, &msgs->msg_hdr);
}

static void msg_finish_send(struct mmsghdr *msgs, long count, long error)
{
	(void)count;
	DTRACE_PROBE3(PROVIDER, PROBE(msg__finish_send), SOCKET_FD, &msgs->msg_hdr, error);
}

static void msg_start_recv(struct mmsghdr *msgs, long count)
{
	(void)count;
	DTRACE_PROBE2(PROVIDER, PROBE(msg__start_recv), SOCKET_FD, &msgs->msg_hdr);
}

static void msg_finish_recv(struct mmsghdr *msgs, long count, long error)
{
	(void)count;
	DTRACE_PROBE3(PROVIDER, PROBE(msg__finish_recv), SOCKET_FD, &msgs->msg_hdr, error);
}

static start_fn *const starts[KINDS][TRUTH_DIRS] = {
	[MMSG] = {mmsg_start_send, mmsg_start_recv},
	[MSG] = {msg_start_send, msg_start_recv},
};

static finish_fn *const finishes[KINDS][TRUTH_DIRS] = {
	[MMSG] = {mmsg_finish_send, mmsg_finish_recv},
	[MSG] = {msg_finish_send, msg_finish_recv},
};

static void fire_pair(unsigned int *random, struct mmsghdr *msgs)
{
	static const int errors[TRUTH_DIRS] = {EMSGSIZE, EAGAIN};
	enum truth_dir dir = truth_random(random) % TRUTH_DIRS;
	enum kind kind = truth_random(random) % KINDS;
	long asked = kind == MSG || truth_random(random) % 4 == 0
			     ? 1
			     : 1 + truth_random(random) % VLEN_MAX;
	long done = 1 + truth_random(random) % asked;
	int error = truth_random(random) % 8 ? 0 : errors[dir];

	truth_asked(&truth, dir, asked);
	starts[kind][dir](msgs, asked);
	if (options.delay_us)
		usleep(options.delay_us);
	finishes[kind][dir](msgs, error ? 0 : done, error);
	truth_add(&pairs_fired[kind][dir], 1);
	if (error)
		truth_failed(&truth, dir, error);
	else
		truth_returned(&truth, dir, done);
}

static void *run(void *arg)
{
	const unsigned int *id = arg;
	unsigned int random = probe_seed(*id);
	struct mmsghdr msgs[VLEN_MAX] = {0};

	for (unsigned long i = 0; i < options.rounds; i++)
		fire_pair(&random, msgs);
	return NULL;
}

static void print_probes(void)
{
	static const char *const kinds[] = {"mmsg", "msg"};
	static const char *const dirs[] = {"send", "recv"};

	for (int kind = 0; kind < KINDS; kind++) {
		for (int dir = 0; dir < TRUTH_DIRS; dir++) {
			unsigned long pairs = pairs_fired[kind][dir];

			printf("probes %s__start_%s %lu\n", kinds[kind], dirs[dir], pairs);
			printf("probes %s__finish_%s %lu\n", kinds[kind], dirs[dir], pairs);
		}
	}
}

int main(int argc, char **argv)
{
	probe_parse(argc, argv, "n:t:s:d:fw", usage);
	probe_run(run);
	print_probes();
	truth_print(&truth);
	return 0;
}
