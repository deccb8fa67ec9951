// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include <bpf/bpf.h>

#include "histogram.h"
#include "log.h"
#include "lost.h"
#include "pidns.h"
#include "render.h"
#include "ring.h"
#include "span.h"
#include "target.h"

/* The key where BPF programs put what finds no room must be there before the map is full. */
static int make_room_for_other(const struct bpf_map *map)
{
	size_t size = bpf_map__key_size(map) + bpf_map__value_size(map);
	char *row = calloc(1, size);
	int err = 0;

	if (!row)
		return fail(-ENOMEM, "failed to prepare the report");
	memset(row, 0xff, bpf_map__key_size(map));
	if (bpf_map_update_elem(bpf_map__fd(map), row, row + bpf_map__key_size(map), BPF_ANY))
		err = fail(-errno, "failed to prepare the map '%s'", bpf_map__name(map));
	free(row);
	return err;
}

int report__open(struct report *r, struct bpf_object *obj)
{
	int err = object__results(obj, &r->results, &r->results_cnt);
	int cpus = libbpf_num_possible_cpus(); /* which remembers it */

	if (!err && cpus < 0)
		err = fail(cpus, "failed to count the CPUs");

	for (size_t i = 0; !err && i < r->results_cnt; i++) {
		if (bpf_map__type(r->results[i].map) == BPF_MAP_TYPE_HASH)
			err = make_room_for_other(r->results[i].map);
	}

	r->obj = obj;
	if (err)
		return err;
	r->deltas = calloc(r->results_cnt + 1, sizeof(*r->deltas));
	r->seen = calloc(r->results_cnt + 1, sizeof(*r->seen));
	if (!r->deltas || !r->seen)
		return fail(-ENOMEM, "failed to prepare the report");
	return 0;
}

void report__close(struct report *r)
{
	for (size_t i = 0; r->deltas && r->seen && i < r->results_cnt; i++) {
		table__free(&r->deltas[i]);
		table__free(&r->seen[i]);
	}
	free(r->deltas);
	free(r->seen);
	free(r->results);
	r->results_cnt = 0;
}

static uint64_t result_total(const struct result *r, const struct table *t)
{
	uint64_t sum = 0;

	for (size_t row = 0; row < t->cnt; row++) {
		const void *value = table__value(t, row);

		sum += r->kind == RESULT_HIST ? histogram_count(value)
					      : ((const struct count *)value)->n;
	}
	return sum;
}

int report__take(struct report *r)
{
	uint64_t largest;
	int err = 0;

	for (size_t i = 0; !err && i < r->results_cnt; i++) {
		table__free(&r->deltas[i]);
		err = table__read(&r->deltas[i], r->results[i].map, merge_u64);
		err = err ?: table__take_delta(&r->deltas[i], &r->seen[i]);
		largest = result_total(&r->results[i], &r->seen[i]);
		if (largest > r->events)
			r->events = largest;
	}
	return err;
}

static void print_result(struct report *r, size_t i)
{
	if (r->format == REPORT_TEXT)
		render_text(r->out, &r->results[i], &r->deltas[i]);
	else
		report__json(r, render_json(&r->results[i], &r->deltas[i]));
}

void report__print(struct report *r, const char *name)
{
	for (size_t i = 0; i < r->results_cnt; i++) {
		if (!strcmp(r->results[i].name, name))
			print_result(r, i);
	}
}

void report__print_all(struct report *r)
{
	static const enum result_kind order[] = {RESULT_HIST, RESULT_COUNT};

	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
		for (size_t i = 0; i < r->results_cnt; i++) {
			if (r->results[i].kind == order[k])
				print_result(r, i);
		}
	}
}

struct hist report__total(const struct report *r, const char *name)
{
	struct hist total = {0};

	for (size_t i = 0; i < r->results_cnt; i++) {
		if (r->results[i].kind != RESULT_HIST || strcmp(r->results[i].name, name))
			continue;
		for (size_t row = 0; row < r->deltas[i].cnt; row++)
			histogram_add(&total, table__value(&r->deltas[i], row));
	}
	return total;
}

const struct table *report__counts(const struct report *r, const char *name)
{
	for (size_t i = 0; i < r->results_cnt; i++) {
		if (r->results[i].kind == RESULT_COUNT && !strcmp(r->results[i].name, name))
			return &r->deltas[i];
	}
	return NULL;
}

uint64_t report__count(const struct report *r, const char *name, uint32_t key)
{
	const struct table *t = report__counts(r, name);
	const struct count *count = t ? table__find(t, &key) : NULL;

	return count ? count->n : 0;
}

void report__json(struct report *r, json_t *object)
{
	if (!object)
		return;
	json_dumpf(object, r->out, JSON_COMPACT);
	fputc('\n', r->out);
	json_decref(object);
}

static bool thread_exists(uint32_t global_tid)
{
	pid_t tid = pidns_local(global_tid);
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d", tid);
	return tid && !stat(path, &st);
}

