// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What s2n-quic does to the buffers that it receives streams in. */
#include <errno.h>
#include <stdlib.h>

#include "log.h"
#include "options.h"
#include "privilege.h"
#include "probe-set.h"
#include "tool.h"
#include "usdt.h"

enum key { KEY_USDT = 0x2000, KEY_PROBE };

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Since 1.33 of February 2024, the first release that has them; --probe overrides. */
#define REASSEMBLER    "s2n_quic_core__buffer__reassembler__"
#define RECEIVE_BUFFER "s2n_quic_core__buffer__receive_buffer__"

static struct usdt_name probes[] = {
	{"alloc", "s2n_quic", REASSEMBLER "alloc"},
	{"pop", "s2n_quic", REASSEMBLER "pop"},
	{"write", "s2n_quic", REASSEMBLER "write"},
};

static const struct {
	const char *result;
	const char *older; /* of builds before that; in no release */
} parts[COUNT(probes)] = {
	{"allocs", RECEIVE_BUFFER "alloc"},
	{"pops", RECEIVE_BUFFER "pop"},
	{"writes", RECEIVE_BUFFER "write"},
};

static bool renamed[COUNT(probes)];

static const struct argp_option options[] = {
	{NULL, 0, NULL, 0, "What to trace", 1},
	{"usdt", KEY_USDT, "BINARY", 0, "which has the probes; default: that of PID or CMD", 1},
	{"probe", KEY_PROBE, "WHICH=P:N", 0, "other probe: alloc=PROV:NAME, also pop, write", 1},
	{0},
};

static void rename_probe(char *text)
{
	const char *names[COUNT(probes)];

	for (size_t i = 0; i < COUNT(probes); i++)
		names[i] = probes[i].name;
	if (usdt_rename(probes, COUNT(probes), text))
		exit(USAGE_ERROR);
	for (size_t i = 0; i < COUNT(probes); i++)
		renamed[i] |= names[i] != probes[i].name;
}

/* All probes pass an offset in the stream, then how many bytes are allocated, read or written. */
static void add_probes(void)
{
	for (size_t i = 0; i < COUNT(probes); i++) {
		const struct probe_spec spec = {
			.name = parts[i].result,
			.optional = !renamed[i],
			.place = {{.source = PROBE_USDT,
				   .group = probes[i].provider,
				   .name = probes[i].name,
				   .older = renamed[i] ? NULL : parts[i].older}},
			.places_cnt = 1,
			.value = {.kind = TERM_ARG, .arg = 1, .text = "arg1"},
			.unit = "bytes",
		};

		if (probe_set_add(&spec))
			exit(USAGE_ERROR);
	}
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	(void)state;
	switch (key) {
	case KEY_USDT:
		probe_set_binary(arg);
		break;
	case KEY_PROBE:
		rename_probe(arg);
		break;
	case ARGP_KEY_END:
		add_probes();
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {.options = options, .parser = parse};

static const struct tool_mode modes[] = {
	{"CAP_SYS_ADMIN (some kernels: CAP_BPF, CAP_PERFMON)", privilege_may_probe},
	{0},
};

static const struct tool tool = {
	.name = "recv-buffers",
	.brief = "Histograms of what s2n-quic allocates, reads and writes in its receive buffers.",
	.examples = "  recv-buffers -c './server -p 4433'     until it ends or Ctrl-C\n"
		    "  recv-buffers -p 1234 -i 1              each second\n"
		    "  recv-buffers --usdt ./server -d 10     all processes of a program\n",
	.needs = "Needs root, or CAP_SYS_ADMIN (see --doctor); a program built with its probes.\n",
	.locked_down = "lockdown=integrity",
	.modes = modes,
	.argp = &argp,
	.open = probe_set_open,
	.setup = probe_set_setup,
	.attach = probe_set_attach,
	.report = probe_set_report,
};

int main(int argc, char **argv)
{
	return tool_main(&tool, argc, argv);
}
