// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* UDP system calls of any process: messages per call, time, result. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "options.h"
#include "tool.h"
#include "udp-backend.h"
#include "udp-report.h"
#include "udp-syscall.h"
#include "udp-syscall.skel.h"
#include "uring-report.h"
#include "usdt.h"

enum key {
	KEY_BYTES = 0x2000,
	KEY_BY,
	KEY_USDT,
	KEY_PROBE,
	KEY_ERRORS_AS_ZERO,
};

static struct settings {
	bool bytes;         /* as histograms */
	bool without_bytes; /* not even in the closing lines: the cheapest */
	enum udp_by by;
	bool errors_as_zero;
	const char *usdt;  /* binary */
	uint64_t calls[2]; /* rx, tx */
	uint64_t by_uring; /* messages */
} settings;

/* s2n-quic's names (pull request 1866 of 2023); --probe overrides. */
static struct usdt_name probes[] = {
	{"mmsg-start-send", "s2n_quic", "s2n_quic_platform__syscall__mmsg__start_send"},
	{"mmsg-finish-send", "s2n_quic", "s2n_quic_platform__syscall__mmsg__finish_send"},
	{"mmsg-start-recv", "s2n_quic", "s2n_quic_platform__syscall__mmsg__start_recv"},
	{"mmsg-finish-recv", "s2n_quic", "s2n_quic_platform__syscall__mmsg__finish_recv"},
	{"msg-start-send", "s2n_quic", "s2n_quic_platform__syscall__msg__start_send"},
	{"msg-finish-send", "s2n_quic", "s2n_quic_platform__syscall__msg__finish_send"},
	{"msg-start-recv", "s2n_quic", "s2n_quic_platform__syscall__msg__start_recv"},
	{"msg-finish-recv", "s2n_quic", "s2n_quic_platform__syscall__msg__finish_recv"},
};

#define PROBES (sizeof(probes) / sizeof(probes[0]))

static const char *const directions[] = {"rx", "tx"};
#define USDT "usdt" /* how the names of its programs begin */

static const struct argp_option options[] = {
	{NULL, 0, NULL, 0, "What to trace", 1},
	UDP_BACKEND_OPTIONS(1),
	{"usdt", KEY_USDT, "BINARY", 0, "s2n-quic's probes in BINARY instead", 1},
	{"probe", KEY_PROBE, "WHICH=P:N", 0, "other probe: mmsg-start-send=PROV:NAME", 1},
	{NULL, 0, NULL, 0, "How to show it", 2},
	{"bytes", KEY_BYTES, "no", OPTION_ARG_OPTIONAL, "bytes per call too; no: no MB/s either",
	 2},
	{"by", KEY_BY, "KEY", 0, "by socket (local, peer) or thread", 2},
	{"ret-errors-as-zero", KEY_ERRORS_AS_ZERO, NULL, 0, "errors in ret_counts [0] too", 2},
	{0},
};

static void set_by(const char *text)
{
	if (!strcmp(text, "socket"))
		settings.by = UDP_BY_SOCKET;
	else if (!strcmp(text, "thread"))
		settings.by = UDP_BY_THREAD;
	else
		bad_value("--by", text, "socket or thread");
}

static void set_bytes(const char *text)
{
	if (text && strcmp(text, "no"))
		bad_value("--bytes", text, "(or --bytes=no)");
	settings.bytes = !text;
	settings.without_bytes = text;
}

static void check_combination(void)
{
	if (settings.usdt && udp_backend_is_forced()) {
		refuse(-EINVAL, "--usdt and --backend exclude each other");
		suggest("one of them");
		exit(USAGE_ERROR);
	}
	if (!settings.usdt || (settings.by != UDP_BY_SOCKET && !settings.bytes))
		return;
	refuse(-EINVAL, "--usdt knows neither sockets nor bytes");
	suggest("the same without --usdt");
	exit(USAGE_ERROR);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	(void)state;
	if (udp_backend_parse(key, arg))
		return 0;
	switch (key) {
	case KEY_BYTES:
		set_bytes(arg);
		break;
	case KEY_BY:
		set_by(arg);
		break;
	case KEY_USDT:
		settings.usdt = arg;
		break;
	case KEY_PROBE:
		if (usdt_rename(probes, PROBES, arg))
			exit(USAGE_ERROR);
		break;
	case KEY_ERRORS_AS_ZERO:
		settings.errors_as_zero = true;
		break;
	case ARGP_KEY_END:
		check_combination();
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* Each result has two maps, one without and one with keys: create the one that is used. */
static void choose_maps(struct bpf_object *obj)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj) {
		const char *name = bpf_map__name(map);
		size_t len = strlen(name);

		if (strncmp(name, "rx_", 3) && strncmp(name, "tx_", 3))
			continue;
		if (strstr(name, "_errors"))
			continue;
		bpf_map__set_autocreate(map, (settings.by != UDP_BY_NONE) ==
						     (len > 3 && !strcmp(name + len - 3, "_by")));
	}
}