static void add_running(const struct span *span, uint64_t now_ns, struct in_flight *calls,
			size_t *cnt)
{
	uint64_t start_ns = __atomic_load_n(&span->start_ns, __ATOMIC_ACQUIRE);
	struct span copy = *span;

	/* What was copied is of one call only if that call still runs. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (!start_ns || __atomic_load_n(&span->start_ns, __ATOMIC_RELAXED) != start_ns ||
	    !thread_exists(copy.tid))
		return;
	calls[(*cnt)++] = (struct in_flight){
		.tid = copy.tid,
		.id = copy.id,
		.arg = {copy.arg[0], copy.arg[1]},
		.age_ns = now_ns > start_ns ? now_ns - start_ns : 0,
	};
}

static bool is_listed(const struct in_flight *calls, size_t cnt, uint32_t tid)
{
	for (size_t i = 0; i < cnt; i++) {
		if (calls[i].tid == tid)
			return true;
	}
	return false;
}

/* A hash that changes while it is walked may begin again: each thread is listed once. */
static size_t add_met_spans(const struct report *r, uint64_t now_ns, struct in_flight *calls,
			    size_t cnt)
{
	struct bpf_map *map = bpf_object__find_map_by_name(r->obj, "spans_met");
	size_t walked = 0, first = cnt;
	__u32 key, *prev = NULL;
	struct span span;

	while (walked++ < SPANS_MET && !bpf_map_get_next_key(bpf_map__fd(map), prev, &key)) {
		if (!is_listed(calls + first, cnt - first, key) &&
		    !bpf_map_lookup_elem(bpf_map__fd(map), &key, &span))
			add_running(&span, now_ns, calls, &cnt);
		prev = &key;
	}
	return cnt;
}

int report__in_flight(const struct report *r, struct in_flight **calls, size_t *cnt)
{
	struct bpf_map *map = bpf_object__find_map_by_name(r->obj, "spans");
	size_t size = SPAN_SLOTS * sizeof(struct span);
	uint64_t now_ns = r->start_ns + r->total_ns;
	struct span *spans;

	*cnt = 0;
	pidns_refresh();
	*calls = calloc(SPAN_SLOTS + SPANS_MET, sizeof(**calls));
	if (!*calls)
		return fail(-ENOMEM, "failed to list the running calls");
	spans = mmap(NULL, size, PROT_READ, MAP_SHARED, bpf_map__fd(map), 0);
	if (spans == MAP_FAILED)
		return fail(-errno, "failed to read the running calls");
	for (size_t i = 0; i < SPAN_SLOTS; i++)
		add_running(&spans[i], now_ns, *calls, cnt);
	munmap(spans, size);
	*cnt = add_met_spans(r, now_ns, *calls, *cnt);
	return 0;
}

void report__say_idle(const struct report *r)
{
	struct bpf_program *prog;
	unsigned int probes = 0;

	bpf_object__for_each_program(prog, r->obj) {
		if (bpf_program__fd(prog) >= 0 &&
		    strncmp(bpf_program__name(prog), "filter_", strlen("filter_")))
			probes++;
	}
	note("0 events; %u of %u probes attached, %s was idle", probes, probes,
	     target__by_pid(r->target) ? "the target" : "each process of that kind");
}

static const char *const lost_texts[LOST_REASONS][2] = {
	[LOST_RING_FULL] = {"ring buffer full", NULL /* lost_hint() */},
	[LOST_MAP_FULL] = {"map full", "a filter: -p, --comm, --cgroup"},
	[LOST_NO_SPAN] = {"too many calls at once", "a filter: -p, --comm, --cgroup"},
	[LOST_FAULT] = {"memory of the process not readable", NULL},
	[LOST_LONG] = {"control messages longer than what is read", NULL},
	[LOST_COMPAT] = {"32-bit process not seen by this backend", "--compat"},
	[LOST_CUT] = {"ring buffer full, after a part of the call", NULL},
};

static uint64_t lost_for(const struct report *r, __u32 reason)
{
	struct bpf_map *map = bpf_object__find_map_by_name(r->obj, "lost_events");
	int cpus = libbpf_num_possible_cpus();
	uint64_t values[cpus], sum = 0;

	if (!map || bpf_map_lookup_elem(bpf_map__fd(map), &reason, values))
		return 0;
	for (int i = 0; i < cpus; i++)
		sum += values[i];
	return sum;
}

/* Events during which a program was already running on the CPU: the kernel drops those. */
static uint64_t recursion_misses(const struct report *r)
{
	struct bpf_program *prog;
	uint64_t sum = 0;

	bpf_object__for_each_program(prog, r->obj) {
		struct bpf_prog_info info = {0};
		__u32 len = sizeof(info);

		if (bpf_program__fd(prog) < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len))
			sum += info.recursion_misses;
	}
	return sum;
}

static uint64_t say_lost(const struct report *r, uint64_t lost, const char *reason,
			 const char *hint)
{
	if (lost)
		note("lost %llu of %llu events (%s%s%s)", (unsigned long long)lost,
		     (unsigned long long)(r->events + lost), reason, hint ? "; try " : "",
		     hint ? hint : "");
	return lost;
}

/* Of a buffer that was too small, the next size worth a try. */
static const char *lost_hint(const struct report *r, __u32 reason, char *buf, size_t size)
{
	struct bpf_map *ring = bpf_object__find_map_by_name(r->obj, "ring");
	unsigned int megabytes = ring ? bpf_map__max_entries(ring) >> 17 : 0;

	if (reason != LOST_RING_FULL && reason != LOST_CUT)
		return lost_texts[reason][1];
	if (megabytes > RING_BYTES_MAX >> 20)
		return "a filter: -p, --comm, --cgroup";
	snprintf(buf, size, "--buffer %uM or a filter: -p, --comm, --cgroup",
		 megabytes < 64 ? 64 : megabytes);
	return buf;
}

uint64_t report__lost(const struct report *r)
{
	char hint[64];
	uint64_t sum = say_lost(r, recursion_misses(r), "probe interrupted by itself", NULL);

	for (__u32 i = 0; i < LOST_REASONS; i++)
		sum += say_lost(r, lost_for(r, i), lost_texts[i][0],
				lost_hint(r, i, hint, sizeof(hint)));
	return sum;
}
