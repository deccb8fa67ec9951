// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Histograms, counts and sums of what probes of all kinds pass, and times between two of them. */
#include <errno.h>
#include <stdlib.h>

#include "kernel.h"
#include "linear.h"
#include "log.h"
#include "options.h"
#include "privilege.h"
#include "probe-list.h"
#include "probe-set.h"
#include "tool.h"
#include "uprobe-cost.h"

enum key { KEY_LINEAR = 0x2000 };

static const struct argp_option options[] = {
	{NULL, 0, NULL, 0, "What to probe", 1},
	{"list", 'l', "WHAT", 0, "list probes of BINARY, tp:GROUP:* or rawtp:*", 1},
	{"linear", KEY_LINEAR, "MIN,MAX,STEP", 0, "rows of equal width, not powers of two", 1},
	{0},
};

static void set_linear(const char *text)
{
	struct linear linear;

	if (linear_parse(&linear, text))
		bad_value("--linear", text, "MIN,MAX,STEP (at most 1000 rows, no rest)");
	probe_set_linear(&linear);
}

static const char *listed, *list_pattern;

static void add_argument(const char *text)
{
	if (listed && !list_pattern) {
		list_pattern = text;
		return;
	}
	if (probe_set_parse(text))
		exit(USAGE_ERROR);
}

static void check_end(const struct options *o)
{
	if (listed && probe_list(listed, list_pattern, o->target))
		exit(EXIT_FAILURE);
	if (listed)
		exit_after_output();
	if (probe_set_count() || o->doctor)
		return;
	refuse(-EINVAL, "no probe is given");
	suggest("'usdt:BINARY:PROVIDER:PROBE:arg0', or %s --help", log_tool());
	exit(USAGE_ERROR);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const struct options *o = state->input;

	switch (key) {
	case KEY_LINEAR:
		set_linear(arg);
		break;
	case 'l':
		listed = arg;
		break;
	case ARGP_KEY_END:
		check_end(o);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {.options = options, .parser = parse};

static bool may_probe_functions(void)
{
	return privilege_may_probe() || (kernel_has(KERNEL_UPROBE_MULTI) && privilege_may_load());
}

static const struct tool_mode modes[] = {
	{"rawtp: CAP_BPF, CAP_PERFMON", privilege_may_load},
	{"uprobe: CAP_SYS_ADMIN (since 6.10: CAP_BPF, CAP_PERFMON)", may_probe_functions},
	{"usdt: CAP_SYS_ADMIN (some kernels: CAP_PERFMON)", privilege_may_probe},
	{0},
};

static const char examples[] =
	"SPEC  '[NAME=][AGG:]PROBE[:VALUE] [by:KEY,KEY] [if:EXPR>0,EXPR==1]', or a time\n"
	"      in ns: '[NAME=]lat:PROBE [to PROBE [on:EXPR,EXPR]] [by:KEY] [if:EXPR>0]'\n"
	"PROBE usdt:BIN:PROVIDER:NAME, uprobe:BIN:FUNCTION[+OFFSET], tp:GROUP:EVENT,\n"
	"      uretprobe:BIN:FUNCTION, rawtp:EVENT; BIN: path, libssl, nothing\n"
	"VALUE arg0 (the first), ret, a field or argument by name, p->pid, (int)ret\n"
	"AGG   hist (default), lhist(MIN,MAX,STEP), sum, count (default without VALUE)\n"
	"KEY   EXPR, pid, tid, comm, cpu, str(arg0); an EXPR is read like a VALUE, and\n"
	"      compared by == != < <= > >= &\n"
	"  probehist -c ./server 'usdt::s2n_quic:name:arg2' 'uprobe:libc:read:arg2'\n"
	"  probehist 'tp:net:net_dev_start_xmit:len by:gso_size' 'lat:uprobe:libc:read'\n"
	"  probehist 'lat:usdt:BIN:s2n_quic:A to usdt:BIN:s2n_quic:B on:arg0,arg1'\n";

static const struct tool tool = {
	.name = "probehist",
	.brief = "Histograms of what any probe passes, and of the time between two probes.",
	.examples = examples,
	.needs = "Needs root, or CAP_SYS_ADMIN (see --doctor).\n",
	.locked_down = "lockdown=integrity",
	.modes = modes,
	.costs = uprobe_print_costs,
	.argp = &argp,
	.arguments = "SPEC...",
	.argument = add_argument,
	.open = probe_set_open,
	.setup = probe_set_setup,
	.attach = probe_set_attach,
	.report = probe_set_report,
};

int main(int argc, char **argv)
{
	return tool_main(&tool, argc, argv);
}
