/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Fires the static probes that s2n-quic has where messages pass between the application and its
 * socket tasks, and where stream data is received. Nothing is sent.
 *
 * usage: s2n-app [-fw] [-n N] [-t THREADS] [-s SEED] [-d US] [-r RING] [-u N] [-l N]
 *   -n N        messages of each thread and direction (default 1000), and as many operations on
 *               a receive buffer
 *   -t THREADS  (default 1); each has a channel of its own
 *   -s SEED     (default 1)
 *   -d US       sleep that many microseconds in each batch, when all of it is begun
 *   -r RING     messages that a channel holds, a power of two (default 64): a message's index
 *               is less than that, and used again and again; a batch is at most that large
 *   -u N        end N messages more of each direction, which nobody has begun
 *   -l N        begin N messages more of each direction, and do not end them
 *   -f          all of it in a forked child
 *   -w          first print "ready PID" and wait for the end of stdin
 *
 * The truth: a histogram of each probe argument that s2n-quic's scripts show, "pairs tx N" and
 * "pairs rx N" for messages that were begun and ended, "probes NAME N" for how often each probe
 * fired. A message that is not GSO-able has 0 segments, and a site of its own, with constants.
 * -DBUFFER=reassembler builds the same with the names that the receive buffer's probes have
 * since 2024, -DPROVIDER=other with another provider.
 */
#define _GNU_SOURCE 1
#include <sys/sdt.h>

#include "probe-app.h"

#ifndef BUFFER
#define BUFFER receive_buffer
#endif
#define JOIN_(a, b, c)     a##b##c
#define JOIN(a, b, c)      JOIN_(a, b, c)
#define SOCKET_PROBE(name) s2n_quic_platform__socket__##name
#define BUFFER_PROBE(name) JOIN(s2n_quic_core__buffer__, BUFFER, __##name)

#define SEGMENTS_MAX 16
#define RING_MAX     (1 << 16)

enum probe {
	TX_WRITE,
	TX_FINISH_WRITE,
	TX_FINISH,
	RX_READ,
	RX_FINISH_READ,
	RX_FINISH,
	ALLOC,
	POP,
	WRITE,
	PROBES
};

enum result { GSO_SIZE, GSO_COUNT, GRO_SIZE, GRO_COUNT, ALLOCS, POPS, WRITES, RESULTS };

/* Only its address is told. */
struct channel {
	unsigned char of[TRUTH_DIRS];
};

struct thread {
	struct channel *channel;
	unsigned int random;
	unsigned long next[TRUTH_DIRS];
};

static const char usage[] =
	"usage: s2n-app [-fw] [-n N] [-t THREADS] [-s SEED] [-d US] [-r RING] [-u N] [-l N]";
static unsigned long ring = 64, unbegun, unended;
static struct channel channels[PROBE_THREADS_MAX];
static unsigned long fired[PROBES];
static unsigned long pairs[TRUTH_DIRS];
static unsigned long results[RESULTS][TRUTH_SLOTS];

static void result_add(enum result result, long value)
{
	truth_add(&results[result][truth_slot(value)], 1);
}

/* ---- one probe each; arguments are long, as s2n-quic passes them ------------------------- */

static __attribute__((noinline)) void tx_write(void *channel, long message, long segment, long size)
{
	DTRACE_PROBE4(PROVIDER, SOCKET_PROBE(io__tx__write), channel, message, segment, size);
	truth_add(&fired[TX_WRITE], 1);
}

static __attribute__((noinline)) void tx_finish_write(void *channel, long message, long segments,
						      long size)
{
	if (segments)
		DTRACE_PROBE4(PROVIDER, SOCKET_PROBE(io__tx__finish_write), channel, message,
			      segments, size);
	else
		DTRACE_PROBE4(PROVIDER, SOCKET_PROBE(io__tx__finish_write), channel, message, 0L,
			      size);
	truth_add(&fired[TX_FINISH_WRITE], 1);
	result_add(GSO_COUNT, segments);
	result_add(GSO_SIZE, size);
}

static __attribute__((noinline)) void tx_finish(void *channel, long message)
{
	if (message)
		DTRACE_PROBE2(PROVIDER, SOCKET_PROBE(task__tx__finish), channel, message);
	else
		DTRACE_PROBE2(PROVIDER, SOCKET_PROBE(task__tx__finish), channel, 0L);
	truth_add(&fired[TX_FINISH], 1);
}

static __attribute__((noinline)) void rx_finish(void *channel, long message)
{
	DTRACE_PROBE2(PROVIDER, SOCKET_PROBE(task__rx__finish), channel, message);
	truth_add(&fired[RX_FINISH], 1);
}

static __attribute__((noinline)) void rx_read(void *channel, long message, long segment, long size)
{
	DTRACE_PROBE4(PROVIDER, SOCKET_PROBE(io__rx__read), channel, message, segment, size);
	truth_add(&fired[RX_READ], 1);
}

static __attribute__((noinline)) void rx_finish_read(void *channel, long message, long segments,
						     long size)
{
	DTRACE_PROBE4(PROVIDER, SOCKET_PROBE(io__rx__finish_read), channel, message, segments,
		      size);
	truth_add(&fired[RX_FINISH_READ], 1);
	result_add(GRO_COUNT, segments);
	result_add(GRO_SIZE, size);
}

