// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "udp-backend.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "kernel.h"
#include "links.h"
#include "log.h"
#include "object.h"
#include "options.h"
#include "privilege.h"
#include "process.h"
#include "tracefs.h"
#include "uring-report.h"

/* In order of preference; the programs of each begin with its name. */
enum backend { BACKEND_FENTRY, BACKEND_EVENT, BACKEND_RAW, BACKENDS };

#define SETS (BACKENDS + 1) /* and another one, of the tool */

static const char *const backends[BACKENDS] = {"fentry", "event", "raw"};
static const char *const mmsg_calls[] = {"sendmmsg", "recvmmsg", NULL};
static const char *const msg_calls[] = {"sendmsg", "sendto", "recvmsg", "recvfrom", NULL};
static const char *const rw_calls[] = {"write", "writev", "sendfile64", "read", "readv", NULL};

static struct {
	bool mmsg_only;
	bool rw;
	bool compat;
	bool send_only;
	enum backend forced;
	enum backend chosen;
} settings = {.forced = BACKENDS};

static void set_backend(const char *text)
{
	for (int i = 0; i < BACKENDS; i++) {
		if (!strcmp(text, backends[i]))
			settings.forced = i;
	}
	if (settings.forced == BACKENDS)
		bad_value("--backend", text, "fentry, event or raw");
}

bool udp_backend_parse(int key, const char *text)
{
	switch (key) {
	case UDP_KEY_MMSG_ONLY:
		settings.mmsg_only = true;
		return true;
	case UDP_KEY_RW:
		settings.rw = true;
		return true;
	case UDP_KEY_COMPAT:
		settings.compat = true;
		return true;
	case UDP_KEY_BACKEND:
		set_backend(text);
		return true;
	default:
		return false;
	}
}

const char *udp_backend_option(void)
{
	if (udp_backend_is_forced())
		return "--backend";
	if (settings.compat)
		return "--compat";
	if (settings.rw)
		return "--rw";
	return settings.mmsg_only ? "--mmsg-only" : NULL;
}

void udp_backend_send_only(void)
{
	settings.send_only = true;
}

bool udp_backend_is_forced(void)
{
	return settings.forced != BACKENDS;
}

bool udp_backend_mmsg_only(void)
{
	return settings.mmsg_only;
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

	settings.chosen = settings.forced;
	if (udp_backend_is_forced()) {
		why_not = unfit(settings.forced, target);
		if (!why_not)
			return 0;
		refuse(-EOPNOTSUPP, "--backend=%s does not work here", backends[settings.forced]);
		why("%s", why_not);
		suggest("the same without --backend");
		return -EOPNOTSUPP;
	}
	for (settings.chosen = 0; (why_not = unfit(settings.chosen, target)); settings.chosen++)
		verbose("not by %s: %s", backends[settings.chosen], why_not);
	verbose("backend: %s", backends[settings.chosen]);
	return 0;
}

static void choose_programs(struct bpf_object *obj, size_t chosen, const char *other)
{
	const char *sets[SETS];

	memcpy(sets, backends, sizeof(backends));
	sets[BACKENDS] = other;
	object__choose_programs(obj, sets, other ? SETS : BACKENDS, chosen);
	if (chosen > BACKEND_EVENT)
		object__disable_programs(obj, "compat_");
}

int udp_backend_setup(struct bpf_object *obj, const struct target *target, const char *other)
{
	uint64_t started_ns = clock_now_ns();
	int err = choose_backend(target);

	if (err)
		return err;
	choose_programs(obj, settings.chosen, other);
	if (settings.mmsg_only)
		object__disable_programs(obj, "fentry_msg_");
	if (settings.send_only) {
		object__disable_programs(obj, "fentry_recv");
		object__disable_programs(obj, "fentry_msg_recv");
	}
	err = uring_report_setup(obj);
	err = err ?: object__set(obj, "udp_started_ns", &started_ns, sizeof(started_ns));
	err = err ?: object__set_bool(obj, "udp_mmsg_only", settings.mmsg_only);
	err = err ?: object__set_bool(obj, "udp_rw", settings.rw);
	return err ?: object__set_bool(obj, "socket_cast", kernel_has(KERNEL_RDONLY_CAST));
}

void udp_backend_disable(struct bpf_object *obj, const char *other)
{
	choose_programs(obj, BACKENDS, other);
	verbose("backend: %s", other);
}

static int attach_events(struct bpf_object *obj, const char *const calls[])
{
	const struct bpf_program *enter = bpf_object__find_program_by_name(obj, "event_enter");
	const struct bpf_program *leave = bpf_object__find_program_by_name(obj, "event_leave");
	char event[64];
	int err = 0;

	for (; !err && *calls; calls++) {
		if (settings.send_only && !strncmp(*calls, "re", 2))
			continue;
		snprintf(event, sizeof(event), "sys_exit_%s", *calls);
		err = links_keep(tracefs_attach(leave, "syscalls", event));
		snprintf(event, sizeof(event), "sys_enter_%s", *calls);
		err = err ?: links_keep(tracefs_attach(enter, "syscalls", event));
	}
	return err;
}

int udp_backend_attach(struct bpf_object *obj)
{
	int err;

	if (settings.chosen != BACKEND_EVENT)
		return 0;
	err = attach_events(obj, mmsg_calls);
	if (!err && !settings.mmsg_only)
		err = attach_events(obj, msg_calls);
	if (!err && settings.rw)
		err = attach_events(obj, rw_calls);
	return err;
}

/* In one direction alone too: iperf3 sends by write(2), but its first receive is a recv(2). */
void udp_backend_say_unseen(bool rx, bool tx)
{
	const char *what = rx ? "that sends " : tx ? "that receives " : "";
	const char *hint = "--rw for programs that use write and read";

	if (settings.mmsg_only)
		hint = "without --mmsg-only: sendmsg, sendto, recvmsg, recvfrom too";
	else if (settings.rw)
		hint = "another target";
	if ((rx || tx) && settings.rw)
		return;
	note("no call %son a UDP socket was seen; try %s", what, hint);
}

static bool may_use_events(void)
{
	return privilege_may_load() && kernel_has(KERNEL_SYSCALL_EVENTS);
}

const struct tool_mode udp_backend_modes[] = {
	{"by fentry or raw (--compat): CAP_BPF, CAP_PERFMON", privilege_may_load},
	{"by event: and CAP_DAC_READ_SEARCH (kernel.perf_event_paranoid=3: CAP_SYS_ADMIN)",
	 may_use_events},
	{"--usdt: CAP_SYS_ADMIN (some kernels: CAP_PERFMON)", privilege_may_probe},
	{0},
};