static int setup(void *skel, const struct target *target)
{
	struct udp_syscall_bpf *s = skel;
	int err = 0;

	if (settings.usdt)
		udp_backend_disable(s->obj, USDT);
	else
		err = udp_backend_setup(s->obj, target, USDT);
	if (err)
		return err;
	choose_maps(s->obj);
	if (!settings.usdt) {
		object__disable_map(s->obj, "__bpf_usdt_specs");
		object__disable_map(s->obj, "__bpf_usdt_ip_to_spec_id");
	}
	s->rodata->split_by = settings.by;
	s->rodata->errors_as_zero = settings.errors_as_zero;
	settings.without_bytes |= settings.usdt != NULL;
	s->rodata->without_bytes = settings.without_bytes;
	s->rodata->hist_atomic = settings.usdt;
	return 0;
}

static int attach_usdt(struct udp_syscall_bpf *s, const struct target *target)
{
	const struct bpf_program *progs[PROBES] = {
		s->progs.usdt_mmsg_start_send, s->progs.usdt_mmsg_finish_send,
		s->progs.usdt_mmsg_start_recv, s->progs.usdt_mmsg_finish_recv,
		s->progs.usdt_msg_start_send,  s->progs.usdt_msg_finish_send,
		s->progs.usdt_msg_start_recv,  s->progs.usdt_msg_finish_recv,
	};

	/* Those of batches come first. */
	return usdt_attach(settings.usdt, probes, progs,
			   udp_backend_mmsg_only() ? PROBES / 2 : PROBES, target);
}

static int attach(void *skel, const struct target *target)
{
	struct udp_syscall_bpf *s = skel;

	return settings.usdt ? attach_usdt(s, target) : udp_backend_attach(s->obj);
}

static void say_unseen(bool rx, bool tx)
{
	if (!settings.usdt)
		udp_backend_say_unseen(rx, tx);
	else if (!rx && !tx)
		note("no call on a UDP socket was seen; try without --usdt: its probes were never "
		     "reached");
}

/* The script's order; it prints an empty line between the directions. */
static int report(void *skel, struct report *r)
{
	static const char *const parts[] = {"arg_counts", "bytes", "latencies", "ret_counts"};
	uint64_t messages = 0;
	char name[64];
	int err;

	(void)skel;
	for (int d = 0; d < 2; d++) {
		for (int p = 0; p < 4; p++) {
			snprintf(name, sizeof(name), "%s_%s", directions[d], parts[p]);
			if (strcmp(parts[p], "bytes") || settings.bytes)
				report__print(r, name);
		}
		if (d == 0 && r->format == REPORT_TEXT)
			fputc('\n', r->out);
	}
	report__print(r, "rx_errors");
	report__print(r, "tx_errors");
	report__print(r, "uring_rx_errors");
	report__print(r, "uring_tx_errors");
	for (int d = 0; d < 2; d++) {
		settings.calls[d] += udp_report_rates(r, directions[d], !settings.without_bytes);
		snprintf(name, sizeof(name), "%s_ret_counts", directions[d]);
		messages += report__total(r, name).sum;
	}
	settings.by_uring += uring_report(r, messages);
	r->events = settings.calls[0] + settings.calls[1] + settings.by_uring;
	err = udp_report_running(r);
	if (r->final && !settings.by_uring && !(settings.calls[0] && settings.calls[1]))
		say_unseen(settings.calls[0], settings.calls[1]);
	return err;
}

static const struct argp argp = {.options = options, .parser = parse};

TOOL_SKELETON(udp_syscall)

static const struct tool tool = {
	.name = "udp-syscall",
	.brief = "Histograms of the system calls that send and receive UDP datagrams.",
	.examples = "  udp-syscall -c './server -p 4433'     until it ends or Ctrl-C\n"
		    "  udp-syscall -p 1234 -i 1 --bytes      each second, with bytes\n"
		    "  udp-syscall --by socket -d 10         all processes, by socket\n",
	.needs = UDP_BACKEND_NEEDS,
	.locked_down = UDP_BACKEND_LOCKED_DOWN,
	.modes = udp_backend_modes,
	.argp = &argp,
	.open = open_udp_syscall,
	.setup = setup,
	.attach = attach,
	.report = report,
};

int main(int argc, char **argv)
{
	return tool_main(&tool, argc, argv);
}
