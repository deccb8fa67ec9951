// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Time that UDP datagrams take between processes and drivers, and where they are dropped. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "drop-reasons.h"
#include "io-latencies.h"
#include "io-latencies.skel.h"
#include "io-report.h"
#include "io-usdt.h"
#include "kernel.h"
#include "log.h"
#include "options.h"
#include "probe-set.h"
#include "stamping.h"
#include "tool.h"
#include "udp-backend.h"
#include "udp-ports.h"

enum key {
	KEY_STAGES = 0x2000,
	KEY_USDT,
	KEY_PROBE,
};

static struct {
	bool stages;
	bool rx_stages;   /* the kernel tells of what comes into sockets' queues */
	bool by_freeing;  /* the end of a read is seen when its reader frees the skb */
	bool has_reasons; /* the kernel says why it drops */
	bool has_lengths; /* it says when each message of a batch is done */
} settings;

static void enable(struct bpf_program *prog, bool on)
{
	bpf_program__set_autoload(prog, on);
}

/* What older kernels do not tell. */
static void say_less(void)
{
	if (settings.stages && !settings.rx_stages)
		note("no rx_stack and rx_queue: what comes into a socket's queue is told by Linux "
		     "6.3 and newer");
	if (!settings.has_lengths)
		verbose("all messages of a sendmmsg begin with the call: their ends are seen since "
			"Linux 6.3");
	if (!settings.has_reasons)
		note("no drops but those of full receive queues: reasons came with Linux 5.17");
}

/* Of the programs that see the same, those that fit this kernel. */
static int choose_programs(struct io_latencies_bpf *s)
{
	/* That queue and the end of freeing in a way that can be seen came in one release. */
	settings.by_freeing = !kernel_has_struct("udp_prod_queue");
	settings.rx_stages = settings.stages && kernel_has_struct("trace_event_raw_sk_data_ready");
	settings.has_reasons = kernel_has_enum("skb_drop_reason");
	settings.has_lengths = kernel_has_struct("trace_event_raw_sock_msg_length");
	if (!settings.by_freeing && !kernel_has(KERNEL_TYPED)) {
		refuse(-EOPNOTSUPP, "this kernel's sockets cannot be followed without its own BTF");
		why("a reader frees datagrams unseen since Linux 6.18");
		suggest("a kernel with CONFIG_DEBUG_INFO_BTF");
		return -EOPNOTSUPP;
	}
	enable(s->progs.drop_reason_kfree, settings.has_reasons);
	enable(s->progs.drop_plain_kfree, !settings.has_reasons);
	enable(s->progs.drop_unqueued, !settings.has_reasons);
	enable(s->progs.head_receive, !settings.by_freeing);
	enable(s->progs.head_data_ready, !settings.by_freeing);
	enable(s->progs.head_recv_length, !settings.by_freeing);
	enable(s->progs.stage_data_ready, settings.by_freeing && settings.rx_stages);
	enable(s->progs.stage_xmit, settings.stages);
	enable(s->progs.tx_send_length, settings.has_lengths);
	bpf_map__set_autocreate(s->maps.arrival_heads, !settings.by_freeing);
	bpf_map__set_autocreate(s->maps.arrivals_queued, settings.rx_stages);
	say_less();
	return 0;
}

static int kernel_setup(void *skel, const struct target *target)
{
	struct io_latencies_bpf *s = skel;
	int err = drop_reasons_read();

	udp_backend_send_only();
	err = err ?: udp_backend_setup(s->obj, target, NULL);
	err = err ?: choose_programs(s);
	s->rodata->arrival_stages = settings.rx_stages;
	s->rodata->departure_stages = settings.stages;
	s->rodata->arrival_by_freeing = settings.by_freeing;
	/* Until all of it is there: what is seen by a part would be called unknown. */
	s->bss->filter_off = true;
	return err;
}

static void set_clocks(struct io_latencies_bpf *s)
{
	struct stamping_clocks clocks = stamping_clocks();

	s->bss->arrival_tai_ns = clocks.tai_ns;
	s->bss->arrival_monotonic_ns = clocks.monotonic_ns;
}

