// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* System calls by count, errors and time: bcc's table, strace's summary, histograms. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "envelope.h"
#include "kernel.h"
#include "links.h"
#include "log.h"
#include "options.h"
#include "privilege.h"
#include "process.h"
#include "render.h"
#include "syscalls.h"
#include "syscount-rows.h"
#include "syscount.skel.h"
#include "tool.h"
#include "tracefs.h"

enum key { KEY_THREADS = 0x2000, KEY_SYSCALL, KEY_SUMMARY, KEY_ERRNOS, KEY_HIST, KEY_BACKEND };

static struct settings {
	unsigned long top;
	bool latency;
	bool summary;
	bool hist;
	bool errnos;
	bool failed;
	int error;
	enum syscount_by by;
	bool filtered;
	struct syscall_set set;
	bool by_perf; /* programs on classic tracepoints, not tp_btf */
	bool backend_given;
} settings = {.top = 10};

static const struct argp_option options[] = {
	{NULL, 0, NULL, 0, "What to count", 1},
	{"syscall", KEY_SYSCALL, "SET", 0, "only these: read,write or %net or !futex", 1},
	{"failures", 'x', NULL, 0, "only calls that failed", 1},
	{"errno", 'e', "ERRNO", 0, "only calls that failed so: EAGAIN or 11", 1},
	{"backend", KEY_BACKEND, "NAME", OPTION_HIDDEN, "see calls by raw or event", 1},
	{"list", 'l', NULL, 0, "list the names of system calls", 1},
	{NULL, 0, NULL, 0, "How to show it", 2},
	{"top", 'T', "N", 0, "the N first (10; 0: all)", 2},
	{"latency", 'L', NULL, 0, "total, average and longest time too (us)", 2},
	{"process", 'P', NULL, 0, "by process, not by system call", 2},
	{"threads", KEY_THREADS, NULL, 0, "by thread", 2},
	{"summary", KEY_SUMMARY, NULL, 0, "as strace -c -w, with wall time (s)", 2},
	{"errnos", KEY_ERRNOS, NULL, 0, "errors by call and errno too", 2},
	{"hist", KEY_HIST, NULL, 0, "a histogram of times for each call (ns)", 2},
	{0},
};

static void check_combination(void)
{
	if (!settings.summary || settings.by == BY_SYSCALL)
		return;
	refuse(-EINVAL, "--summary is by system call");
	suggest("-P -L, or --summary -p PID for each process");
	exit(USAGE_ERROR);
}

static void set_error(const char *text)
{
	settings.failed = true;
	settings.error = errno_parse(text);
	if (settings.error < 0)
		exit(USAGE_ERROR);
}

