// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "uring-report.h"

#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "kernel.h"
#include "log.h"
#include "object.h"
#include "uring.h"

#define EVENT_PREFIX "btf_trace_io_uring_"
#define EVENTS_MAX   32

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

static const char *const structs[] = {"io_kiocb", "io_async_msghdr"};

/* path: as C has it, without the members that have no name. */
static const struct {
	enum uring_type type;
	const char *path;
} fields[URING_OFFSETS] = {
	[URING_REQ_FILE] = {URING_REQ, "file"},
	[URING_REQ_OPCODE] = {URING_REQ, "opcode"},
	[URING_REQ_CTX] = {URING_REQ, "ctx"},
	[URING_REQ_FLAGS] = {URING_REQ, "flags"},
	[URING_REQ_ASYNC_DATA] = {URING_REQ, "async_data"},
	[URING_REQ_USER_DATA] = {URING_REQ, "cqe.user_data"},
	[URING_REQ_FD] = {URING_REQ, "cqe.fd"},
	[URING_MSG_NAMELEN] = {URING_MSG, "namelen"},
	[URING_MSG_CONTROLLEN] = {URING_MSG, "controllen"},
};

/* What comes after a member's name in a path; NULL if the path does not begin with it. */
static const char *after_name(const char *path, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(path, name, len) || (path[len] && path[len] != '.' && len))
		return NULL;
	return path[len] == '.' ? path + len + 1 : path + len;
}

static uint32_t offset_of(const struct btf *btf, uint32_t id, const char *path)
{
	const struct btf_type *t = btf__type_by_id(btf, btf__resolve_type(btf, id));
	uint32_t within = URING_ABSENT;

	if (!*path)
		return 0;
	for (int i = 0; t && btf_is_composite(t) && i < btf_vlen(t); i++) {
		const struct btf_member *m = &btf_members(t)[i];
		const char *rest = after_name(path, btf__name_by_offset(btf, m->name_off));

		if (rest && !btf_member_bitfield_size(t, i))
			within = offset_of(btf, m->type, rest);
		if (within != URING_ABSENT)
			return within + btf_member_bit_offset(t, i) / 8;
	}
	return URING_ABSENT;
}

struct found {
	uint32_t types[URING_TYPES];
	uint32_t offsets[URING_OFFSETS];
	uint32_t events[EVENTS_MAX]; /* BTF ids */
	size_t events_cnt;
};

static void take_type(struct found *f, const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);
	const char *name = btf__name_by_offset(btf, t->name_off);

	if (btf_is_typedef(t)) {
		if (!strncmp(name, EVENT_PREFIX, strlen(EVENT_PREFIX)) &&
		    f->events_cnt < EVENTS_MAX)
			f->events[f->events_cnt++] = id;
		return;
	}
	for (int i = 0; i < URING_TYPES; i++) {
		if (!strcmp(name, structs[i]))
			f->types[i] = id;
	}
}

/* One way through all types: a search for each would take up to a millisecond. */
static void find(struct found *f, const struct btf *btf)
{
	uint32_t cnt = btf ? btf__type_cnt(btf) : 0;

	for (uint32_t id = 1; id < cnt; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (btf_is_typedef(t) || (btf_is_struct(t) && btf_vlen(t)))
			take_type(f, btf, id);
	}
	for (int i = 0; i < URING_OFFSETS; i++) {
		uint32_t id = f->types[fields[i].type];

		f->offsets[i] = id ? offset_of(btf, id, fields[i].path) : URING_ABSENT;
	}
}

/* Why io_uring's requests cannot be read; NULL if they can. */
static const char *unreadable(const struct found *f)
{
	static const enum uring_offset needed[] = {URING_REQ_FILE, URING_REQ_OPCODE, URING_REQ_CTX};

	if (!f->events_cnt)
		return "the kernel's BTF has none of its tracepoints";
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (f->offsets[needed[i]] == URING_ABSENT)
			return "the kernel's BTF does not say what its requests are";
	}
	if (!kernel_has(KERNEL_RDONLY_CAST) && !kernel_has(KERNEL_MEMORY_READS))
		return "the kernel is locked down (confidentiality)";
	return NULL;
}

int uring_report_setup(struct bpf_object *obj)
{
	const struct btf *btf = kernel_btf();
	struct found f = {0};
	bool tells_results = false;
	const char *why_not;
	int err;

	find(&f, btf);
	why_not = unreadable(&f);
	if (why_not) {
		verbose("what goes by io_uring is not counted: %s", why_not);
		return 0;
	}
	for (size_t i = 0; i < f.events_cnt; i++) {
		const struct btf_type *t = btf__type_by_id(btf, f.events[i]);
		const char *event = btf__name_by_offset(btf, t->name_off) + strlen(EVENT_PREFIX);

		tells_results |= choose_programs(obj, event, args_of(btf, t));
	}
	err = object__set(obj, "uring_types", f.types, sizeof(f.types));
	err = err ?: object__set(obj, "uring_offsets", f.offsets, sizeof(f.offsets));
	return err ?: object__set_bool(obj, "uring_by_submission", !tells_results);
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
