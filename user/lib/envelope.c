// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "envelope.h"

#include <stdio.h>
#include <sys/utsname.h>
#include <time.h>

#include "clock.h"
#include "process.h"
#include "render.h"
#include "target.h"

static json_t *process_json(pid_t pid)
{
	char comm[PROCESS_COMM];

	process_comm(pid, comm);
	return json_pack("{s:i, s:o}", "pid", pid, "comm", render_string(comm));
}

/* {"pid":42,"comm":"nginx"} for one process, {"processes":[...]} for several. */
static json_t *target_json(const struct target *t)
{
	json_t *target = t->pids_cnt == 1 ? process_json(t->pids[0]) : json_object();
	json_t *processes = json_array();

	for (size_t i = 0; i < t->pids_cnt; i++)
		json_array_append_new(processes, process_json(t->pids[i]));
	if (t->pids_cnt > 1)
		json_object_set(target, "processes", processes);
	json_decref(processes);
	if (t->command.pid)
		json_object_set_new(target, "command_pid", json_integer(t->command.pid));
	if (t->cgroup)
		json_object_set_new(target, "cgroup", render_string(t->cgroup));
	if (t->comm)
		json_object_set_new(target, "comm", render_string(t->comm));
	return target;
}

static uint64_t wall_clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

void envelope_time(const struct report *r, uint64_t ns, char text[ENVELOPE_TIME])
{
	uint64_t wall_ns = wall_clock_ns() - clock_now_ns() + ns;
	time_t seconds = wall_ns / 1000000000;
	unsigned int ms = wall_ns / 1000000 % 1000;
	struct tm tm;
	char head[32];

	if (r->format == REPORT_JSON) {
		gmtime_r(&seconds, &tm);
		strftime(head, sizeof(head), "%Y-%m-%dT%H:%M:%S", &tm);
	} else {
		localtime_r(&seconds, &tm);
		strftime(head, sizeof(head), "%H:%M:%S", &tm);
	}
	snprintf(text, ENVELOPE_TIME, "%s.%03u%s", head, ms, r->format == REPORT_JSON ? "Z" : "");
}

void envelope_begin(struct report *r, const char *tool)
{
	char time[ENVELOPE_TIME];
	struct utsname uts;

	if (r->format != REPORT_JSON)
		return;
	envelope_time(r, clock_now_ns(), time);
	uname(&uts);
	report__json(r, json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:o}", "type", "meta", "v", 1,
				  "tool", tool, "version", WIRESCOPE_VERSION, "time", time,
				  "kernel", uts.release, "target", target_json(r->target)));
}

void envelope_interval(struct report *r)
{
	time_t now = time(NULL);
	struct tm tm;
	char text[16];

	localtime_r(&now, &tm);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	if (r->format == REPORT_TEXT)
		fprintf(r->out, "[%s]\n", text);
	else
		report__json(r, json_pack("{s:s, s:s, s:I}", "type", "interval", "time", text,
					  "elapsed_ns", (json_int_t)r->elapsed_ns));
}

void envelope_end(struct report *r, uint64_t lost, const struct command *command)
{
	json_t *end;

	if (r->format != REPORT_JSON)
		return;
	end = json_pack("{s:s, s:I, s:I, s:I}", "type", "end", "elapsed_ns",
			(json_int_t)r->total_ns, "events", (json_int_t)r->events, "lost",
			(json_int_t)lost);
	if (command->pid && command->reaped)
		json_object_set_new(end, "command",
				    json_pack("{s:i}", "exit", command__exit_status(command)));
	report__json(r, end);
}
