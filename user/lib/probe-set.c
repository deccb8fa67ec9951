// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "probe-set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "linear.h"
#include "log.h"
#include "probe-places.h"
#include "probe-points.h"
#include "probe-report.h"
#include "probe-set.skel.h"
#include "uprobe.h"

static struct probe_set {
	struct probe_spec specs[PROBE_SPECS];
	char names[PROBE_SPECS][PROBE_NAME];
	struct probe_view views[PROBE_SPECS];
	const struct probe_view *order[PROBE_SPECS]; /* as printed */
	size_t specs_cnt;
	struct probe_site sites[PROBE_POINTS];
	size_t sites_cnt;
	struct linear linear;
	const char *binary;
	uint64_t events;
} set;

TOOL_SKELETON(probe_set)

static bool is_taken(const char *name)
{
	for (size_t i = 0; i < set.specs_cnt; i++) {
		if (!strcmp(set.names[i], name))
			return true;
	}
	return false;
}

/* The name of the last probe, and "_2" if another spec has it already. */
static void make_name(char name[PROBE_NAME], const struct probe_spec *spec)
{
	const char *base = spec->place[spec->places_cnt - 1].name;
	unsigned int nr = 1;

	if (spec->is_latency)
		base = spec->place[0].name;
	snprintf(name, PROBE_NAME, "%s", base);
	while (is_taken(name))
		snprintf(name, PROBE_NAME, "%.*s_%u", PROBE_NAME - 8, base, ++nr);
}

int probe_set_add(const struct probe_spec *spec)
{
	char *name = set.names[set.specs_cnt];

	if (set.specs_cnt == PROBE_SPECS)
		return refuse(-E2BIG, "too many probes: at most %d", PROBE_SPECS);
	if (spec->name && is_taken(spec->name)) {
		refuse(-EINVAL, "two results are called '%s'", spec->name);
		suggest("another name before the '='");
		return -EINVAL;
	}
	if (spec->name)
		snprintf(name, PROBE_NAME, "%s", spec->name);
	else
		make_name(name, spec);
	set.specs[set.specs_cnt++] = *spec;
	return 0;
}

int probe_set_parse(const char *text)
{
	struct probe_spec spec;
	char *copy = strdup(text);
	int err = copy ? 0 : fail(-ENOMEM, "failed to read a SPEC");

	err = err ?: probe_spec__parse(&spec, copy);
	err = err ?: probe_set_add(&spec);
	if (err)
		free(copy);
	return err;
}

void probe_set_linear(const struct linear *linear)
{
	set.linear = *linear;
}

void probe_set_binary(const char *binary)
{
	set.binary = binary;
}

size_t probe_set_count(void)
{
	return set.specs_cnt;
}

struct skel *probe_set_open(void)
{
	return open_probe_set();
}

static void make_result(struct probe_result *result, const struct probe_spec *spec)
{
	const struct linear *linear = spec->linear.step ? &spec->linear : &set.linear;

	*result = (struct probe_result){.rows = 1, .keyed = spec->keys_cnt};
	if (spec->aggregation == AGGREGATE_COUNT) {
		result->form = FORM_COUNT;
	} else if (spec->aggregation == AGGREGATE_SUM) {
		result->form = FORM_SUM;
		result->rows = SUM_ROWS;
	} else if (linear->step) {
		result->form = FORM_LINEAR;
		result->linear = *linear;
		result->rows = linear__rows(linear);
	}
}

/* Of a latency, a key was read at one of its two ends. */
static const struct probe_read *key_of(const struct probe_site *sites, size_t cnt, size_t key)
{
	const struct probe_read *read = &sites[0].point.keys[key];

	return cnt > 1 && read->kind == READ_NOTHING ? &sites[1].point.keys[key] : read;
}

