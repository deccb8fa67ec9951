// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* GSO and GRO of any process: as asked for in socket calls, as devices had it, by USDT probes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "generic-offload.h"
#include "generic-offload.skel.h"
#include "log.h"
#include "offload-device.h"
#include "offload-report.h"
#include "options.h"
#include "probe-set.h"
#include "tool.h"
#include "udp-backend.h"
#include "uring-report.h"
#include "usdt.h"

enum key {
	KEY_DEVICE = 0x2000,
	KEY_USDT,
	KEY_PROBE,
};

static uint64_t messages[OFFLOAD_DIRECTIONS], by_uring; /* in the whole run */

/* s2n-quic's names (pull request 1866 of 2023); --probe overrides. */
static struct usdt_name probes[] = {
	{"tx", "s2n_quic", "s2n_quic_platform__socket__io__tx__finish_write"},
	{"rx", "s2n_quic", "s2n_quic_platform__socket__io__rx__finish_read"},
};

#define PROBES (sizeof(probes) / sizeof(probes[0]))

static bool probe_given;

TOOL_SKELETON(generic_offload)

static int calls_setup(void *skel, const struct target *target)
{
	struct generic_offload_bpf *s = skel;

	s->rodata->udp_asides = true;
	return udp_backend_setup(s->obj, target, NULL);
}

static int calls_attach(void *skel, const struct target *target)
{
	struct generic_offload_bpf *s = skel;

	(void)target;
	return udp_backend_attach(s->obj);
}

static void say_unseen(const struct generic_offload_bpf *s)
{
	bool tx = messages[OFFLOAD_TX] || s->bss->calls_seen[OFFLOAD_TX];
	bool rx = messages[OFFLOAD_RX] || s->bss->calls_seen[OFFLOAD_RX];

	if (!by_uring && !(tx && rx))
		udp_backend_say_unseen(rx, tx);
}

/* What is one datagram to its receiver: the histograms are of calls. */
static void say_kept(const struct generic_offload_bpf *s)
{
	if (s->bss->sends_kept)
		note("%llu sends were kept to be parts of a datagram (MSG_MORE, UDP_CORK); each is "
		     "a message of its own here",
		     (unsigned long long)s->bss->sends_kept);
}

static int calls_report(void *skel, struct report *r)
{
	uint64_t now[OFFLOAD_DIRECTIONS] = {0};
	int err;

	report__print_all(r);
	err = offload_report(r, now);
	for (int d = 0; d < OFFLOAD_DIRECTIONS; d++)
		messages[d] += now[d];
	by_uring += uring_report(r, now[OFFLOAD_TX] + now[OFFLOAD_RX]);
	r->events = messages[OFFLOAD_TX] + messages[OFFLOAD_RX] + by_uring;
	if (!r->final)
		return err;
	offload_report_close();
	say_unseen(skel);
	say_kept(skel);
	return err;
}

/* A message's segments are the third argument of both probes, their size is the fourth. */
static int add_probe(const char *result, const char *binary, const struct usdt_name *name,
		     unsigned int arg)
{
	struct probe_spec spec = {
		.name = result,
		.optional = true,
		.place = {{
			.source = PROBE_USDT,
			.binary = binary,
			.group = name->provider,
			.name = name->name,
		}},
		.places_cnt = 1,
		.value = {.kind = TERM_ARG, .arg = arg},
	};

	return probe_set_add(&spec);
}

static const char *binary;

static int usdt_setup(void *skel, const struct target *target)
{
	int err = add_probe("gso_count", binary, &probes[0], 2);

	err = err ?: add_probe("gso_size", binary, &probes[0], 3);
	err = err ?: add_probe("gro_count", binary, &probes[1], 2);
	err = err ?: add_probe("gro_size", binary, &probes[1], 3);
	return err ?: probe_set_setup(skel, target);
}

static int usdt_report(void *skel, struct report *r)
{
	int err = probe_set_report(skel, r);

	if (!err && r->format == REPORT_TEXT)
		fprintf(r->out, "layer: s2n-quic's ring buffers, by its probes\n");
	return err;
}

static const struct tool calls = {
	.open = open_generic_offload,
	.setup = calls_setup,
	.attach = calls_attach,
	.report = calls_report,
};

static const struct tool device = {
	.open = offload_device_open,
	.setup = offload_device_setup,
	.attach = offload_device_attach,
	.started = offload_device_started,
	.report = offload_device_report,
};

static const struct tool usdt = {
	.open = probe_set_open,
	.setup = usdt_setup,
	.attach = probe_set_attach,
	.report = usdt_report,
};

static const struct tool *chosen = &calls;

static const struct tool *source(void)
{
	return chosen;
}

static const struct argp_option options[] = {
	{NULL, 0, NULL, 0, "What to trace", 1},
	{"device", KEY_DEVICE, "IF", OPTION_ARG_OPTIONAL, "what devices sent and received instead",
	 1},
	{"usdt", KEY_USDT, "BINARY", 0, "s2n-quic's probes in BINARY instead", 1},
	{"probe", KEY_PROBE, "WHICH=P:N", 0, "other probe for tx or rx: tx=PROV:NAME", 1},
	UDP_BACKEND_OPTIONS(1),
	{0},
};

static void choose_source(const struct tool *wanted)
{
	if (chosen == &calls || chosen == wanted) {
		chosen = wanted;
		return;
	}
	refuse(-EINVAL, "--device and --usdt exclude each other");
	suggest("one of them");
	exit(USAGE_ERROR);
}

/* Also "--device eth0": what follows is no command, as a command follows "--". */
static void set_device(const char *name, struct argp_state *state)
{
	choose_source(&device);
	if (!name && state->next < state->argc && *state->argv[state->next] != '-')
		name = state->argv[state->next++];
	if (name && offload_device_only(name))
		exit(USAGE_ERROR);
}

static void refuse_option(const char *option, const char *needs)
{
	refuse(-EINVAL, "%s is for %s", option, needs);
	suggest("the same without %s", option);
	exit(USAGE_ERROR);
}

/* An option that would do nothing. */
static void check_combination(void)
{
	const char *of_calls = udp_backend_option();

	if (chosen != &calls && of_calls)
		refuse_option(of_calls, "socket calls, not for --device or --usdt");
	if (chosen != &usdt && probe_given)
		refuse_option("--probe", "--usdt");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	if (udp_backend_parse(key, arg))
		return 0;
	switch (key) {
	case KEY_DEVICE:
		set_device(arg, state);
		break;
	case KEY_USDT:
		choose_source(&usdt);
		binary = arg;
		break;
	case KEY_PROBE:
		if (usdt_rename(probes, PROBES, arg))
			exit(USAGE_ERROR);
		probe_given = true;
		break;
	case ARGP_KEY_END:
		check_combination();
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {.options = options, .parser = parse};

static const struct tool tool = {
	.name = "generic-offload",
	.brief = "Size and number of the datagrams of each UDP message: GSO and GRO.",
	.examples = "  generic-offload -c './server -p 4433'  until it ends or Ctrl-C\n"
		    "  generic-offload -p 1234 -i 1           each second\n"
		    "  generic-offload --device eth0 -d 10    what the device sent and received\n",
	.needs = UDP_BACKEND_NEEDS,
	.locked_down = UDP_BACKEND_LOCKED_DOWN,
	.modes = udp_backend_modes,
	.argp = &argp,
	.source = source,
};

int main(int argc, char **argv)
{
	return tool_main(&tool, argc, argv);
}
