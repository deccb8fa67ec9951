// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "syscount-rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>

#include "escape.h"
#include "log.h"
#include "pidns.h"
#include "process.h"
#include "span.h"

/* What a snapshot holds of each key; sums only, so that differences can be taken. */
struct sums {
	uint64_t calls;
	uint64_t errors;
	uint64_t total_ns;
};

static __u64 interval; /* the one that a report is about */

static void merge_name(struct task_stat *to, const struct task_stat *from)
{
	if (from->named_ns <= to->named_ns)
		return;
	to->named_ns = from->named_ns;
	to->shown_id = from->shown_id;
	memcpy(to->comm, from->comm, sizeof(to->comm));
}

static void merge_stat(void *to, const void *from, size_t size)
{
	struct syscall_stat *sum = to;
	const struct syscall_stat *stat = from;
	const struct syscall_max *max = &stat->max[interval & 1];

	sum->calls += stat->calls;
	sum->errors += stat->errors;
	sum->total_ns += stat->total_ns;
	if (max->interval == interval && max->ns > sum->max[0].ns)
		sum->max[0].ns = max->ns;
	if (size == sizeof(struct task_stat))
		merge_name(to, from);
}

void row__add(struct row *to, const struct row *what)
{
	to->calls += what->calls;
	to->errors += what->errors;
	to->total_ns += what->total_ns;
	if (what->max_ns > to->max_ns)
		to->max_ns = what->max_ns;
}

double row__average_ns(const struct row *row)
{
	return row->calls ? (double)row->total_ns / row->calls : 0;
}

void rows__free(struct rows *rows)
{
	free(rows->row);
	*rows = (struct rows){0};
}

/* Running calls, summed by key. */
struct running {
	const struct rows_query *query;
	struct table *sums;
	struct table *stats;
	const struct report *report;
	int elf_class;
	pid_t elf_pid;
	size_t hidden; /* threads that we may not look at */
	int err;
};

/* What BPF saw stays; the process may be gone by now. */
static void name_running(void *stat, pid_t id)
{
	struct task_stat *task = stat;

	if (task->comm[0])
		return;
	process_comm(id, task->comm);
	task->shown_id = id;
}

/* All ids are those that BPF programs see. */
static void count_running(struct running *run, syscall_id id, pid_t pid, pid_t tid, uint64_t age_ns)
{
	const struct rows_query *q = run->query;
	__u32 key = q->by == BY_SYSCALL ? id : q->by == BY_PROCESS ? (__u32)pid : (__u32)tid;
	struct syscall_stat *stat;
	struct sums *sums;

	if (id >= SYSCALL_IDS || (q->wanted && !q->wanted->in[id]))
		return;
	sums = table__get(run->sums, &key);
	stat = table__get(run->stats, &key);
	if (!sums || !stat) {
		run->err = -ENOMEM;
		return;
	}
	sums->calls++;
	sums->total_ns += age_ns;
	if (age_ns > stat->max[0].ns)
		stat->max[0].ns = age_ns;
	if (q->by != BY_SYSCALL)
		name_running(stat, pidns_local(key));
}

static int visit_blocked(pid_t pid, pid_t tid, void *arg)
{
	struct running *run = arg;
	long nr = process_blocked_syscall(pid, tid);

	run->hidden += nr == -EACCES || nr == -EPERM;
	if (nr < 0)
		return 0;
	if (run->elf_pid != pid)
		run->elf_class = process_elf_class(pid);
	run->elf_pid = pid;
	count_running(run, run->elf_class == 32 ? nr + SYSCALL_COMPAT : nr, pidns_global(pid),
		      pidns_global(tid), 0);
	return 0;
}

static int add_running(struct running *run)
{
	struct in_flight *calls;
	size_t cnt;
	int err;

	if (!run->query->timed)
		return target__each_thread(run->report->target, visit_blocked, run) ?: run->err;
	err = report__in_flight(run->report, &calls, &cnt);
	for (size_t i = 0; !err && i < cnt; i++)
		count_running(run, calls[i].id, calls[i].arg[0], calls[i].tid, calls[i].age_ns);
	free(calls);
	return err ?: run->err;
}

static int sum_stats(struct table *sums, const struct table *stats)
{
	*sums = (struct table){.key_size = sizeof(__u32), .value_size = sizeof(struct sums)};
	for (size_t i = 0; i < stats->cnt; i++) {
		const struct syscall_stat *stat = table__value(stats, i);
		struct sums *s = table__get(sums, table__key(stats, i));

		if (!s)
			return fail(-ENOMEM, "failed to sum up");
		*s = (struct sums){stat->calls, stat->errors, stat->total_ns};
	}
	return 0;
}

static void name_row(struct row *row, const struct rows_query *q, const struct table *stats,
		     __u32 key)
{
	const struct task_stat *task;

	if (q->by == BY_SYSCALL) {
		snprintf(row->name, sizeof(row->name), "%s", syscall_name(key));
		return;
	}
	row->pid = key;
	task = table__find(stats, &key);
	if (key == (__u32)-1) {
		row->pid = 0;
		snprintf(row->name, sizeof(row->name), "(other)");
	} else if (task) {
		row->pid = task->shown_id ?: key;
		escape(row->name, sizeof(row->name), task->comm,
		       strnlen(task->comm, sizeof(task->comm)), ESCAPE_TERMINAL);
	}
}

