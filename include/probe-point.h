/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Probes that are not known before the run, as user/lib/probe-points.c tells them to the
 * programs of bpf/probe-set.bpf.c.
 *
 * A spec is what a user asked for, and has one result. A point is a place where a program runs:
 * a spec has one, or two if it is a latency.
 */
#ifndef WIRESCOPE_PROBE_POINT_H
#define WIRESCOPE_PROBE_POINT_H

#include <linux/types.h>

#define PROBE_SPECS  64
#define PROBE_POINTS (2 * PROBE_SPECS)
#define PROBE_COPIES 8 /* points on one tracepoint, and on all raw ones together */

#define PROBE_KEYS    2
#define PROBE_MATCHES 2
#define PROBE_FILTERS 4
#define PROBE_STEPS   6
#define PROBE_TEXT    64 /* of a key, with its NUL */

#define PROBE_COUNTS 16384 /* rows of all results that are not histograms of powers of two */
#define PROBE_KEYED  10240 /* rows by key, of each kind */
#define PROBE_BEGUN  16384 /* latencies whose end is awaited */

enum probe_read_kind {
	READ_NOTHING,
	READ_CONTEXT, /* what the program was called with: registers, fields, arguments */
	READ_USDT,
	READ_PID,    /* as the user knows it */
	READ_TID,    /* the same */
	READ_THREAD, /* as the kernel knows it */
	READ_CPU,
	READ_COMM,
};

enum probe_text {
	TEXT_NONE,    /* a number */
	TEXT_USER,    /* the number is its address in the process */
	TEXT_KERNEL,  /* it is where the last step leads */
	TEXT_CONTEXT, /* it is part of the context */
	TEXT_OFFSET,  /* the number's low half says where it is in the context */
};

/*
 * How to get a number or a text. The first number is at an offset of the context, or an argument
 * of USDT. Each step adds to it and reads what is there, of pointers but for the last one. Then
 * the bytes are swapped, the lower bits shifted out, the upper ones replaced by the sign.
 */
struct probe_read {
	__u8 kind;
	__u8 text;
	__u8 size; /* in bytes, of what is read last; of a text what it can have without its NUL */
	__u8 swapped;
	__u8 shift;
	__u8 bits;
	__u8 is_signed;
	__u8 steps_cnt;
	__u16 at;  /* offset in the context, number of an argument */
	__s16 add; /* to the result; TEXT_OFFSET: to the offset */
	__u32 steps[PROBE_STEPS];
};

enum probe_op { OP_EQUAL, OP_NOT_EQUAL, OP_LESS, OP_LESS_EQUAL, OP_MORE, OP_MORE_EQUAL, OP_BITS };

struct probe_condition {
	struct probe_read read;
	__u64 op;
	__s64 number;
};

enum probe_role { ROLE_RECORD, ROLE_BEGIN, ROLE_END };

/* Of the two ends of a latency, each has the keys and filters that can be known there. */
struct probe_point {
	__u8 role;
	__u8 filters_cnt;
	__u8 matches_cnt;
	__u8 by_process; /* matches are of one process: they are, or can be, its addresses */
	__u32 spec;
	struct probe_read value;
	struct probe_read keys[PROBE_KEYS];
	struct probe_read matches[PROBE_MATCHES];
	struct probe_condition filters[PROBE_FILTERS];
};

/* Rows of a linear histogram: below min, of step each, max and above. */
struct linear {
	__s64 min;
	__s64 max;
	__s64 step;
};

#define LINEAR_ROWS_MAX 1002

enum probe_form { FORM_POWERS, FORM_LINEAR, FORM_COUNT, FORM_SUM };

/*
 * The sum of negative values is kept apart: what only grows can be shown by intervals. Zeros are
 * counted, for a sum of them is not the same as no value at all.
 */
enum { SUM_POSITIVE, SUM_NEGATIVE, SUM_ZEROS, SUM_ROWS };

struct probe_result {
	__u32 form;
	__u32 keyed;
	__u32 first; /* row of the counts, without keys */
	__u32 rows;
	struct linear linear;
};

/* A row of a result that has keys. What found no room is under texts of all ones. */
struct probe_key {
	__u32 spec;
	__u32 row; /* 0 of a histogram of powers of two */
	union {
		__s64 number;
		char text[PROBE_TEXT];
	} part[PROBE_KEYS];
};

/* The two ends of a latency have found each other by this. */
struct probe_match {
	__u32 spec;
	__u32 tgid;
	__s64 value[PROBE_MATCHES];
};

struct probe_begun {
	__u64 start_ns; /* 0: it does not fit the filters, and neither will its end */
	struct probe_key key;
};

/* What went wrong between the ends of a latency. */
struct probe_pairs {
	__u64 no_begin;    /* an end, for which no begin is known */
	__u64 overwritten; /* a begin, after which came another one instead of the end */
};

#endif
