/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The life of the programs that fire static probes: options, threads, a child, the wait. */
#ifndef WORKLOAD_PROBE_APP_H
#define WORKLOAD_PROBE_APP_H

#include <err.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ready.h"
#include "truth.h"

#ifndef PROVIDER
#define PROVIDER s2n_quic
#endif

#define PROBE_THREADS_MAX 64

static struct {
	unsigned long rounds, threads, seed, delay_us;
	bool child, wait;
} options = {.rounds = 1000, .threads = 1, .seed = 1};

/* What the options of one letter set; a program may have numbers of its own. */
static unsigned long *probe_numbers[128] = {
	['n'] = &options.rounds,
	['t'] = &options.threads,
	['s'] = &options.seed,
	['d'] = &options.delay_us,
};
static bool *const probe_flags[128] = {['f'] = &options.child, ['w'] = &options.wait};

static inline void probe_parse(int argc, char **argv, const char *letters, const char *usage)
{
	int option;

	while ((option = getopt(argc, argv, letters)) != -1) {
		if (option == '?')
			errx(2, "%s", usage);
		if (probe_numbers[option])
			*probe_numbers[option] = truth_number(optarg);
		else
			*probe_flags[option] = true;
	}
	if (optind < argc || !options.threads || options.threads > PROBE_THREADS_MAX)
		errx(2, "%s", usage);
}

/* Returns in the child only. */
static inline void probe_become_child(void)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		return;
	if (child < 0 || waitpid(child, &status, 0) != child)
		err(1, "failed to fork or wait");
	_exit(status != 0);
}

/* What each thread begins its random numbers with. */
static inline unsigned int probe_seed(unsigned int id)
{
	return options.seed * 7919 + id * 104729;
}

/* Each thread gets a pointer to its number; the first one is the caller. */
static inline void probe_run_threads(void *(*run)(void *id))
{
	pthread_t threads[PROBE_THREADS_MAX];
	unsigned int ids[PROBE_THREADS_MAX];

	for (unsigned int i = 0; i < options.threads; i++)
		ids[i] = i;
	for (unsigned int i = 1; i < options.threads; i++) {
		if (pthread_create(&threads[i], NULL, run, &ids[i]))
			errx(1, "failed to start thread %u", i);
	}
	run(&ids[0]);
	for (unsigned int i = 1; i < options.threads; i++)
		pthread_join(threads[i], NULL);
}

static inline void probe_run(void *(*run)(void *id))
{
	if (options.wait)
		ready_wait_go();
	if (options.child)
		probe_become_child();
	probe_run_threads(run);
}

#endif