/* Native and 32-bit callers of one syscall share a row. */
static struct row *find_row(struct rows *rows, const struct row *like)
{
	for (size_t i = 0; i < rows->cnt; i++) {
		if (rows->row[i].pid == like->pid && !strcmp(rows->row[i].name, like->name))
			return &rows->row[i];
	}
	return NULL;
}

static int fill_rows(struct rows *rows, const struct rows_query *q, const struct table *sums,
		     const struct table *stats)
{
	rows->row = calloc(sums->cnt + 1, sizeof(*rows->row));
	if (!rows->row)
		return fail(-ENOMEM, "failed to make the report");
	for (size_t i = 0; i < sums->cnt; i++) {
		const struct sums *s = table__value(sums, i);
		__u32 key = *(__u32 *)table__key(sums, i);
		const struct syscall_stat *stat = table__find(stats, &key);
		struct row row =
				   {
					   .calls = s->calls,
					   .errors = s->errors,
					   .total_ns = s->total_ns,
					   .max_ns = stat ? stat->max[0].ns : 0,
				   },
			   *same = NULL;

		if (!s->calls && !s->total_ns)
			continue;
		name_row(&row, q, stats, key);
		if (q->by == BY_SYSCALL)
			same = find_row(rows, &row);
		if (same)
			row__add(same, &row);
		else
			rows->row[rows->cnt++] = row;
	}
	return 0;
}

static int compare_calls(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->calls != y->calls)
		return x->calls > y->calls ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int compare_time(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->total_ns != y->total_ns)
		return x->total_ns > y->total_ns ? -1 : 1;
	return compare_calls(a, b);
}

int rows__read(struct rows *rows, const struct rows_query *query, struct report *r)
{
	static struct table seen;
	struct table stats = {0}, sums = {0};
	struct running run = {.query = query, .sums = &sums, .stats = &stats, .report = r};
	int err;

	*rows = (struct rows){0};
	interval = __atomic_fetch_add(query->interval_nr, 1, __ATOMIC_SEQ_CST);
	err = table__read(&stats, query->map, merge_stat);
	err = err ?: sum_stats(&sums, &stats);
	if (!err && query->with_running)
		err = add_running(&run);
	r->events = 0;
	for (size_t i = 0; i < sums.cnt; i++)
		r->events += ((struct sums *)table__value(&sums, i))->calls;
	err = err ?: table__take_delta(&sums, &seen);
	err = err ?: fill_rows(rows, query, &sums, &stats);
	if (!err)
		qsort(rows->row, rows->cnt, sizeof(*rows->row),
		      query->by_time ? compare_time : compare_calls);
	if (r->final && run.hidden)
		note("calls that still run in %zu threads of others are not counted (try "
		     "CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH)",
		     run.hidden);
	if (r->final)
		table__free(&seen);
	table__free(&stats);
	table__free(&sums);
	return err;
}

int rows_make_room(const struct bpf_map *by_task)
{
	__u32 other = -1;
	void *zeros = calloc(libbpf_num_possible_cpus(), sizeof(struct task_stat));
	int err = 0;

	if (!zeros || bpf_map_update_elem(bpf_map__fd(by_task), &other, zeros, BPF_ANY))
		err = fail(zeros ? -errno : -ENOMEM, "failed to prepare the map of processes");
	free(zeros);
	return err;
}

struct seed {
	struct span *spans;
	uint64_t now_ns;
	pid_t elf_pid;
	int elf_class;
};

static int seed_thread(pid_t pid, pid_t tid, void *arg)
{
	struct seed *seed = arg;
	__u32 global_tid = pidns_global(tid);
	struct span *span = &seed->spans[SPAN_SLOT(global_tid)];
	__u64 now_ns = seed->now_ns, idle = 0;
	long nr;

	if (seed->elf_pid != pid)
		seed->elf_class = process_elf_class(pid);
	seed->elf_pid = pid;
	nr = process_blocked_syscall(pid, tid);
	if (nr < 0 || !global_tid || span->start_ns)
		return 0;
	span->tid = global_tid;
	span->id = seed->elf_class == 32 ? nr + SYSCALL_COMPAT : nr;
	span->arg[0] = pidns_global(pid);
	/* Only if the thread has not begun another call meanwhile, which BPF has stored. */
	if (!__atomic_compare_exchange_n(&span->start_ns, &idle, now_ns, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_RELAXED))
		return 0;
	/* Its end may have come before the slot was filled: then nobody else empties it. */
	if (process_blocked_syscall(pid, tid) != nr)
		__atomic_compare_exchange_n(&span->start_ns, &now_ns, 0, false, __ATOMIC_SEQ_CST,
					    __ATOMIC_RELAXED);
	return 0;
}

int rows_seed_running(const struct bpf_map *spans, const struct target *target, uint64_t now_ns)
{
	size_t size = SPAN_SLOTS * sizeof(struct span);
	struct seed seed = {.now_ns = now_ns};
	int err;

	seed.spans = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(spans), 0);
	if (seed.spans == MAP_FAILED)
		return fail(-errno, "failed to store the calls that run already");
	err = target__each_thread(target, seed_thread, &seed);
	munmap(seed.spans, size);
	return err;
}