static int kernel_attach(void *skel, const struct target *target)
{
	struct io_latencies_bpf *s = skel;
	int err = udp_backend_attach(s->obj);

	set_clocks(s);
	for (size_t i = 0; i < target->pids_cnt; i++)
		udp_ports_of_process(target->pids[i], s->bss->io_ports);
	err = err ?: stamping_start();
	s->bss->filter_off = false;
	return err;
}

/* Of an interval's drops, only those of ports that the target has had. */
static void keep_own_drops(struct report *r, const uint8_t ports[IO_PORTS])
{
	for (size_t i = 0; i < r->results_cnt; i++) {
		const struct table *t = &r->deltas[i];

		if (strcmp(r->results[i].name, "drops"))
			continue;
		for (size_t row = 0; row < t->cnt; row++) {
			const struct drop_key *key = table__key(t, row);
			struct count *count = table__value(t, row);

			if (key->port < IO_PORTS && !ports[key->port])
				count->n = 0;
		}
	}
}

static bool is_whole_system(const struct target *t)
{
	return !target__by_pid(t) && !t->cgroup && !t->comm;
}

static int kernel_report(void *skel, struct report *r)
{
	static const char *const stages[] = {"rx_stack", "rx_queue",  "tx_stack",
					     "tx_qdisc", "tx_driver", "tx_completion"};
	struct io_latencies_bpf *s = skel;

	set_clocks(s);
	report__print(r, "rx_latencies");
	if (r->format == REPORT_TEXT)
		fputc('\n', r->out);
	report__print(r, "tx_latencies");
	for (size_t i = 0; settings.stages && i < sizeof(stages) / sizeof(stages[0]); i++)
		report__print(r, stages[i]);
	if (!is_whole_system(r->target))
		keep_own_drops(r, s->bss->io_ports);
	report__print(r, "drops");
	return r->final ? io_report_unseen(r, settings.rx_stages) : 0;
}

TOOL_SKELETON(io_latencies)

static const struct tool kernel = {
	.open = open_io_latencies,
	.setup = kernel_setup,
	.attach = kernel_attach,
	.report = kernel_report,
};

static const struct tool usdt = {
	.open = probe_set_open,
	.setup = io_usdt_setup,
	.attach = probe_set_attach,
	.report = io_usdt_report,
};

static const struct tool *chosen = &kernel;

static const struct tool *source(void)
{
	return chosen;
}

static const struct argp_option options[] = {
	{NULL, 0, NULL, 0, "What to trace", 1},
	UDP_BACKEND_OPTIONS(1),
	{"usdt", KEY_USDT, "BINARY", 0, "s2n-quic's probes in BINARY instead", 1},
	{"probe", KEY_PROBE, "WHICH=P:N", 0, "other probe: tx-begin=PROV:NAME, also tx-end, rx-...",
	 1},
	{NULL, 0, NULL, 0, "How to show it", 2},
	{"stages", KEY_STAGES, NULL, 0, "the parts of the way too: stack, queue, driver", 2},
	{0},
};

static void check_combination(void)
{
	const char *option = settings.stages ? "--stages" : udp_backend_option();

	if (chosen == &kernel || !option)
		return;
	refuse(-EINVAL, "%s is not for --usdt", option);
	suggest("the same without %s", option);
	exit(USAGE_ERROR);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	(void)state;
	if (udp_backend_parse(key, arg))
		return 0;
	switch (key) {
	case KEY_STAGES:
		settings.stages = true;
		break;
	case KEY_USDT:
		chosen = &usdt;
		probe_set_binary(arg);
		break;
	case KEY_PROBE:
		if (io_usdt_rename(arg))
			exit(USAGE_ERROR);
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
	.name = "io-latencies",
	.brief = "Time that UDP datagrams take between processes and drivers; drops.",
	.examples = "  io-latencies -p 1234                  until it ends or Ctrl-C\n"
		    "  io-latencies --stages -c './server'   where the time goes\n"
		    "  io-latencies -i 1                     all processes, each second\n",
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
