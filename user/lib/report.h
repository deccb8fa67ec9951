/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From maps to what a user reads. A report covers the time since the one before it; all
 * reports of a run add up exactly to its total.
 */
#ifndef WIRESCOPE_REPORT_H
#define WIRESCOPE_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <bpf/libbpf.h>
#include <jansson.h>

#include "hist.h"
#include "object.h"
#include "table.h"

struct target;

enum report_format { REPORT_TEXT, REPORT_JSON };

struct report {
	FILE *out;
	enum report_format format;
	struct bpf_object *obj;
	const struct target *target;
	bool final;          /* nothing is recorded any more: counts are exact */
	bool interval;       /* reports are printed every so often */
	uint64_t elapsed_ns; /* that this report covers */
	uint64_t total_ns;   /* since the start of the run */
	uint64_t events;     /* recorded in the whole run so far; default: of the fullest result */
	uint64_t start_ns;   /* of the run, CLOCK_MONOTONIC */

	struct result *results; /* of the object, and what each had since the last report */
	struct table *deltas;
	struct table *seen;
	size_t results_cnt;
};

int report__open(struct report *r, struct bpf_object *obj);
void report__close(struct report *r);

/* Read all result maps; must precede the calls below. */
int report__take(struct report *r);

/* Print all results: histograms in name order, then counts. */
void report__print_all(struct report *r);

/* Print one result (both maps of a HIST_SPLIT); one that is empty prints nothing. */
void report__print(struct report *r, const char *name);

/* Sum of all rows of a histogram result in this report. */
struct hist report__total(const struct report *r, const char *name);

/* Rows of a result of counts in this report; NULL if there is no such result. */
const struct table *report__counts(const struct report *r, const char *name);

/* Count of one key of a COUNT_ARRAY result in this report. */
uint64_t report__count(const struct report *r, const char *name, uint32_t key);

/* One JSON object, one line; steals the reference. */
void report__json(struct report *r, json_t *object);

/* Calls that have begun and not ended, from the spans map. */
struct in_flight {
	uint32_t tid;
	uint32_t id;
	uint64_t arg[2];
	uint64_t age_ns;
};

/* *calls is malloced; threads that are gone are left out. */
int report__in_flight(const struct report *r, struct in_flight **calls, size_t *cnt);

/* Note that nothing was seen although all probes were attached. */
void report__say_idle(const struct report *r);

/* What was lost in the whole run; prints one line for each reason. */
uint64_t report__lost(const struct report *r);

#endif
