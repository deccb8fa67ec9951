// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "preload-numbers.h"

#include <stdbool.h>
#include <stdlib.h>

#define ENTRIES_MIN 1024
#define ENTRIES_MAX (1 << 20) /* then those that nobody asks for any more are forgotten */

struct entry {
	uint64_t key; /* 0: none */
	uint64_t number;
};

static struct entry *entries, *older;
static size_t size, used, older_size;
static uint64_t last;

static struct entry *find(struct entry *table, size_t table_size, uint64_t key)
{
	size_t at = key * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (table_size - 1);

	while (table[at].key && table[at].key != key)
		at = (at + 1) & (table_size - 1);
	return &table[at];
}

/* Those that are asked for before as many new ones have come move on, and stay. */
static bool renew(size_t new_size)
{
	struct entry *table = calloc(new_size, sizeof(*table));

	if (!table)
		return false;
	free(older);
	older = entries;
	older_size = size;
	entries = table;
	size = new_size;
	used = 0;
	return true;
}

static bool grow(void)
{
	struct entry *before = entries;
	size_t before_size = size, cnt = used;

	if (size == ENTRIES_MAX)
		return renew(size);
	size = size ? 2 * size : ENTRIES_MIN;
	entries = calloc(size, sizeof(*entries));
	if (!entries) {
		entries = before;
		size = before_size;
		return false;
	}
	for (size_t i = 0; i < before_size; i++) {
		if (before[i].key)
			*find(entries, size, before[i].key) = before[i];
	}
	used = cnt;
	free(before);
	return true;
}

static uint64_t older_number(uint64_t key)
{
	return older ? find(older, older_size, key)->number : 0;
}

uint64_t preload_number(uint64_t key)
{
	struct entry *e;

	if (!key || (used >= size / 2 && !grow()))
		return 0;
	e = find(entries, size, key);
	if (!e->key) {
		*e = (struct entry){key, older_number(key) ?: ++last};
		used++;
	}
	return e->number;
}

void preload_numbers_free(void)
{
	free(entries);
	free(older);
	entries = older = NULL;
	size = used = older_size = 0;
	last = 0;
}
