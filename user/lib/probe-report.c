// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "probe-report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "escape.h"
#include "histogram.h"
#include "linear.h"
#include "log.h"
#include "render.h"

int probe_view__make_room(const struct probe_view *v, const struct probe_maps *maps)
{
	bool powers = v->result.form == FORM_POWERS;
	const struct bpf_map *map = powers ? maps->powers_by : maps->counts_by;
	struct probe_key key = {.spec = v->spec};
	struct hist zero = {0}; /* and a count of zero */

	if (!v->keys_cnt)
		return 0;
	memset(key.part, 0xff, sizeof(key.part));
	for (; key.row < (powers ? 1 : v->result.rows); key.row++) {
		if (bpf_map_update_elem(bpf_map__fd(map), &key, &zero, BPF_ANY))
			return fail(-errno, "failed to prepare the map '%s'", bpf_map__name(map));
	}
	return 0;
}

static size_t value_size(const struct probe_result *result)
{
	switch (result->form) {
	case FORM_POWERS:
		return sizeof(struct hist);
	case FORM_LINEAR:
		return result->rows * sizeof(uint64_t);
	default:
		return sizeof(struct count);
	}
}

static void add_value(const struct probe_result *result, void *to, size_t row, const void *from)
{
	const struct count *count = from;
	uint64_t *counts = to;

	if (result->form == FORM_POWERS)
		histogram_add(to, from);
	else if (result->form == FORM_LINEAR)
		counts[row] += count->n;
	else if (row != SUM_ZEROS)
		*counts += row == SUM_NEGATIVE ? -count->n : count->n;
}

/* Is row `i` of a map's table this spec's? Then which row of which key it is. */
static bool decode(const struct probe_view *v, const struct table *t, size_t i, size_t *row,
		   const void **parts)
{
	static const __u32 no_parts;
	const struct probe_key *key = table__key(t, i);
	__u32 index;

	*parts = &no_parts;
	*row = 0;
	/* A sum of 0 is one of an interval in which something was added. */
	if (v->result.form == FORM_SUM && !((const struct count *)table__value(t, i))->n)
		return false;
	if (v->keys_cnt) {
		*parts = key->part;
		*row = key->row;
		return key->spec == v->spec && key->row < v->result.rows;
	}
	memcpy(&index, key, sizeof(index));
	if (v->result.form == FORM_POWERS)
		return index == v->spec;
	*row = index - v->result.first;
	return index >= v->result.first && *row < v->result.rows;
}

/* What this spec has of a map's table, by key. */
static int collect(const struct probe_view *v, const struct table *from, struct table *to)
{
	*to = (struct table){
		.key_size = v->keys_cnt ? sizeof(((struct probe_key *)0)->part) : sizeof(__u32),
		.value_size = value_size(&v->result),
	};
	for (size_t i = 0; i < from->cnt; i++) {
		const void *parts;
		void *value;
		size_t row;

		if (!decode(v, from, i, &row, &parts))
			continue;
		value = table__get(to, parts);
		if (!value)
			return fail(-ENOMEM, "failed to print '%s'", v->name);
		add_value(&v->result, value, row, table__value(from, i));
	}
	return 0;
}

static int format_part(const struct probe_read *read, const void *part, char *buf, size_t size)
{
	const char *text = part;
	long long number;

	if (read->kind == READ_COMM || read->text != TEXT_NONE)
		return escape(buf, size, text, strnlen(text, PROBE_TEXT), ESCAPE_TERMINAL);
	memcpy(&number, part, sizeof(number));
	return snprintf(buf, size, read->is_signed ? "%lld" : "%llu", number);
}

static void format_key(const struct result *r, const void *key, char *buf, size_t size)
{
	const struct probe_view *v = r->key_info;
	size_t part_size = sizeof(((struct probe_key *)0)->part[0]), len = 0;

	if (key_is_other(key, PROBE_KEYS * part_size)) {
		snprintf(buf, size, "(other)");
		return;
	}
	for (size_t i = 0; i < v->keys_cnt && len < size; i++) {
		if (i)
			len += snprintf(buf + len, size - len, ", ");
		if (len < size)
			len += format_part(v->keys[i], (const char *)key + i * part_size, buf + len,
					   size - len);
	}
}

static const struct table *delta_of(const struct report *r, const struct bpf_map *map)
{
	for (size_t i = 0; i < r->results_cnt; i++) {
		if (r->results[i].map == map)
			return &r->deltas[i];
	}
	return NULL;
}

/* Of a sum, as many as it has keys: it does not say how many values it is of. */
static uint64_t count_events(const struct probe_view *v, const struct table *t)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < t->cnt; i++) {
		const void *value = table__value(t, i);

		if (v->result.form == FORM_POWERS)
			sum += histogram_count(value);
		else if (v->result.form == FORM_LINEAR)
			sum += linear__count(&v->result.linear, value);
		else
			sum += v->result.form == FORM_SUM ? 1 : ((const struct count *)value)->n;
	}
	return sum;
}

int probe_view__print(const struct probe_view *v, const struct probe_maps *maps, struct report *r,
		      uint64_t *events)
{
	static const enum result_kind kinds[] = {RESULT_HIST, RESULT_LINEAR, RESULT_COUNT,
						 RESULT_SUM};
	const struct bpf_map *map = v->keys_cnt ? maps->counts_by : maps->counts;
	struct result result = {
		.kind = kinds[v->result.form],
		.keyed = v->keys_cnt,
		.linear = &v->result.linear,
		.unit = v->unit,
		.format_key = format_key,
		.key_info = v,
	};
	const struct table *delta;
	struct table own;
	int err;

	if (v->result.form == FORM_POWERS)
		map = v->keys_cnt ? maps->powers_by : maps->powers;
	delta = delta_of(r, map);
	if (!delta)
		return 0;
	snprintf(result.name, sizeof(result.name), "%s", v->name);
	err = collect(v, delta, &own);
	*events += count_events(v, &own);
	if (!err && r->format == REPORT_TEXT)
		render_text(r->out, &result, &own);
	else if (!err)
		report__json(r, render_json(&result, &own));
	table__free(&own);
	return err;
}

/* Rows of `begun` whose end has not come; those that the filters left out do not count. */
static int count_begun(const struct probe_view *v, const struct bpf_map *map, uint64_t *cnt)
{
	struct table t;
	int err = table__read(&t, map, merge_u64);

	*cnt = 0;
	for (size_t i = 0; !err && i < t.cnt; i++) {
		const struct probe_match *match = table__key(&t, i);
		const struct probe_begun *begun = table__value(&t, i);

		*cnt += match->spec == v->spec && begun->start_ns;
	}
	table__free(&t);
	return err;
}

int probe_view__note_pairs(const struct probe_view *v, const struct probe_maps *maps)
{
	struct probe_pairs pairs;
	uint64_t running;
	int err;

	if (bpf_map_lookup_elem(bpf_map__fd(maps->pairs), &v->spec, &pairs))
		return fail(-errno, "failed to read the map '%s'", bpf_map__name(maps->pairs));
	err = count_begun(v, maps->begun, &running);
	if (err)
		return err;
	if (pairs.no_begin)
		note("@%s: %llu ends had no begin (they began before the run, or on: differs)",
		     v->name, (unsigned long long)pairs.no_begin);
	if (pairs.overwritten)
		note("@%s: %llu begins were followed by another begin, not by an end", v->name,
		     (unsigned long long)pairs.overwritten);
	if (running)
		note("@%s: %llu have begun and not ended", v->name, (unsigned long long)running);
	return 0;
}
