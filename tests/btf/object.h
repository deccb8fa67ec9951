/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A BPF object as the checks see it: what it asks of a kernel, without loading it. */
#ifndef WIRESCOPE_TESTS_OBJECT_H
#define WIRESCOPE_TESTS_OBJECT_H

#include <stdbool.h>
#include <stddef.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "check.h"

#define QUESTIONS_MAX 64

struct object {
	const char *path, *name;
	struct btf *btf;
	struct btf_ext *ext; /* NULL: it has none */
	struct bpf_object *obj;
	char questions[QUESTIONS_MAX][128]; /* what its programs ask for before they use it */
	size_t question_cnt;
};

/* Does a program ask for this, or for the type that this is a member of? */
bool object__asks_for(const struct object *o, const char *what);

int object__read_questions(struct object *o);

/* Each returns how many it checked, or a negative error. */
int object__check_relocations(const struct object *o, const struct kernels *kernels, int kernel);
int object__check_targets(const struct object *o, const struct kernels *kernels, int kernel);
int object__check_helpers(const struct object *o, const struct kernels *kernels, int kernel);
int object__check_kfuncs(const struct object *o, const struct kernels *kernels, int kernel);

#endif
