// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* UDP system calls of any process: messages per call, time, result. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "kernel.h"
#include "links.h"
#include "log.h"
#include "options.h"
#include "privilege.h"
#include "process.h"
#include "tool.h"
#include "tracefs.h"
#include "udp-report.h"
#include "udp-syscall.h"
#include "udp-syscall.skel.h"
#include "usdt.h"

enum key {
	KEY_BYTES = 0x2000,
	KEY_BY,
	KEY_MMSG_ONLY,
	KEY_RW,
	KEY_COMPAT,
	KEY_USDT,
	KEY_PROBE,
	KEY_ERRORS_AS_ZERO,
	KEY_BACKEND,
};

/* In order of preference; the programs of each begin with its name (bpf/udp-syscall.bpf.c). */
enum backend { BACKEND_FENTRY, BACKEND_EVENT, BACKEND_RAW, BACKEND_USDT, BACKENDS };

static struct settings {
	bool bytes;         /* as histograms */
	bool without_bytes; /* not even in the closing lines: the cheapest */
	enum udp_by by;
	bool mmsg_only;
	bool rw;
	bool compat;
	bool errors_as_zero;
	const char *usdt; /* binary */
	enum backend backend;
	enum backend forced;
	uint64_t calls[2]; /* rx, tx */
} settings = {.forced = BACKENDS};

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

static const char *const backends[BACKENDS] = {"fentry", "event", "raw", "usdt"};
static const char *const directions[] = {"rx", "tx"};
static const char *const mmsg_calls[] = {"sendmmsg", "recvmmsg", NULL};
static const char *const msg_calls[] = {"sendmsg", "sendto", "recvmsg", "recvfrom", NULL};
static const char *const rw_calls[] = {"write", "writev", "sendfile64", "read", "readv", NULL};

static const struct argp_option options[] = {
	{NULL, 0, NULL, 0, "What to trace", 1},
	{"mmsg-only", KEY_MMSG_ONLY, NULL, 0, "only sendmmsg and recvmmsg", 1},
	{"rw", KEY_RW, NULL, 0, "write, read, sendfile on UDP sockets too", 1},
	{"compat", KEY_COMPAT, NULL, 0, "32-bit callers too (dearer for others)", 1},
	{"backend", KEY_BACKEND, "NAME", 0, "see calls by fentry, event, raw; default: best", 1},
	{"usdt", KEY_USDT, "BINARY", 0, "s2n-quic's probes in BINARY instead", 1},
	{"probe", KEY_PROBE, "WHICH=P:N", 0, "other probe: mmsg-start-send=PROV:NAME", 1},
	{NULL, 0, NULL, 0, "How to show it", 2},
	{"bytes", KEY_BYTES, "no", OPTION_ARG_OPTIONAL, "bytes per call too; no: no MB/s either",
	 2},
	{"by", KEY_BY, "KEY", 0, "by socket (local, peer) or thread", 2},
	{"ret-errors-as-zero", KEY_ERRORS_AS_ZERO, NULL, 0, "errors in ret_counts [0] too", 2},
	{0},
};

