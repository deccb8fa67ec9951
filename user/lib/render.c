// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "render.h"

#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "histogram.h"
#include "linear.h"

struct row {
	char key[RENDER_KEY_SIZE]; /* "" for a result without keys */
	void *value;
	uint64_t total;
};

static bool is_number(const struct result *r)
{
	return r->kind == RESULT_COUNT || r->kind == RESULT_SUM;
}

static uint64_t row_total(const struct result *r, const void *value)
{
	switch (r->kind) {
	case RESULT_HIST:
		return histogram_count(value);
	case RESULT_LINEAR:
		return linear__count(r->linear, value);
	default:
		return ((const struct count *)value)->n;
	}
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(((const struct row *)a)->key, ((const struct row *)b)->key);
}

static int compare_totals(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	/* A sum may be below 0; a count never is so large. */
	if (x->total != y->total)
		return (int64_t)x->total < (int64_t)y->total ? -1 : 1;
	return compare_keys(a, b);
}

static void merge_row(const struct result *r, struct row *to, const struct row *what)
{
	if (r->kind == RESULT_HIST)
		histogram_add(to->value, what->value);
	else if (r->kind == RESULT_LINEAR)
		merge_u64(to->value, what->value, linear__rows(r->linear) * sizeof(uint64_t));
	else
		((struct count *)to->value)->n += what->total;
	to->total += what->total;
}

/* Different keys can read the same: a system call of 64-bit and of 32-bit callers. */
static size_t merge_same_keys(const struct result *r, struct row *rows, size_t cnt)
{
	size_t kept = 0;

	qsort(rows, cnt, sizeof(*rows), compare_keys);
	for (size_t i = 0; i < cnt; i++) {
		if (kept && !compare_keys(&rows[kept - 1], &rows[i]))
			merge_row(r, &rows[kept - 1], &rows[i]);
		else
			rows[kept++] = rows[i];
	}
	return kept;
}

/* Rows that are not empty (but sums of 0), ascending; *cnt may be 0. The caller frees them. */
static struct row *sorted_rows(const struct result *r, const struct table *t, size_t *cnt)
{
	struct row *rows = calloc(t->cnt + 1, sizeof(*rows));

	*cnt = 0;
	for (size_t i = 0; rows && i < t->cnt; i++) {
		struct row *row = &rows[*cnt];

		row->value = table__value(t, i);
		row->total = row_total(r, row->value);
		if (!row->total && r->kind != RESULT_SUM)
			continue;
		if (r->keyed)
			result__format_key(r, table__key(t, i), row->key, sizeof(row->key));
		(*cnt)++;
	}
	if (!*cnt)
		return rows;
	*cnt = merge_same_keys(r, rows, *cnt);
	qsort(rows, *cnt, sizeof(*rows), compare_totals);
	return rows;
}

void render_text(FILE *out, const struct result *r, const struct table *t)
{
	struct row *rows;
	size_t cnt;

	rows = sorted_rows(r, t, &cnt);
	for (size_t i = 0; i < cnt; i++) {
		const struct row *row = &rows[i];

		if (r->keyed)
			fprintf(out, "@%s[%s]:", r->name, row->key);
		else
			fprintf(out, "@%s:", r->name);
		if (is_number(r)) {
			fprintf(out, " %lld\n", (long long)row->total);
			continue;
		}
		fputc('\n', out);
		if (r->kind == RESULT_LINEAR)
			linear__print(out, r->linear, row->value);
		else
			histogram_print(out, row->value);
		fputc('\n', out);
	}
	free(rows);
}

json_t *render_string(const char *text)
{
	size_t len = strlen(text), size = len * 3 + 1; /* U+FFFD is 3 bytes */
	char *buf = malloc(size);
	json_t *string;

	if (!buf)
		return json_null();
	escape(buf, size, text, len, ESCAPE_UTF8);
	string = json_string(buf);
	free(buf);
	return string;
}

static json_t *hist_buckets(const struct hist *h)
{
	json_t *buckets = json_array();
	unsigned int first = HIST_SLOTS, last = 0;

	for (unsigned int i = 0; i < HIST_SLOTS; i++) {
		if (!h->slots[i])
			continue;
		first = first == HIST_SLOTS ? i : first;
		last = i;
	}
	for (unsigned int i = first; i <= last; i++) {
		json_t *bucket = json_object();
		int64_t min, max;

		histogram_bounds(i, &min, &max);
		if (i > 0)
			json_object_set_new(bucket, "min", json_integer(min));
		json_object_set_new(bucket, "max", json_integer(max));
		json_object_set_new(bucket, "count", json_integer(h->slots[i]));
		json_array_append_new(buckets, bucket);
	}
	return buckets;
}

static json_t *linear_buckets(const struct linear *linear, const uint64_t *counts)
{
	size_t rows = linear__rows(linear), first = rows, last = 0;
	json_t *buckets = json_array();

	for (size_t i = 0; i < rows; i++) {
		if (!counts[i])
			continue;
		first = first == rows ? i : first;
		last = i;
	}
	for (size_t i = first; i <= last; i++) {
		json_t *bucket = json_object();
		int64_t min, max;

		linear__bounds(linear, i, &min, &max);
		if (i > 0)
			json_object_set_new(bucket, "min", json_integer(min));
		if (i + 1 < rows)
			json_object_set_new(bucket, "max", json_integer(max));
		json_object_set_new(bucket, "count", json_integer((json_int_t)counts[i]));
		json_array_append_new(buckets, bucket);
	}
	return buckets;
}

static const char *unit_of(const char *name)
{
	static const struct {
		const char *suffix, *unit;
	} units[] = {{"latencies", "ns"}, {"_ns", "ns"}, {"bytes", "bytes"}};
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t suffix = strlen(units[i].suffix);

		if (len >= suffix && !strcmp(name + len - suffix, units[i].suffix))
			return units[i].unit;
	}
	return NULL;
}

static json_t *row_data(const struct result *r, const struct row *row)
{
	switch (r->kind) {
	case RESULT_HIST:
		return hist_buckets(row->value);
	case RESULT_LINEAR:
		return linear_buckets(r->linear, row->value);
	default:
		return json_integer((json_int_t)row->total);
	}
}

json_t *render_json(const struct result *r, const struct table *t)
{
	json_t *line, *data, *by_key = json_object();
	uint64_t count = 0, sum = 0; /* which may wrap, as those of single rows */
	const char *unit = r->unit ?: unit_of(r->name);
	char name[sizeof(r->name) + 1];
	struct row *rows;
	size_t cnt;

	rows = sorted_rows(r, t, &cnt);
	for (size_t i = 0; i < cnt; i++) {
		count += rows[i].total;
		if (r->kind == RESULT_HIST)
			sum += (uint64_t)((const struct hist *)rows[i].value)->sum;
		if (r->keyed)
			json_object_set_new(by_key, rows[i].key, row_data(r, &rows[i]));
	}
	snprintf(name, sizeof(name), "@%s", r->name);
	data = json_object();
	if (cnt)
		json_object_set_new(data, name,
				    r->keyed ? json_incref(by_key) : row_data(r, &rows[0]));
	line = cnt ? json_pack("{s:s, s:I, s:o}", "type", is_number(r) ? "map" : "hist", "count",
			       (json_int_t)count, "data", data)
		   : NULL;
	if (line && r->kind == RESULT_HIST)
		json_object_set_new(line, "sum", json_integer((json_int_t)sum));
	if (line && unit)
		json_object_set_new(line, "unit", json_string(unit));
	if (!line)
		json_decref(data);
	json_decref(by_key);
	free(rows);
	return line;
}
