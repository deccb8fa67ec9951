/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What CO-RE does when a program is loaded, without loading it: finding in a kernel's BTF the
 * type, the member or the enumerator that a name stands for in ours. Stricter in one thing:
 * numbers must have the same size, as BPF_CORE_READ() copies as many bytes as our type has.
 */
#ifndef WIRESCOPE_TESTS_CORE_H
#define WIRESCOPE_TESTS_CORE_H

#include <stdbool.h>
#include <stddef.h>

#include <bpf/btf.h>

enum core_result {
	CORE_FOUND,
	CORE_MISSING,
	CORE_OTHER_KIND,
	CORE_OTHER_SIZE,
	CORE_BIT_FIELD,
	CORE_AMBIGUOUS, /* several types of this name have it at different places */
};

struct core_field {
	int type;
	unsigned int bit_offset;
	unsigned int bits; /* of a bit field, else 0 */
};

const char *core_result_text(enum core_result result);

/* Length of a name without its flavour: "task_struct___old" stands for "task_struct". */
size_t core_name_len(const char *name);
bool core_same_name(const char *a, const char *b);

/* Behind typedefs and qualifiers; btf__resolve_type() refuses forward declarations. */
int core_resolve(const struct btf *btf, int id);

/* The next type after id `after` that our type can stand for; 0 if there is no other. */
int core_next_candidate(const struct btf *kernel, const struct btf *ours, int id, int after);

/* Looks a member up by name, also in the anonymous members of a struct or union. */
bool core_find_member(const struct btf *btf, int id, const char *name, struct core_field *field);

/* The value of an enumerator; false if the enum does not have it. */
bool core_find_enumerator(const struct btf *btf, int id, const char *name, long long *value);
const char *core_enumerator_name(const struct btf *btf, const struct btf_type *t, int index);

/* May a member of the kernel's type be read as one of ours? */
enum core_result core_compare(const struct btf *ours, int id, const struct btf *kernel,
			      int kernel_id);

/*
 * Follows the accessors of a relocation ("0:1:3") from our type in the type `candidate` of the
 * kernel; *bit_offset is where they end.
 */
enum core_result core_follow(const struct btf *ours, int root, const char *accessors,
			     const struct btf *kernel, int candidate, unsigned int *bit_offset);

/* The same accessors for people: "task_struct.comm[0]". */
void core_describe(const struct btf *ours, int root, const char *accessors, char *buf, size_t size);

#endif
