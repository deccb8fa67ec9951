/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a BPF object says about itself through BTF: its settings by name, and its result maps.
 * A result map is one whose value type is a struct of include/hist.h; nothing else about it
 * needs to be told to user space.
 */
#ifndef WIRESCOPE_OBJECT_H
#define WIRESCOPE_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "probe-point.h"

/* Values of linear ones are an array of counts; no map has them, nor sums, see probe-report.c. */
enum result_kind { RESULT_HIST, RESULT_COUNT, RESULT_LINEAR, RESULT_SUM };

struct result {
	struct bpf_map *map;
	const struct btf *btf;
	char name[64]; /* without '@' and without the "_by" of a HIST_SPLIT's second map */
	enum result_kind kind;
	bool keyed;
	int32_t key_type; /* BTF id */

	/* Of results that BTF does not describe. */
	const struct linear *linear;
	const char *unit;
	void (*format_key)(const struct result *r, const void *key, char *buf, size_t size);
	const void *key_info; /* format_key()'s own */
};

/*
 * Set a global of the BPF program (const volatile ones before loading, others at any time).
 * A name that the object does not have is -ENOENT, a size that does not fit -EINVAL; no
 * message. object__set_bool() and _u32() are for settings that each object has: they print.
 */
int object__set(struct bpf_object *obj, const char *name, const void *value, size_t size);
int object__set_bool(struct bpf_object *obj, const char *name, bool value);
int object__set_u32(struct bpf_object *obj, const char *name, uint32_t value);

/* Where a global lives; NULL if there is none of this name and size. */
void *object__variable(struct bpf_object *obj, const char *name, size_t size);

/* Switch programs and maps off by name, before loading; unknown names are a bug: assert. */
void object__disable_program(struct bpf_object *obj, const char *name);
void object__disable_map(struct bpf_object *obj, const char *name);

/* All programs whose names begin so. */
void object__disable_programs(struct bpf_object *obj, const char *prefix);

/*
 * Of programs in alternative sets, told by the prefixes of their names, load set number
 * `chosen` and none of the others.
 */
void object__choose_programs(struct bpf_object *obj, const char *const prefixes[], size_t cnt,
			     size_t chosen);

/* All result maps that will be created, in name order; the caller frees *results. */
int object__results(struct bpf_object *obj, struct result **results, size_t *cnt);

/*
 * Print a key as its type says: numbers, comms, syscall and errno names, and the structs
 * endpoint and thread_id, which are left out while they are zero. A key of all ones, where
 * BPF programs put what found no room, reads "(other)". The text is escaped for terminals.
 */
void result__format_key(const struct result *r, const void *key, char *buf, size_t size);

/* True for the key of what found no room. */
bool key_is_other(const void *key, size_t size);

#endif
