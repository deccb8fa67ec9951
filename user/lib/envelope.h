/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What stands around the results: the lines that begin and end JSON, the time of intervals. */
#ifndef WIRESCOPE_ENVELOPE_H
#define WIRESCOPE_ENVELOPE_H

#include <stdint.h>

#include "command.h"
#include "report.h"

void envelope_begin(struct report *r, const char *tool);

#define ENVELOPE_TIME 48

/* When something happened (CLOCK_MONOTONIC). Text: "HH:MM:SS.mmm" here; JSON: as in meta, UTC. */
void envelope_time(const struct report *r, uint64_t ns, char text[ENVELOPE_TIME]);

/* Text: "[HH:MM:SS]"; JSON: how long the interval was. */
void envelope_interval(struct report *r);

/* Always the last line of JSON: a file without it was cut. */
void envelope_end(struct report *r, uint64_t lost, const struct command *command);

#endif
