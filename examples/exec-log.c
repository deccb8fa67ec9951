// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>

#include "envelope.h"
#include "escape.h"
#include "exec-log.h"
#include "exec-log.skel.h"
#include "render.h"
#include "tool.h"

static void print_json(struct report *r, const struct exec_event *e, const char *time)
{
	report__json(r, json_pack("{s:s, s:s, s:i, s:i, s:I, s:o, s:o, s:b}", "type", "exec",
				  "time", time, "pid", e->pid, "ppid", e->parent, "uid",
				  (json_int_t)e->uid, "comm", render_string(e->comm), "file",
				  render_string(e->file), "truncated", e->cut));
}

static void print_text(struct report *r, const struct exec_event *e, const char *time)
{
	char comm[sizeof(e->comm) * ESCAPE_GROWTH], file[sizeof(e->file) * ESCAPE_GROWTH];

	if (!r->events)
		fprintf(r->out, "%-12s %7s %7s %5s %-15s %s\n", "TIME", "PID", "PPID", "UID",
			"COMM", "FILE");
	escape(comm, sizeof(comm), e->comm, strlen(e->comm), ESCAPE_TERMINAL);
	escape(file, sizeof(file), e->file, strlen(e->file), ESCAPE_TERMINAL);
	fprintf(r->out, "%-12s %7u %7u %5u %-15s %s%s\n", time, e->pid, e->parent, e->uid, comm,
		file, e->cut ? "... (truncated)" : "");
}

static int event(void *skel, struct report *r, const void *data, size_t size)
{
	char time[ENVELOPE_TIME];

	(void)skel;
	(void)size;
	envelope_time(r, ((const struct exec_event *)data)->ns, time);
	(r->format == REPORT_JSON ? print_json : print_text)(r, data, time);
	return 0;
}

TOOL_SKELETON(exec_log)

static const struct tool tool = {
	.name = "exec-log",
	.brief = "Show each program that is executed.",
	.open = open_exec_log,
	.event = event,
};

int main(int argc, char **argv)
{
	return tool_main(&tool, argc, argv);
}
