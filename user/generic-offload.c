// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* GSO and GRO of any process: as asked for in socket calls, as devices had it, by USDT probes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "generic-offload.h"
#include "generic-offload.skel.h"
#include "log.h"
#include "offload-report.h"
#include "options.h"
#include "privilege.h"
#include "tool.h"
#include "udp-backend.h"

static uint64_t messages[OFFLOAD_DIRECTIONS];

static const struct argp_option options[] = {
	{NULL, 0, NULL, 0, "What to trace", 1},
	UDP_BACKEND_OPTIONS(1),
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	(void)state;
	return udp_backend_parse(key, arg) ? 0 : ARGP_ERR_UNKNOWN;
}

static int setup(void *skel, const struct target *target)
{
	struct generic_offload_bpf *s = skel;

	return udp_backend_setup(s->obj, target, NULL);
}

static int attach(void *skel, const struct target *target)
{
	struct generic_offload_bpf *s = skel;

	(void)target;
	return udp_backend_attach(s->obj);
}

static int report(void *skel, struct report *r)
{
	int err;

	(void)skel;
	report__print_all(r);
	err = offload_report(r, messages);
	r->events = messages[OFFLOAD_TX] + messages[OFFLOAD_RX];
	if (!r->final)
		return err;
	offload_report_close();
	if (!messages[OFFLOAD_TX] || !messages[OFFLOAD_RX])
		udp_backend_say_unseen(messages[OFFLOAD_RX], messages[OFFLOAD_TX]);
	return err;
}

static const struct argp argp = {.options = options, .parser = parse};

TOOL_SKELETON(generic_offload)

static const struct tool_mode modes[] = {
	{"by fentry or raw (--compat): CAP_BPF, CAP_PERFMON", privilege_may_load},
	{"by event: and CAP_DAC_READ_SEARCH (kernel.perf_event_paranoid=3: CAP_SYS_ADMIN)",
	 udp_backend_may_use_events},
	{"--usdt: CAP_SYS_ADMIN (some kernels: CAP_PERFMON)", privilege_may_probe},
	{0},
};

static const struct tool tool = {
	.name = "generic-offload",
	.brief = "Size and number of the datagrams of each UDP message: GSO and GRO.",
	.examples = "  generic-offload -c './server -p 4433'  until it ends or Ctrl-C\n"
		    "  generic-offload -p 1234 -i 1           each second\n",
	.needs = "Needs root, or CAP_BPF and CAP_PERFMON; --usdt: CAP_SYS_ADMIN (see --doctor).\n",
	.locked_down = "Linux 6.2 or newer, without --usdt; or lockdown=integrity",
	.modes = modes,
	.argp = &argp,
	.open = open_generic_offload,
	.setup = setup,
	.attach = attach,
	.report = report,
};

int main(int argc, char **argv)
{
	return tool_main(&tool, argc, argv);
}
