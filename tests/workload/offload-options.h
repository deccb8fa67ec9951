/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The command line of offload-load, whose head explains it. */
#ifndef WORKLOAD_OFFLOAD_OPTIONS_H
#define WORKLOAD_OFFLOAD_OPTIONS_H

#include <stdbool.h>
#include <unistd.h>

#include "offload-receive.h"
#include "offload-send.h"
#include "truth.h"

#define THREADS_MAX 64
#define REMOTE_US   1000

static struct {
	unsigned long rounds, threads, seed, delay_us, batch, mtu, small, pattern;
	unsigned long to_port, at_port, datagrams;
	const char *to, *segment_by;
	bool ipv6, gro, batches_only, errors, wait;
	bool by_cmsg, by_option;
} options = {
	.rounds = 100, .threads = 1, .seed = 1, .batch = 32, .mtu = 65536, .segment_by = "cmsg"};

static const char usage[] =
	"usage: offload-load [-6eGMw] [-g WHICH] [-b BATCH] [-m MTU] [-T SIZE] [-B SIZE] "
	"[-s ADDR -p PORT | -r PORT [-N COUNT]] [-n ROUNDS] [-t THREADS] [-S SEED] [-d US]";
static inline void parse_options(int argc, char **argv)
{
	static unsigned long *const numbers[128] = {
		['n'] = &options.rounds,   ['t'] = &options.threads,   ['S'] = &options.seed,
		['d'] = &options.delay_us, ['b'] = &options.batch,     ['m'] = &options.mtu,
		['T'] = &options.small,    ['B'] = &options.pattern,   ['p'] = &options.to_port,
		['r'] = &options.at_port,  ['N'] = &options.datagrams,
	};
	static bool *const flags[128] = {
		['6'] = &options.ipv6,   ['G'] = &options.gro,  ['M'] = &options.batches_only,
		['e'] = &options.errors, ['w'] = &options.wait,
	};
	static const char **const texts[128] = {['s'] = &options.to, ['g'] = &options.segment_by};
	int option;

	options.delay_us = -1ul;
	while ((option = getopt(argc, argv, "6eGMwg:b:m:T:B:s:p:r:N:n:t:S:d:")) != -1) {
		if (option == '?')
			errx(2, "%s", usage);
		if (numbers[option])
			*numbers[option] = truth_number(optarg);
		else if (texts[option])
			*texts[option] = optarg;
		else
			*flags[option] = true;
	}
	if (optind < argc)
		errx(2, "%s", usage);
}

static inline void check_options(void)
{
	static const struct {
		const char *name;
		bool by_cmsg, by_option;
	} ways[] = {{"cmsg", true, false},
		    {"option", false, true},
		    {"both", true, true},
		    {"off", false, false}};
	size_t way = 0;

	while (way < 4 && strcmp(ways[way].name, options.segment_by))
		way++;
	if (way == 4 || !options.threads || options.threads > THREADS_MAX || !options.batch ||
	    options.batch > VLEN_MAX || options.mtu < 100 || options.pattern > PAYLOAD_MAX ||
	    options.small > MESSAGE_MAX / OFFLOAD_ROOMS || (options.to && !options.to_port) ||
	    (options.to && options.at_port))
		errx(2, "%s", usage);
	options.by_cmsg = ways[way].by_cmsg;
	options.by_option = ways[way].by_option;
	options.ipv6 |= options.to && strchr(options.to, ':');
	options.batches_only |= options.pattern > 0;
	if (options.delay_us == -1ul)
		options.delay_us = options.to ? REMOTE_US : 0;
}

#endif
