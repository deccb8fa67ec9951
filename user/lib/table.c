// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "log.h"

/* Values hold 64-bit numbers, which must lie at multiples of 8. */
static size_t aligned(size_t size)
{
	return (size + 7) / 8 * 8;
}

static size_t row_size(const struct table *t)
{
	return aligned(t->key_size) + aligned(t->value_size);
}

void *table__key(const struct table *t, size_t row)
{
	return t->rows + row * row_size(t);
}

void *table__value(const struct table *t, size_t row)
{
	return (char *)table__key(t, row) + aligned(t->key_size);
}

void table__free(struct table *t)
{
	free(t->rows);
	*t = (struct table){0};
}

void merge_u64(void *to, const void *from, size_t size)
{
	uint64_t *sum = to;
	const uint64_t *add = from;

	for (size_t i = 0; i < size / sizeof(*sum); i++)
		sum[i] += add[i];
}

static bool is_zero(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i])
			return false;
	}
	return true;
}

/* Room for one more row, which has the key and a value of zeros; NULL without memory. */
static void *table__add(struct table *t, const void *key)
{
	if (t->cnt == t->capacity) {
		size_t capacity = t->capacity ? t->capacity * 2 : 64;
		char *rows = realloc(t->rows, capacity * row_size(t));

		if (!rows)
			return NULL;
		t->rows = rows;
		t->capacity = capacity;
	}
	memset(table__key(t, t->cnt), 0, row_size(t));
	memcpy(table__key(t, t->cnt), key, t->key_size);
	return table__value(t, t->cnt++);
}

static int compare_rows(const void *a, const void *b, void *key_size)
{
	return memcmp(a, b, *(size_t *)key_size);
}

static void table__sort(struct table *t)
{
	qsort_r(t->rows, t->cnt, row_size(t), compare_rows, &t->key_size);
}

/* Index of the first row that is not below the key. */
static size_t table__lower_bound(const struct table *t, const void *key)
{
	size_t low = 0, high = t->cnt;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (memcmp(table__key(t, mid), key, t->key_size) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void *table__find(const struct table *t, const void *key)
{
	size_t at = table__lower_bound(t, key);

	if (at == t->cnt || memcmp(table__key(t, at), key, t->key_size))
		return NULL;
	return table__value(t, at);
}

void *table__get(struct table *t, const void *key)
{
	size_t at = table__lower_bound(t, key);
	char *row;

	if (at < t->cnt && !memcmp(table__key(t, at), key, t->key_size))
		return table__value(t, at);
	if (!table__add(t, key))
		return NULL;
	row = table__key(t, at);
	memmove(row + row_size(t), row, (t->cnt - 1 - at) * row_size(t));
	memset(row, 0, row_size(t));
	memcpy(row, key, t->key_size);
	return table__value(t, at);
}

static bool is_percpu(const struct bpf_map *map)
{
	enum bpf_map_type type = bpf_map__type(map);

	return type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_PERCPU_HASH ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

/* Values of all CPUs are in `values`, each padded to 8 bytes. */
static int add_row(struct table *t, const void *key, const char *values, int cpus,
		   table_merge_fn merge)
{
	size_t stride = aligned(t->value_size);
	void *to = table__add(t, key);

	if (!to)
		return -ENOMEM;
	for (int cpu = 0; cpu < cpus; cpu++)
		merge(to, values + cpu * stride, t->value_size);
	if (is_zero(to, t->value_size))
		t->cnt--;
	return 0;
}

int table__read(struct table *t, const struct bpf_map *map, table_merge_fn merge)
{
	int fd = bpf_map__fd(map), cpus = is_percpu(map) ? libbpf_num_possible_cpus() : 1, err = 0;
	char *key, *next, *values;
	bool first = true;

	*t = (struct table){
		.key_size = bpf_map__key_size(map),
		.value_size = bpf_map__value_size(map),
	};
	key = calloc(2, t->key_size);
	next = key + t->key_size;
	values = calloc(cpus, aligned(t->value_size));
	if (!key || !values)
		err = -ENOMEM;
	while (!err && !bpf_map_get_next_key(fd, first ? NULL : key, next)) {
		memcpy(key, next, t->key_size);
		first = false;
		if (!bpf_map_lookup_elem(fd, key, values))
			err = add_row(t, key, values, cpus, merge);
	}
	free(key);
	free(values);
	if (err)
		return fail(err, "failed to read the map '%s'", bpf_map__name(map));
	table__sort(t);
	return 0;
}

/* *now becomes the difference to *seen, *seen the greater of both, number by number. */
static void split_delta(uint64_t *now, uint64_t *seen, size_t numbers)
{
	for (size_t i = 0; i < numbers; i++) {
		uint64_t delta = (int64_t)(now[i] - seen[i]) > 0 ? now[i] - seen[i] : 0;

		seen[i] += delta;
		now[i] = delta;
	}
}

int table__take_delta(struct table *t, struct table *seen)
{
	size_t numbers = t->value_size / sizeof(uint64_t);

	seen->key_size = t->key_size;
	seen->value_size = t->value_size;
	for (size_t i = 0; i < t->cnt; i++) {
		uint64_t *before = table__get(seen, table__key(t, i));

		if (!before)
			return fail(-ENOMEM, "failed to keep the last report");
		split_delta(table__value(t, i), before, numbers);
	}
	return 0;
}
