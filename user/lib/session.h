/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a run of a tool has, and how it gets and reads what is recorded; tool.c leads it. */
#ifndef WIRESCOPE_SESSION_H
#define WIRESCOPE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "options.h"
#include "report.h"
#include "ring.h"
#include "target.h"
#include "tool.h"

struct session {
	const struct tool *tool;
	const struct tool *source; /* has the functions of the run: mostly the same */
	struct options options;
	struct target target;
	struct skel *skel; /* NULL: the source is a feed */
	struct report report;
	struct ring ring;
	uint64_t reported_ns; /* end of the last report */
	int signal_fd;
	int interval_fd;
	int duration_fd;
	bool stop;
	bool pipe_broke;
	bool ending;     /* the command was asked to end */
	int exec_status; /* 126 or 127 if the command could not run */
};

/* Fork the command of the options; a feed is open before. Errors print a message. */
int session__start_command(struct session *s);

/* Load and attach, after the command was forked; from now on events are recorded. */
int session__load(struct session *s);
int session__attach(struct session *s);

/* Give up what the rest of the run does not need. */
int session__drop_privileges(const struct session *s);

/* What to poll for, and for how long at most, for records. */
int session__fd(const struct session *s);
int session__timeout_ms(const struct session *s);

/* Hand over the records that have come; true if there were any. Errors print a message. */
int session__read(struct session *s, bool *took);

/* Record nothing more, and hand over the rest. drop: nobody wants it. */
int session__drain(struct session *s, bool drop);

/* Processes of the target that still run, descendants too. */
size_t session__running(const struct session *s);

uint64_t session__lost(const struct session *s);

/* Let go of all that was loaded. */
void session__unload(struct session *s);

#endif