static int prepare(size_t index, size_t *rows)
{
	const struct probe_spec *spec = &set.specs[index];
	struct probe_site *sites = &set.sites[set.sites_cnt];
	struct probe_view *v = &set.views[index];
	size_t cnt = 0;
	int err = probe_sites_make(spec, index, sites, &cnt);

	if (err)
		return err;
	*v = (struct probe_view){
		.name = set.names[index],
		.spec = index,
		.keys_cnt = spec->keys_cnt,
		.unit = spec->is_latency ? "ns" : spec->unit,
	};
	for (size_t i = 0; i < spec->keys_cnt; i++)
		v->keys[i] = key_of(sites, cnt, i);
	make_result(&v->result, spec);
	v->result.first = *rows;
	if (v->result.form != FORM_POWERS && !v->result.keyed)
		*rows += v->result.rows;
	set.order[index] = v;
	set.sites_cnt += cnt;
	return 0;
}

/* Histograms first, then counts, each by name. */
static int compare_views(const void *a, const void *b)
{
	const struct probe_view *x = *(const struct probe_view *const *)a;
	const struct probe_view *y = *(const struct probe_view *const *)b;
	bool x_counts = x->result.form >= FORM_COUNT, y_counts = y->result.form >= FORM_COUNT;

	return x_counts != y_counts ? x_counts - y_counts : strcmp(x->name, y->name);
}

static int prepare_all(size_t *rows)
{
	int err = 0;

	set.sites_cnt = 0;
	for (size_t i = 0; !err && i < set.specs_cnt; i++)
		err = prepare(i, rows);
	if (!err && *rows > PROBE_COUNTS)
		err = refuse(-E2BIG, "%zu rows of linear histograms are too many: at most %d",
			     *rows, PROBE_COUNTS);
	qsort(set.order, set.specs_cnt, sizeof(set.order[0]), compare_views);
	return err ?: probe_places_check(set.sites, set.sites_cnt);
}

static bool uses(enum probe_source source)
{
	for (size_t i = 0; i < set.sites_cnt; i++) {
		if (set.sites[i].place.source == source)
			return true;
	}
	return false;
}

/* A site on a tracepoint has a program of its own. */
static void choose_copy(struct probe_set_bpf *s, size_t site)
{
	bool raw = set.sites[site].place.source == PROBE_RAW_TRACEPOINT;
	size_t copy;
	char name[32];

	if (!raw && set.sites[site].place.source != PROBE_TRACEPOINT)
		return;
	copy = probe_places_copy(set.sites, site);
	snprintf(name, sizeof(name), raw ? "at_raw_%zu" : "at_tracepoint_%zu", copy);
	bpf_program__set_autoload(bpf_object__find_program_by_name(s->obj, name), true);
	if (raw)
		s->rodata->raw_points[copy] = site;
}

static void choose_programs(struct probe_set_bpf *s)
{
	bool usdt = uses(PROBE_USDT);
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, s->obj) {
		if (!strncmp(bpf_program__name(prog), "at_", 3)) {
			bpf_program__set_autoload(prog, false);
			bpf_program__set_autoattach(prog, false);
		}
	}
	bpf_program__set_autoload(s->progs.at_usdt, usdt);
	bpf_program__set_autoload(s->progs.at_uprobe, uses(PROBE_UPROBE) || uses(PROBE_URETPROBE));
	for (size_t i = 0; i < set.sites_cnt; i++)
		choose_copy(s, i);
	bpf_map__set_autocreate(s->maps.__bpf_usdt_specs, usdt);
	bpf_map__set_autocreate(s->maps.__bpf_usdt_ip_to_spec_id, usdt);
}

static void choose_maps(struct probe_set_bpf *s, size_t rows)
{
	bool powers = false, counts = false, keyed_powers = false, keyed_counts = false;
	__u32 others[2] = {0}; /* rows for what finds no room: of powers, of counts */
	bool latencies = false;

	for (size_t i = 0; i < set.specs_cnt; i++) {
		const struct probe_result *result = &set.views[i].result;
		bool is_powers = result->form == FORM_POWERS;

		powers |= is_powers && !result->keyed;
		counts |= !is_powers && !result->keyed;
		keyed_powers |= is_powers && result->keyed;
		keyed_counts |= !is_powers && result->keyed;
		others[!is_powers] += result->keyed ? result->rows : 0;
		latencies |= set.specs[i].is_latency;
	}
	s->rodata->with_powers = powers;
	s->rodata->with_counts = counts;
	s->rodata->with_keyed_powers = keyed_powers;
	s->rodata->with_keyed_counts = keyed_counts;
	s->rodata->with_latencies = latencies;
	bpf_map__set_autocreate(s->maps.powers, powers);
	bpf_map__set_autocreate(s->maps.counts, counts);
	bpf_map__set_autocreate(s->maps.powers_by, keyed_powers);
	bpf_map__set_autocreate(s->maps.counts_by, keyed_counts);
	bpf_map__set_autocreate(s->maps.begun, latencies);
	bpf_map__set_autocreate(s->maps.pairs, latencies);
	bpf_map__set_max_entries(s->maps.powers, set.specs_cnt);
	bpf_map__set_max_entries(s->maps.counts, rows ?: 1);
	bpf_map__set_max_entries(s->maps.powers_by, PROBE_KEYED + others[0]);
	bpf_map__set_max_entries(s->maps.counts_by, PROBE_KEYED + others[1]);
}