static __attribute__((noinline)) void buffer_alloc(long offset, long size)
{
	if (offset)
		DTRACE_PROBE2(PROVIDER, BUFFER_PROBE(alloc), offset, size);
	else
		DTRACE_PROBE2(PROVIDER, BUFFER_PROBE(alloc), 0L, size);
	truth_add(&fired[ALLOC], 1);
	result_add(ALLOCS, size);
}

static __attribute__((noinline)) void buffer_pop(long offset, long size)
{
	DTRACE_PROBE2(PROVIDER, BUFFER_PROBE(pop), offset, size);
	truth_add(&fired[POP], 1);
	result_add(POPS, size);
}

static __attribute__((noinline)) void buffer_write(long offset, long size)
{
	DTRACE_PROBE2(PROVIDER, BUFFER_PROBE(write), offset, size);
	truth_add(&fired[WRITE], 1);
	result_add(WRITES, size);
}

/* ---- what a message and a buffer go through ------------------------------------------------ */

/* Both ends of each power of two up to 64 KB: there a row that is one off shows. */
static long random_size(unsigned int *random)
{
	unsigned int power = truth_random(random) % 17;

	return (1L << power) - truth_random(random) % 2;
}

static void begin_tx(struct thread *thread, long message)
{
	long segments = truth_random(&thread->random) % (SEGMENTS_MAX + 1);
	long size = random_size(&thread->random);

	for (long i = 0; i < (segments ? segments : 1); i++)
		tx_write(thread->channel, message, i, size);
	tx_finish_write(thread->channel, message, segments, size);
}

static void begin_rx(struct thread *thread, long message)
{
	rx_finish(thread->channel, message);
}

static void end_tx(struct thread *thread, long message)
{
	tx_finish(thread->channel, message);
}

static void end_rx(struct thread *thread, long message)
{
	long segments = 1 + truth_random(&thread->random) % SEGMENTS_MAX;
	long size = random_size(&thread->random);

	for (long i = 0; i < segments; i++)
		rx_read(thread->channel, message, i, size);
	rx_finish_read(thread->channel, message, segments, size);
}

typedef void step_fn(struct thread *thread, long message);
static step_fn *const begin[TRUTH_DIRS] = {begin_tx, begin_rx};
static step_fn *const end[TRUTH_DIRS] = {end_tx, end_rx};

/* The next count messages of the ring; its position moves on with them. */
static void step(struct thread *thread, enum truth_dir dir, step_fn *steps, unsigned long count)
{
	for (unsigned long i = 0; i < count; i++)
		steps(thread, thread->next[dir]++ & (ring - 1));
}

static void run_batch(struct thread *thread, enum truth_dir dir, unsigned long count)
{
	unsigned long first = thread->next[dir];

	step(thread, dir, begin[dir], count);
	if (options.delay_us)
		usleep(options.delay_us);
	thread->next[dir] = first;
	step(thread, dir, end[dir], count);
	truth_add(&pairs[dir], count);
}

static void run_direction(struct thread *thread, enum truth_dir dir)
{
	unsigned long left = options.rounds;

	step(thread, dir, end[dir], unbegun);
	while (left) {
		unsigned long most = left < ring ? left : ring;
		unsigned long count = 1 + truth_random(&thread->random) % most;

		run_batch(thread, dir, count);
		left -= count;
	}
	step(thread, dir, begin[dir], unended);
}

static void run_buffer(struct thread *thread)
{
	static void (*const operations[])(long, long) = {buffer_alloc, buffer_pop, buffer_write,
							 buffer_write};
	long offset = 0;

	for (unsigned long i = 0; i < options.rounds; i++) {
		long size = random_size(&thread->random);

		operations[truth_random(&thread->random) % 4](offset, size);
		offset = (offset + size) % RING_MAX;
	}
}

static void *run(void *arg)
{
	const unsigned int *id = arg;
	struct thread thread = {.channel = &channels[*id], .random = probe_seed(*id)};

	run_direction(&thread, TRUTH_TX);
	run_direction(&thread, TRUTH_RX);
	run_buffer(&thread);
	return NULL;
}

static void print_truth(void)
{
	static const char *const names[PROBES] = {
		"io__tx__write", "io__tx__finish_write", "task__tx__finish",
		"io__rx__read",  "io__rx__finish_read",  "task__rx__finish",
		"buffer__alloc", "buffer__pop",          "buffer__write",
	};
	static const char *const titles[RESULTS] = {
		"gso_size", "gso_count", "gro_size", "gro_count", "allocs", "pops", "writes"};

	for (int probe = 0; probe < PROBES; probe++)
		truth_print_count("probes", names[probe], NULL, fired[probe]);
	for (int dir = 0; dir < TRUTH_DIRS; dir++)
		truth_print_count("pairs", truth_dirs[dir], NULL, pairs[dir]);
	for (int result = 0; result < RESULTS; result++)
		truth_print_slots(titles[result], results[result]);
}

int main(int argc, char **argv)
{
	probe_numbers['r'] = &ring;
	probe_numbers['u'] = &unbegun;
	probe_numbers['l'] = &unended;
	probe_parse(argc, argv, "n:t:s:d:r:u:l:fw", usage);
	if (!ring || ring > RING_MAX || ring & (ring - 1) || unended > ring)
		errx(2, "%s", usage);
	probe_run(run);
	print_truth();
	return 0;
}
