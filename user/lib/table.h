/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A BPF map read into memory: rows of key and value, the CPUs' values merged, in the order
 * of the keys' bytes. Values are vectors of 64-bit numbers that add up, unless the caller
 * merges them himself.
 */
#ifndef WIRESCOPE_TABLE_H
#define WIRESCOPE_TABLE_H

#include <stddef.h>

#include <bpf/libbpf.h>

struct table {
	size_t key_size;
	size_t value_size;
	size_t cnt;
	size_t capacity;
	char *rows;
};

/* Add the value of one more CPU (or interval) to a value; size in bytes. */
typedef void (*table_merge_fn)(void *to, const void *from, size_t size);

void merge_u64(void *to, const void *from, size_t size);

/*
 * Read all entries of an array or hash map, per CPU or not. Rows whose value is all zero
 * are left out. The table is initialised by this call; errors print a message.
 */
int table__read(struct table *t, const struct bpf_map *map, table_merge_fn merge);

void *table__key(const struct table *t, size_t row);
void *table__value(const struct table *t, size_t row);

/* Value of a key, or NULL; the table must be sorted (as read). */
void *table__find(const struct table *t, const void *key);

/* As table__find(), but a key that is not there gets a value of zeros; NULL without memory. */
void *table__get(struct table *t, const void *key);

/*
 * For vectors of 64-bit numbers: *t becomes what has been added since *seen was taken, and
 * *seen what has been shown so far. A number never goes down between two reports: if a
 * snapshot missed something that an earlier one had, the next one pays it back, so the
 * differences always add up to the last total.
 */
int table__take_delta(struct table *t, struct table *seen);

void table__free(struct table *t);

#endif
