// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "preload-numbers.h"

#include <stdbool.h>
#include <stdlib.h>

#define ENTRIES_MIN 1024
#define ENTRIES_MAX (1 << 20) /* then the oldest are forgotten, all at once */

struct entry {
	uint64_t key; /* 0: none */
	uint64_t number;
};

static struct entry *entries;
static size_t size, used;
static uint64_t last;

static struct entry *find(struct entry *table, size_t table_size, uint64_t key)
{
	size_t at = key * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (table_size - 1);

	while (table[at].key && table[at].key != key)
		at = (at + 1) & (table_size - 1);
	return &table[at];
}

static bool grow(void)
{
	size_t larger = size < ENTRIES_MAX ? 2 * size : size;
	struct entry *table = calloc(size ? larger : ENTRIES_MIN, sizeof(*table));

	if (!table)
		return false;
	larger = size ? larger : ENTRIES_MIN;
	for (size_t i = 0; larger > size && i < size; i++) {
		if (entries[i].key)
			*find(table, larger, entries[i].key) = entries[i];
	}
	used = larger > size ? used : 0;
	free(entries);
	entries = table;
	size = larger;
	return true;
}

uint64_t preload_number(uint64_t key)
{
	struct entry *e;

	if (!key || (used >= size / 2 && !grow()))
		return 0;
	e = find(entries, size, key);
	if (!e->key) {
		*e = (struct entry){key, ++last};
		used++;
	}
	return e->number;
}

void preload_numbers_free(void)
{
	free(entries);
	entries = NULL;
	size = used = 0;
	last = 0;
}