static void tell_programs(struct probe_set_bpf *s)
{
	struct probe_limits limits = {0};

	for (size_t i = 0; i < set.sites_cnt; i++) {
		s->rodata->points[i] = set.sites[i].point;
		probe_site__extend(&set.sites[i], &limits);
	}
	for (size_t i = 0; i < set.specs_cnt; i++)
		s->rodata->results[i] = set.views[i].result;
	s->rodata->with_texts = limits.texts;
	s->rodata->keys_max = limits.keys;
	s->rodata->filters_max = limits.filters;
	s->rodata->matches_max = limits.matches;
	s->rodata->steps_max = limits.steps;
	s->rodata->hist_atomic = true;
}

int probe_set_setup(void *skel, const struct target *target)
{
	struct probe_set_bpf *s = skel;
	size_t rows = 0;
	int err = prepare_all(&rows);

	(void)target;
	if (err)
		return err;
	choose_programs(s);
	choose_maps(s, rows);
	tell_programs(s);
	err = uprobe_prepare(s->progs.at_uprobe);
	return err ? fail(err, "failed to prepare the probes of functions") : 0;
}

static struct probe_maps maps_of(const struct probe_set_bpf *s)
{
	return (struct probe_maps){
		.powers = s->maps.powers,
		.counts = s->maps.counts,
		.powers_by = s->maps.powers_by,
		.counts_by = s->maps.counts_by,
		.begun = s->maps.begun,
		.pairs = s->maps.pairs,
	};
}

int probe_set_attach(void *skel, const struct target *target)
{
	struct probe_set_bpf *s = skel;
	struct probe_maps maps = maps_of(s);
	const struct probe_programs programs = {
		.usdt = s->progs.at_usdt,
		.uprobe = s->progs.at_uprobe,
		.tracepoint = {s->progs.at_tracepoint_0, s->progs.at_tracepoint_1,
			       s->progs.at_tracepoint_2, s->progs.at_tracepoint_3,
			       s->progs.at_tracepoint_4, s->progs.at_tracepoint_5,
			       s->progs.at_tracepoint_6, s->progs.at_tracepoint_7},
		.raw = {s->progs.at_raw_0, s->progs.at_raw_1, s->progs.at_raw_2, s->progs.at_raw_3,
			s->progs.at_raw_4, s->progs.at_raw_5, s->progs.at_raw_6, s->progs.at_raw_7},
	};
	int err = 0;

	for (size_t i = 0; !err && i < set.specs_cnt; i++)
		err = probe_view__make_room(&set.views[i], &maps);
	return err ?: probe_places_attach(set.sites, set.sites_cnt, &programs, set.binary, target);
}

int probe_set_report(void *skel, struct report *r)
{
	struct probe_maps maps = maps_of(skel);
	int err = 0;

	for (size_t i = 0; !err && i < set.specs_cnt; i++)
		err = probe_view__print(set.order[i], &maps, r, &set.events);
	for (size_t i = 0; !err && r->final && i < set.specs_cnt; i++) {
		if (set.specs[set.order[i]->spec].is_latency)
			err = probe_view__note_pairs(set.order[i], &maps);
	}
	r->events = set.events;
	if (r->final && !set.events)
		report__say_idle(r);
	return err;
}

uint64_t probe_set_events(void)
{
	return set.events;
}
