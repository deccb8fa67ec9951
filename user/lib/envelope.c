// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "envelope.h"

#include <stdio.h>
#include <sys/utsname.h>
#include <time.h>

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

void envelope_begin(struct report *r, const char *tool)
{
	struct timespec t;
	struct utsname uts;
	struct tm tm;
	char text[32], time[48];

	if (r->format != REPORT_JSON)
		return;
	clock_gettime(CLOCK_REALTIME, &t);
	gmtime_r(&t.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(time, sizeof(time), "%s.%03ldZ", text, t.tv_nsec / 1000000);
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
