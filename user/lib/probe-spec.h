/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What to probe and what to make of it, as a user writes it:
 *
 *	[NAME=][AGG:]PROBE[:VALUE] [by:KEY[,KEY]] [on:EXPR[,EXPR]] [if:EXPR OP NUMBER]
 *	[NAME=]lat:PROBE [to PROBE] ...
 *
 * The text only: what it names is looked up by probe-set.c.
 */
#ifndef WIRESCOPE_PROBE_SPEC_H
#define WIRESCOPE_PROBE_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe-point.h"

#define PROBE_NAME 64 /* of a result, with its NUL */

enum probe_source {
	PROBE_USDT,
	PROBE_UPROBE,
	PROBE_URETPROBE,
	PROBE_TRACEPOINT,
	PROBE_RAW_TRACEPOINT,
	PROBE_SOURCES,
};

/* Texts are kept by reference. */
struct probe_place {
	enum probe_source source;
	const char *binary; /* path, program or library; NULL: the program of the target */
	const char *group;  /* USDT: provider; tracepoint: group */
	const char *name;   /* probe, function, event */
	const char *older;  /* USDT: its name in binaries that do not have name; optional */
	uint64_t offset;    /* into a function */
};

enum probe_term_kind {
	TERM_NONE,
	TERM_ARG,    /* arg0 is the first */
	TERM_RETURN, /* of a function */
	TERM_FIELD,  /* of a tracepoint, or what a raw tracepoint's arguments lead to */
	TERM_PID,
	TERM_TID,
	TERM_CPU,
	TERM_COMM,
};

struct probe_term {
	enum probe_term_kind kind;
	unsigned int arg; /* TERM_ARG */
	const char *text; /* as written, without cast and str() */
	bool is_string;   /* str(): the text that it points to in the process */
	uint8_t size;     /* of a cast, in bytes; 0: none */
	bool is_signed;
};

struct probe_filter {
	struct probe_term term;
	enum probe_op op;
	int64_t number;
};

enum probe_aggregation { AGGREGATE_HIST, AGGREGATE_COUNT, AGGREGATE_SUM };

struct probe_spec {
	const char *name; /* of the result; NULL: that of the (last) probe */
	enum probe_aggregation aggregation;
	struct linear linear; /* of a histogram; step 0: powers of two */
	const char *unit;     /* for JSON, of the value; NULL: not known */
	bool is_latency;      /* from place[0] to place[1], or to the return of place[0] */
	bool optional;        /* a binary may lack the probe, as long as it has others */
	struct probe_place place[2];
	size_t places_cnt;
	struct probe_term value;
	struct probe_term keys[PROBE_KEYS];
	size_t keys_cnt;
	struct probe_term matches[PROBE_MATCHES]; /* on: what both ends have in common */
	size_t matches_cnt;                       /* 0: the thread */
	struct probe_filter filters[PROBE_FILTERS];
	size_t filters_cnt;
};

/*
 * Read a SPEC. Its words are cut out of text, which has to live as long as the spec. Returns 0,
 * or -EINVAL after a message.
 */
int probe_spec__parse(struct probe_spec *spec, char *text);

/* "0,100,10"; the same errors, and no message. */
int linear_parse(struct linear *linear, const char *text);

#endif
