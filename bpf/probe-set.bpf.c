// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs for probes that the user chooses. A program learns by its cookie at which point it
 * runs, and from `points` what to do there. Raw tracepoints have no cookies before Linux 6.10: each
 * has a program of its own.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "filter.bpf.h"
#include "hist.bpf.h"
#include "kcompat.bpf.h"
#include "probe-point.h"
#include "probe-read.bpf.h"

#define EEXIST 17 /* include/uapi/asm-generic/errno-base.h */

const volatile struct probe_point points[PROBE_POINTS];
const volatile struct probe_result results[PROBE_SPECS];

/* What is not needed is removed by the verifier, and the maps are not made. */
const volatile bool with_powers;
const volatile bool with_counts;
const volatile bool with_keyed_powers;
const volatile bool with_keyed_counts;
const volatile bool with_latencies;
const volatile __u32 keys_max;
const volatile __u32 filters_max;
const volatile __u32 matches_max;

HIST_ARRAY(powers, __u32, PROBE_SPECS);
COUNT_ARRAY(counts, __u32, PROBE_COUNTS);

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROBE_KEYED);
	__type(key, struct probe_key);
	__type(value, struct hist);
} powers_by SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROBE_KEYED);
	__type(key, struct probe_key);
	__type(value, struct count);
} counts_by SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROBE_BEGUN);
	__type(key, struct probe_match);
	__type(value, struct probe_begun);
} begun SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PROBE_SPECS);
	__type(key, __u32);
	__type(value, struct probe_pairs);
} pairs SEC(".maps");

static __always_inline bool holds(const volatile struct probe_condition *c, __s64 v)
{
	switch (c->op) {
	case OP_EQUAL:
		return v == c->number;
	case OP_NOT_EQUAL:
		return v != c->number;
	case OP_LESS:
		return v < c->number;
	case OP_LESS_EQUAL:
		return v <= c->number;
	case OP_MORE:
		return v > c->number;
	case OP_MORE_EQUAL:
		return v >= c->number;
	default:
		return v & c->number;
	}
}

/* 1: all hold, 0: not all, negative: memory was not readable. */
static __always_inline int pass(void *ctx, const volatile struct probe_point *p, bool usdt)
{
	__u64 v;

	for (__u32 i = 0; i < PROBE_FILTERS && i < filters_max && i < p->filters_cnt; i++) {
		if (read(ctx, &p->filters[i].read, usdt, &v))
			return -1;
		if (!holds(&p->filters[i], v))
			return 0;
	}
	return 1;
}

static __always_inline int read_keys(void *ctx, const volatile struct probe_point *p, bool usdt,
				     struct probe_key *key)
{
	int err = 0;

	for (__u32 i = 0; i < PROBE_KEYS && i < keys_max; i++)
		err = err ?: read_key(ctx, &p->keys[i], usdt, &key->part[i]);
	return err;
}

/* What is there already, a new one, or what user space put there for when there is no room. */
static __always_inline void *row_of(void *map, struct probe_key *key, const void *zero)
{
	void *row = bpf_map_lookup_elem(map, key);

	if (row)
		return row;
	bpf_map_update_elem(map, key, zero, BPF_NOEXIST);
	row = bpf_map_lookup_elem(map, key);
	if (row)
		return row;
	__builtin_memset(key->part, 0xff, sizeof(key->part));
	return bpf_map_lookup_elem(map, key);
}

static __always_inline void add_power(struct probe_key *key, bool keyed, __s64 v)
{
	struct hist *h;

	if (with_powers && !keyed)
		hist_add_at(&powers, key->spec, v);
	if (!with_keyed_powers || !keyed)
		return;
	h = row_of(&powers_by, key, &hist_zero);
	if (h)
		hist_record(h, v, 1, true);
	else
		lost_inc(LOST_MAP_FULL);
}

static __always_inline void add_count(const volatile struct probe_result *result,
				      struct probe_key *key, __u64 n)
{
	static const struct count zero;
	struct count *c;

	if (with_counts && !result->keyed)
		count_add_at(&counts, result->first + key->row, n);
	if (!with_keyed_counts || !result->keyed)
		return;
	c = row_of(&counts_by, key, &zero);
	if (c)
		__sync_fetch_and_add(&c->n, n);
	else
		lost_inc(LOST_MAP_FULL);
}

static __always_inline __u32 linear_row(const volatile struct probe_result *result, __s64 v)
{
	if (v < result->linear.min)
		return 0;
	if (v >= result->linear.max)
		return result->rows - 1;
	return 1 + (__u64)(v - result->linear.min) / (__u64)result->linear.step;
}

static __noinline int add(struct probe_key *key, __s64 v)
{
	const volatile struct probe_result *result;

	if (!key || key->spec >= PROBE_SPECS)
		return 0;
	result = &results[key->spec];
	if (result->form == FORM_POWERS) {
		add_power(key, result->keyed, v);
		return 0;
	}
	if (result->form == FORM_LINEAR)
		key->row = linear_row(result, v);
	else if (result->form == FORM_SUM)
		key->row = v < 0 ? SUM_NEGATIVE : v ? SUM_POSITIVE : SUM_ZEROS;
	if (result->form != FORM_SUM || !v)
		v = 1;
	add_count(result, key, v < 0 ? -v : v);
	return 0;
}

static __always_inline int read_matches(void *ctx, const volatile struct probe_point *p, bool usdt,
					struct probe_match *match)
{
	match->spec = p->spec;
	match->tgid = p->by_process ? current_pid_tgid() >> 32 : 0;
	for (__u32 i = 0; i < PROBE_MATCHES && i < matches_max && i < p->matches_cnt; i++) {
		if (read(ctx, &p->matches[i], usdt, (__u64 *)&match->value[i]))
			return -1;
	}
	return 0;
}