static void set_backend(const char *text)
{
	for (int i = 0; i < BACKEND_USDT; i++) {
		if (!strcmp(text, backends[i]))
			settings.forced = i;
	}
	if (settings.forced == BACKENDS)
		bad_value("--backend", text, "fentry, event or raw");
}

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
	if (settings.usdt && settings.forced != BACKENDS) {
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
	switch (key) {
	case KEY_BYTES:
		set_bytes(arg);
		break;
	case KEY_BY:
		set_by(arg);
		break;
	case KEY_MMSG_ONLY:
		settings.mmsg_only = true;
		break;
	case KEY_RW:
		settings.rw = true;
		break;
	case KEY_COMPAT:
		settings.compat = true;
		break;
	case KEY_BACKEND:
		set_backend(arg);
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

static bool has_32bit_process(const struct target *target)
{
	for (size_t i = 0; i < target->pids_cnt; i++) {
		if (process_elf_class(target->pids[i]) == 32)
			return true;
	}
	return target->command_path && file_elf_class(target->command_path) == 32;
}

/* Why a backend cannot do what is asked for here; NULL if it can. */
static const char *unfit(enum backend backend, const struct target *target)
{
	if (backend <= BACKEND_EVENT) {
		if (settings.compat)
			return "--compat: it does not see 32-bit callers";
		if (has_32bit_process(target))
			return "the target is a 32-bit program";
	}
	if (backend == BACKEND_FENTRY) {
		if (settings.rw)
			return "--rw: write and read end in functions of all files";
		if (!kernel_has(KERNEL_FENTRY))
			return "this kernel has no fentry programs on system calls";
		if (!kernel_has(KERNEL_STEADY_FENTRY) && settings.forced != BACKEND_FENTRY)
			return "this kernel preempts its programs, and leaves out calls meanwhile";
	}
	if (backend == BACKEND_EVENT && !kernel_has(KERNEL_SYSCALL_EVENTS))
		return "no tracepoints of single system calls, or not readable";
	return NULL;
}

static int choose_backend(const struct target *target)
{
	const char *why_not = NULL;

	settings.backend = settings.usdt ? BACKEND_USDT : BACKEND_FENTRY;
	if (settings.forced != BACKENDS) {
		settings.backend = settings.forced;
		why_not = unfit(settings.forced, target);
		if (!why_not)
			return 0;
		refuse(-EOPNOTSUPP, "--backend=%s does not work here", backends[settings.forced]);
		why("%s", why_not);
		suggest("the same without --backend");
		return -EOPNOTSUPP;
	}
	while ((why_not = unfit(settings.backend, target))) {
		verbose("not by %s: %s", backends[settings.backend], why_not);
		settings.backend++;
	}
	verbose("backend: %s", backends[settings.backend]);
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
	int err = choose_backend(target);

	if (err)
		return err;
	object__choose_programs(s->obj, backends, BACKENDS, settings.backend);
	if (settings.backend > BACKEND_EVENT)
		object__disable_programs(s->obj, "compat_");
	if (settings.mmsg_only)
		object__disable_programs(s->obj, "fentry_msg_");
	choose_maps(s->obj);
	if (settings.backend != BACKEND_USDT) {
		object__disable_map(s->obj, "__bpf_usdt_specs");
		object__disable_map(s->obj, "__bpf_usdt_ip_to_spec_id");
	}
	s->rodata->split_by = settings.by;
	s->rodata->started_ns = clock_now_ns();
	s->rodata->errors_as_zero = settings.errors_as_zero;
	settings.without_bytes |= settings.backend == BACKEND_USDT;
	s->rodata->without_bytes = settings.without_bytes;
	s->rodata->hist_atomic = settings.backend == BACKEND_USDT;
	s->rodata->udp_mmsg_only = settings.mmsg_only;
	s->rodata->udp_rw = settings.rw;
	s->rodata->socket_cast = kernel_has(KERNEL_RDONLY_CAST);
	return 0;
}

static int attach_events(struct udp_syscall_bpf *s, const char *const calls[])
{
	char event[64];
	int err = 0;

	for (; !err && *calls; calls++) {
		snprintf(event, sizeof(event), "sys_exit_%s", *calls);
		err = links_keep(tracefs_attach(s->progs.event_leave, "syscalls", event));
		snprintf(event, sizeof(event), "sys_enter_%s", *calls);
		err = err ?: links_keep(tracefs_attach(s->progs.event_enter, "syscalls", event));
	}
	return err;
}

static int attach_usdt(struct udp_syscall_bpf *s, const struct target *target)
{
	const struct bpf_program *progs[PROBES] = {
		s->progs.usdt_mmsg_start_send, s->progs.usdt_mmsg_finish_send,
		s->progs.usdt_mmsg_start_recv, s->progs.usdt_mmsg_finish_recv,
		s->progs.usdt_msg_start_send,  s->progs.usdt_msg_finish_send,
		s->progs.usdt_msg_start_recv,  s->progs.usdt_msg_finish_recv,
	};

	return usdt_attach(settings.usdt, probes, progs, PROBES, target);
}

static int attach(void *skel, const struct target *target)
{
	struct udp_syscall_bpf *s = skel;
	int err;

	if (settings.backend == BACKEND_USDT)
		return attach_usdt(s, target);
	if (settings.backend != BACKEND_EVENT)
		return 0;
	err = attach_events(s, mmsg_calls);
	if (!err && !settings.mmsg_only)
		err = attach_events(s, msg_calls);
	if (!err && settings.rw)
		err = attach_events(s, rw_calls);
	return err;
}

/* In one direction alone too: iperf3 sends by write(2), but its first receive is a recv(2). */
static void say_nothing_seen(bool rx, bool tx)
{
	const char *what = rx ? "that sends " : tx ? "that receives " : "";
	const char *hint = "--rw for programs that use write and read (io_uring is not seen)";

	if (settings.backend == BACKEND_USDT)
		hint = "without --usdt: its probes were never reached";
	else if (settings.mmsg_only)
		hint = "without --mmsg-only: sendmsg, sendto, recvmsg, recvfrom too";
	else if (settings.rw)
		hint = "another target (io_uring is not seen)";
	if ((rx || tx) && (settings.rw || settings.backend == BACKEND_USDT))
		return;
	note("no call %son a UDP socket was seen; try %s", what, hint);
}

/* The script's order; it prints an empty line between the directions. */
static int report(void *skel, struct report *r)
{
	static const char *const parts[] = {"arg_counts", "bytes", "latencies", "ret_counts"};
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
	for (int d = 0; d < 2; d++)
		settings.calls[d] += udp_report_rates(r, directions[d], !settings.without_bytes);
	r->events = settings.calls[0] + settings.calls[1];
	err = udp_report_running(r);
	if (r->final && !(settings.calls[0] && settings.calls[1]))
		say_nothing_seen(settings.calls[0], settings.calls[1]);
	return err;
}

static const struct argp argp = {.options = options, .parser = parse};

TOOL_SKELETON(udp_syscall)

static bool may_use_events(void)
{
	return privilege_may_load() && kernel_has(KERNEL_SYSCALL_EVENTS);
}

static const struct tool_mode modes[] = {
	{"by fentry or raw (--compat): CAP_BPF, CAP_PERFMON", privilege_may_load},
	{"by event: and CAP_DAC_READ_SEARCH (kernel.perf_event_paranoid=3: CAP_SYS_ADMIN)",
	 may_use_events},
	{"--usdt: CAP_SYS_ADMIN (some kernels: CAP_PERFMON)", privilege_may_probe},
	{0},
};

static const struct tool tool = {
	.name = "udp-syscall",
	.brief = "Histograms of the system calls that send and receive UDP datagrams.",
	.examples = "  udp-syscall -c './server -p 4433'     until it ends or Ctrl-C\n"
		    "  udp-syscall -p 1234 -i 1 --bytes      each second, with bytes\n"
		    "  udp-syscall --by socket -d 10         all processes, by socket\n",
	.needs = "Needs root, or CAP_BPF and CAP_PERFMON; --usdt: CAP_SYS_ADMIN (see --doctor).\n",
	.locked_down = "Linux 6.2 or newer, without --usdt; or lockdown=integrity",
	.modes = modes,
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
