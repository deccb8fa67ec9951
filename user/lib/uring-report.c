// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "uring-report.h"

#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "kernel.h"
#include "uring.h"

/* A program is for an event with so many arguments: releases differ in nothing else that tells. */
static const struct {
	const char *prog, *event;
	int args_min, args_max;
	bool tells_results;
} fits[] = {
	{"uring_end_cqe", "complete", 3, 3, true},
	{"uring_end_req", "complete", 5, 7, true},
	{"uring_begin_req", "submit_req", 1, 1, false},
	{"uring_begin_sqe", "submit_sqe", 2, 2, false},
	{"uring_begin_ring", "submit_sqe", 7, 7, false},
	{"uring_begin_opcode", "submit_sqe", 5, 5, false},
	{"uring_wake", "task_add", 2, 2, false},
	{"uring_overflow", "cqe_overflow", 5, 5, false},
};

/* How many arguments a tracepoint has; one of the function's is the tracer's own. */
static int args_of(const struct btf *btf, const struct btf_type *t)
{
	while (t && (btf_is_typedef(t) || btf_is_ptr(t)))
		t = btf__type_by_id(btf, t->type);
	return t && btf_is_func_proto(t) ? btf_vlen(t) - 1 : 0;
}

/* Returns whether results are told. */
static bool choose_programs(struct bpf_object *obj, const char *event, int args)
{
	bool tells = false;

	for (size_t i = 0; i < sizeof(fits) / sizeof(fits[0]); i++) {
		if (strcmp(event, fits[i].event) || args < fits[i].args_min ||
		    args > fits[i].args_max)
			continue;
		bpf_program__set_autoload(bpf_object__find_program_by_name(obj, fits[i].prog),
					  true);
		tells |= fits[i].tells_results;
	}
	return tells;
}

/* One way through all types: a search for each event would take a millisecond each. */
void uring_report_setup(struct bpf_object *obj)
{
	static const char prefix[] = "btf_trace_io_uring_";
	const struct btf *btf = kernel_btf();
	bool tells_results = false;

	for (__u32 id = 1; btf && id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const char *name = btf_is_typedef(t) ? btf__name_by_offset(btf, t->name_off) : "";

		if (!strncmp(name, prefix, sizeof(prefix) - 1))
			tells_results |= choose_programs(obj, name + sizeof(prefix) - 1,
							 args_of(btf, t));
	}
	object__set_bool(obj, "uring_by_submission", !tells_results);
}

struct unseen {
	uint64_t counts[URING_COUNTS];
	double share; /* of all messages, in percent */
};

static void print_json(struct report *r, const struct unseen *u)
{
	const uint64_t *n = u->counts;

	report__json(r, json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:f}", "type", "unseen",
				  "by", "io_uring", "sends", (json_int_t)n[URING_SENDS],
				  "send_bytes", (json_int_t)n[URING_SEND_BYTES], "receives",
				  (json_int_t)n[URING_RECEIVES], "receive_bytes",
				  (json_int_t)n[URING_RECEIVE_BYTES], "untold",
				  (json_int_t)n[URING_UNTOLD], "unsure",
				  (json_int_t)n[URING_UNSURE], "share", u->share / 100));
}

static void print_part(FILE *out, uint64_t operations, const char *what, uint64_t bytes)
{
	fprintf(out, "%llu %s", (unsigned long long)operations, what);
	if (bytes)
		fprintf(out, " (%.3f MB)", bytes / 1e6);
}

static void print_text(FILE *out, const struct unseen *u)
{
	const uint64_t *n = u->counts;

	if (n[URING_SENDS] + n[URING_RECEIVES]) {
		fputs("io_uring: ", out);
		print_part(out, n[URING_SENDS], "sends", n[URING_SEND_BYTES]);
		fputs(" and ", out);
		print_part(out, n[URING_RECEIVES], "receives", n[URING_RECEIVE_BYTES]);
		fprintf(out, " are not in the histograms (%.1f %% of all messages)\n", u->share);
	}
	if (n[URING_UNTOLD])
		fprintf(out, "io_uring: of %llu of these neither size nor result is known\n",
			(unsigned long long)n[URING_UNTOLD]);
	if (n[URING_UNSURE])
		fprintf(out, "io_uring: %llu more operations may have been on UDP sockets\n",
			(unsigned long long)n[URING_UNSURE]);
}

static uint64_t total_of(const struct bpf_map *map, __u32 key)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t values[cpus], sum = 0;

	if (bpf_map_lookup_elem(bpf_map__fd(map), &key, values))
		return 0;
	for (int i = 0; i < cpus; i++)
		sum += values[i];
	return sum;
}

uint64_t uring_report(struct report *r, uint64_t messages)
{
	static uint64_t before[URING_COUNTS];
	const struct bpf_map *map = bpf_object__find_map_by_name(r->obj, "uring_counts");
	struct unseen u = {0};
	uint64_t sure, any = 0;

	for (__u32 i = 0; i < URING_COUNTS; i++) {
		uint64_t total = total_of(map, i);

		u.counts[i] = total - before[i];
		before[i] = total;
		any |= u.counts[i];
	}
	sure = u.counts[URING_SENDS] + u.counts[URING_RECEIVES];
	u.share = sure ? 100.0 * sure / (sure + messages) : 0;
	if (any && r->format == REPORT_JSON)
		print_json(r, &u);
	else if (any)
		print_text(r->out, &u);
	return sure;
}