/*
 * One that the filters leave out is kept too, so that its end is not taken for one without a
 * begin; but not in place of one that they let pass, which may have the same key: "the first
 * segment of a message" is a filter on begins of which only the end is one for all segments.
 */
static __noinline void keep_begun(const struct probe_match *match, const struct probe_begun *b)
{
	struct probe_pairs *n = bpf_map_lookup_elem(&pairs, &match->spec);
	long err = bpf_map_update_elem(&begun, match, b, BPF_NOEXIST);
	struct probe_begun *before;

	if (!n || !err || (err == -EEXIST && !b->start_ns))
		return;
	if (err != -EEXIST) {
		lost_inc(LOST_NO_SPAN);
		return;
	}
	before = bpf_map_lookup_elem(&begun, match);
	if (before && before->start_ns)
		__sync_fetch_and_add(&n->overwritten, 1);
	bpf_map_update_elem(&begun, match, b, BPF_EXIST);
}

static __always_inline int begin(void *ctx, const volatile struct probe_point *p, bool usdt)
{
	struct probe_begun b = {};
	struct probe_match match = {};
	int passed = pass(ctx, p, usdt);

	if (passed < 0 || read_matches(ctx, p, usdt, &match) ||
	    (passed && read_keys(ctx, p, usdt, &b.key)))
		return -1;
	if (passed)
		b.start_ns = bpf_ktime_get_ns();
	keep_begun(&match, &b);
	return 0;
}

/* Takes out what the end of a latency needs of its begin; 0 if there is none. */
static __noinline __u64 take_begun(const struct probe_match *match, struct probe_key *key)
{
	struct probe_begun *b = bpf_map_lookup_elem(&begun, match);
	struct probe_pairs *n;
	__u64 start_ns;

	if (!b) {
		n = bpf_map_lookup_elem(&pairs, &match->spec);
		if (n)
			__sync_fetch_and_add(&n->no_begin, 1);
		return 0;
	}
	start_ns = b->start_ns;
	*key = b->key;
	bpf_map_delete_elem(&begun, match);
	return start_ns;
}

static __always_inline int end(void *ctx, const volatile struct probe_point *p, bool usdt)
{
	__u64 now_ns = bpf_ktime_get_ns(), start_ns;
	struct probe_match match = {};
	struct probe_key key = {};
	int passed;

	if (read_matches(ctx, p, usdt, &match))
		return -1;
	start_ns = take_begun(&match, &key);
	if (!start_ns)
		return 0;
	passed = pass(ctx, p, usdt);
	if (passed < 0 || (passed && read_keys(ctx, p, usdt, &key)))
		return -1;
	key.spec = p->spec;
	if (passed)
		add(&key, now_ns - start_ns);
	return 0;
}

static __always_inline int record(void *ctx, const volatile struct probe_point *p, bool usdt)
{
	struct probe_key key = {.spec = p->spec};
	int passed = pass(ctx, p, usdt);
	__u64 v;

	if (passed < 0 ||
	    (passed && (read_keys(ctx, p, usdt, &key) || read(ctx, &p->value, usdt, &v))))
		return -1;
	if (passed)
		add(&key, v);
	return 0;
}

static __always_inline int run(void *ctx, __u64 index, bool usdt)
{
	const volatile struct probe_point *p;
	int err;

	if (index >= PROBE_POINTS || !filter_pass())
		return 0;
	p = &points[index];
	if (!with_latencies || p->role == ROLE_RECORD)
		err = record(ctx, p, usdt);
	else if (p->role == ROLE_BEGIN)
		err = begin(ctx, p, usdt);
	else
		err = end(ctx, p, usdt);
	if (err)
		lost_inc(LOST_FAULT);
	return 0;
}

static __noinline int run_usdt(struct pt_regs *ctx, __u64 index)
{
	return run(ctx, index, true);
}

static __noinline int run_plain(void *ctx, __u64 index)
{
	return run(ctx, index, false);
}

SEC("usdt")
int at_usdt(struct pt_regs *ctx)
{
	return run_usdt(ctx, bpf_usdt_cookie(ctx));
}

/* Returns of functions too. */
SEC("uprobe")
int at_uprobe(struct pt_regs *ctx)
{
	if (!kernel_has_helper(get_attach_cookie))
		return 0;
	return run_plain(ctx, bpf_get_attach_cookie(ctx));
}

/* A tracepoint takes each program once: the n-th point on one has the n-th of these. */
#define TRACEPOINT(n)                                              \
	SEC("tracepoint")                                          \
	int at_tracepoint_##n(void *ctx)                           \
	{                                                          \
		if (!kernel_has_helper(get_attach_cookie))         \
			return 0;                                  \
		return run_plain(ctx, bpf_get_attach_cookie(ctx)); \
	}

TRACEPOINT(0)
TRACEPOINT(1)
TRACEPOINT(2)
TRACEPOINT(3)
TRACEPOINT(4)
TRACEPOINT(5)
TRACEPOINT(6)
TRACEPOINT(7)

const volatile __u32 raw_points[PROBE_COPIES];

#define RAW(n)                                        \
	SEC("raw_tp")                                 \
	int at_raw_##n(void *ctx)                     \
	{                                             \
		return run_plain(ctx, raw_points[n]); \
	}

RAW(0)
RAW(1)
RAW(2)
RAW(3)
RAW(4)
RAW(5)
RAW(6)
RAW(7)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