static void set_backend(const char *text)
{
	settings.by_perf = !strcmp(text, "event");
	settings.backend_given = true;
	if (!settings.by_perf && strcmp(text, "raw"))
		bad_value("--backend", text, "raw or event");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	(void)state;
	switch (key) {
	case KEY_BACKEND:
		set_backend(arg);
		break;
	case 'T':
		settings.top = parse_number("--top", arg, 0, 100000);
		break;
	case 'L':
		settings.latency = true;
		break;
	case 'P':
		settings.by = BY_PROCESS;
		break;
	case KEY_THREADS:
		settings.by = BY_THREAD;
		break;
	case 'x':
		settings.failed = true;
		break;
	case 'e':
		set_error(arg);
		break;
	case 'l':
		syscalls_list(stdout);
		exit_after_output();
	case KEY_SYSCALL:
		settings.filtered = true;
		if (syscall_set__parse(&settings.set, arg))
			exit(USAGE_ERROR);
		break;
	case KEY_SUMMARY:
		settings.summary = true;
		break;
	case KEY_ERRNOS:
		settings.errnos = true;
		break;
	case KEY_HIST:
		settings.hist = true;
		break;
	case ARGP_KEY_END:
		check_combination();
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static bool measures_time(void)
{
	return settings.latency || settings.summary || settings.hist;
}

/* By tp_btf, unless the kernel would leave calls out then. */
static void choose_programs(struct syscount_bpf *s)
{
	bool lossy = !settings.backend_given && !kernel_has(KERNEL_STEADY_TRACEPOINTS);
	bool timed = measures_time();

	if (lossy && tracefs_try("raw_syscalls", "sys_exit"))
		note("this kernel preempts programs on tracepoints: calls meanwhile are lost");
	else
		settings.by_perf |= lossy;
	verbose("backend: %s", settings.by_perf ? "event" : "raw");
	bpf_program__set_autoload(s->progs.raw_enter, timed && !settings.by_perf);
	bpf_program__set_autoload(s->progs.raw_leave, timed && !settings.by_perf);
	bpf_program__set_autoload(s->progs.raw_leave_untimed, !timed && !settings.by_perf);
	bpf_program__set_autoload(s->progs.event_enter, timed && settings.by_perf);
	bpf_program__set_autoload(s->progs.event_leave, timed && settings.by_perf);
	bpf_program__set_autoload(s->progs.event_leave_untimed, !timed && settings.by_perf);
}

static int setup(void *skel, const struct target *target)
{
	struct syscount_bpf *s = skel;
	bool by_task = settings.by != BY_SYSCALL;

	(void)target;
	s->rodata->measure_time = measures_time();
	s->rodata->measure_hist = settings.hist;
	s->rodata->measure_errnos = settings.errnos;
	s->rodata->only_failed = settings.failed;
	s->rodata->only_errno = settings.error;
	s->rodata->only_wanted = settings.filtered;
	s->rodata->count_by = settings.by;
	memcpy((void *)s->rodata->wanted, settings.set.in, sizeof(settings.set.in));
	choose_programs(s);
	bpf_program__set_autoload(s->progs.task_exec, by_task || measures_time());
	bpf_map__set_autocreate(s->maps.latencies, settings.hist);
	bpf_map__set_autocreate(s->maps.errors, settings.errnos);
	bpf_map__set_autocreate(s->maps.by_task, by_task);
	return 0;
}

static int attach(void *skel, const struct target *target)
{
	struct syscount_bpf *s = skel;
	int err = settings.by == BY_SYSCALL ? 0 : rows_make_room(s->maps.by_task);

	(void)target;
	if (err || !settings.by_perf)
		return err;
	err = links_keep(tracefs_attach(measures_time() ? s->progs.event_leave
							: s->progs.event_leave_untimed,
					"raw_syscalls", "sys_exit"));
	if (!err && measures_time())
		err = links_keep(tracefs_attach(s->progs.event_enter, "raw_syscalls", "sys_enter"));
	return err;
}

static int started(void *skel, const struct target *target, uint64_t now)
{
	struct syscount_bpf *s = skel;

	if (!target__by_pid(target))
		note("tracing %s system calls... Ctrl+C to end",
		     settings.failed ? "failed" : "all");
	return measures_time() ? rows_seed_running(s->maps.spans, target, now) : 0;
}

static void print_time(struct report *r)
{
	if (!r->interval && r->format == REPORT_TEXT)
		envelope_interval(r);
}

static void print_table(struct report *r, const struct rows *rows)
{
	size_t shown = settings.top && settings.top < rows->cnt ? settings.top : rows->cnt;

	print_time(r);
	if (settings.by == BY_SYSCALL)
		fprintf(r->out, "%-22s", "SYSCALL");
	else
		fprintf(r->out, "%-6s %-15s", settings.by == BY_PROCESS ? "PID" : "TID", "COMM");
	fprintf(r->out, " %8s", "COUNT");
	if (settings.latency)
		fprintf(r->out, " %16s %12s %12s", "TIME (us)", "AVG (us)", "MAX (us)");
	fputc('\n', r->out);
	for (size_t i = 0; i < shown; i++) {
		const struct row *row = &rows->row[i];

		if (settings.by == BY_SYSCALL)
			fprintf(r->out, "%-22s", row->name);
		else
			fprintf(r->out, "%-6u %-15s", row->pid, row->name);
		fprintf(r->out, " %8llu", row->calls);
		if (settings.latency)
			fprintf(r->out, " %16.3f %12.3f %12.3f", row->total_ns / 1e3,
				row__average_ns(row) / 1e3, row->max_ns / 1e3);
		fputc('\n', r->out);
	}
	fputc('\n', r->out);
}

/* strace -c's layout; seconds are wall time, as with its -w. */
static void print_summary(struct report *r, const struct rows *rows)
{
	static const char rule[] = "------ ----------- ----------- --------- --------- "
				   "----------------\n";
	struct row total = {.name = "total"};
	char errors[24];

	if (!rows->cnt)
		return;
	fprintf(r->out, "%6.6s %11.11s %11.11s %9.9s %9.9s %s\n%s", "% time", "seconds",
		"usecs/call", "calls", "errors", "syscall", rule);
	for (size_t i = 0; i < rows->cnt; i++)
		row__add(&total, &rows->row[i]);
	for (size_t i = 0; i <= rows->cnt; i++) {
		const struct row *row = i < rows->cnt ? &rows->row[i] : &total;
		double share = total.total_ns ? 100.0 * row->total_ns / total.total_ns : 0;

		if (row == &total)
			fputs(rule, r->out);
		snprintf(errors, sizeof(errors), "%llu", row->errors);
		fprintf(r->out, "%6.2f %11.6f %11llu %9llu %9s %s\n", share, row->total_ns / 1e9,
			(unsigned long long)row__average_ns(row) / 1000, row->calls,
			row->errors ? errors : "", row->name);
	}
}

static void print_json(struct report *r, const struct rows *rows)
{
	json_t *list = json_array();

	for (size_t i = 0; i < rows->cnt; i++) {
		const struct row *row = &rows->row[i];
		json_t *item = json_pack("{s:o, s:I, s:I}",
					 settings.by == BY_SYSCALL ? "syscall" : "comm",
					 render_string(row->name), "calls", (json_int_t)row->calls,
					 "errors", (json_int_t)row->errors);

		if (settings.by != BY_SYSCALL)
			json_object_set_new(item, settings.by == BY_PROCESS ? "pid" : "tid",
					    json_integer(row->pid));
		if (measures_time()) {
			json_object_set_new(item, "total_ns", json_integer(row->total_ns));
			json_object_set_new(item, "max_ns", json_integer(row->max_ns));
		}
		json_array_append_new(list, item);
	}
	report__json(r, json_pack("{s:s, s:o}", "type", "syscalls", "data", list));
}

static int report(void *skel, struct report *r)
{
	struct syscount_bpf *s = skel;
	struct rows_query query = {
		.map = settings.by == BY_SYSCALL ? s->maps.by_syscall : s->maps.by_task,
		.by = settings.by,
		.interval_nr = &s->data->interval_nr,
		.timed = measures_time(),
		.by_time = settings.latency || settings.summary,
		.wanted = settings.filtered ? &settings.set : NULL,
		.with_running = !settings.failed,
	};
	struct rows rows;
	int err = rows__read(&rows, &query, r);

	if (err)
		return err;
	if (r->format == REPORT_JSON)
		print_json(r, &rows);
	else if (settings.summary)
		print_summary(r, &rows);
	else if (!settings.hist || settings.latency || settings.by != BY_SYSCALL)
		print_table(r, &rows);
	report__print(r, "latencies");
	report__print(r, "errors");
	if (r->final && !r->events)
		report__say_idle(r);
	rows__free(&rows);
	return 0;
}

static const struct argp argp = {.options = options, .parser = parse};

TOOL_SKELETON(syscount)

/* With times, the calls that still run are known from their begins. */
static bool reads_calls(void)
{
	return !measures_time() && !settings.failed;
}

static const struct tool_mode modes[] = {
	{"in all modes: CAP_BPF, CAP_PERFMON", privilege_may_load},
	{"calls of other users that still run: CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH (not for -L)",
	 privilege_may_look},
	{0},
};

static const struct tool tool = {
	.name = "syscount",
	.brief = "Count system calls: how many, how many failed, how long they took.",
	.examples = "  syscount -d 10             the 10 most frequent of all processes\n"
		    "  syscount -L --syscall %net -p 1234   with times, one process's network\n"
		    "  syscount --summary -- make strace -c -f, at a hundredth of its cost\n",
	.locked_down = "Linux 5.15 or newer, or lockdown=integrity",
	.modes = modes,
	.reads_calls = reads_calls,
	.argp = &argp,
	.open = open_syscount,
	.setup = setup,
	.attach = attach,
	.started = started,
	.report = report,
};

int main(int argc, char **argv)
{
	return tool_main(&tool, argc, argv);
}
