/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * syscount's rows. A call counts from its begin: one that still runs at a report is counted
 * there and its time so far is charged; the next report charges the rest.
 */
#ifndef WIRESCOPE_SYSCOUNT_ROWS_H
#define WIRESCOPE_SYSCOUNT_ROWS_H

#include "report.h"
#include "syscalls.h"
#include "syscount.h"
#include "target.h"

struct row {
	char name[64]; /* of the syscall or the process, escaped */
	uint32_t pid;
	unsigned long long calls;
	unsigned long long errors;
	unsigned long long total_ns;
	unsigned long long max_ns;
};

struct rows {
	struct row *row;
	size_t cnt;
};

struct rows_query {
	struct bpf_map *map;
	enum syscount_by by;
	__u64 *interval_nr; /* the BPF program's; a report begins the next interval */
	bool timed;         /* spans know what runs; else /proc does */
	bool by_time;       /* order by time, not by calls */
	bool with_running;
	const struct syscall_set *wanted; /* NULL: all */
};

/* Rows of the time since the last report, most first. */
int rows__read(struct rows *rows, const struct rows_query *query, struct report *r);
void rows__free(struct rows *rows);

void row__add(struct row *to, const struct row *what);

/* 0 where the only calls are those that an earlier report has counted already. */
double row__average_ns(const struct row *row);

/* Reserve the key of processes that find no room in a map. */
int rows_make_room(const struct bpf_map *by_task);

/* Calls that began before the programs were attached are charged from now_ns on. */
int rows_seed_running(const struct bpf_map *spans, const struct target *target, uint64_t now_ns);

#endif
