// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Would each CO-RE relocation of an object find what it needs? */
#include "object.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include "core.h"
#include "log.h"

#define SEEN_MAX 256

/* .BTF.ext, as Documentation/bpf/btf.rst has it; libbpf keeps its own definition to itself. */
struct ext_header {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t header_len;
	uint32_t func_off, func_len, line_off, line_len;
	uint32_t relo_off, relo_len; /* behind the header; since libbpf 0.0.6 */
};

struct ext_section {
	uint32_t name_off, cnt;
};

struct relocations {
	const char *at, *end; /* the next section */
	uint32_t record_size;
};

typedef void relocation_fn(const struct object *o, const struct bpf_core_relo *relo, void *ctx);

enum subject { SUBJECT_NONE, SUBJECT_FIELD, SUBJECT_TYPE, SUBJECT_ENUMERATOR };

static const struct {
	enum subject subject;
	bool asks; /* takes "no" for an answer */
} kinds[] = {
	[BPF_CORE_FIELD_BYTE_OFFSET] = {SUBJECT_FIELD, false},
	[BPF_CORE_FIELD_BYTE_SIZE] = {SUBJECT_FIELD, false},
	[BPF_CORE_FIELD_EXISTS] = {SUBJECT_FIELD, true},
	[BPF_CORE_FIELD_SIGNED] = {SUBJECT_FIELD, false},
	[BPF_CORE_FIELD_LSHIFT_U64] = {SUBJECT_FIELD, false},
	[BPF_CORE_FIELD_RSHIFT_U64] = {SUBJECT_FIELD, false},
	[BPF_CORE_TYPE_ID_LOCAL] = {SUBJECT_NONE, false},
	[BPF_CORE_TYPE_ID_TARGET] = {SUBJECT_TYPE, false},
	[BPF_CORE_TYPE_EXISTS] = {SUBJECT_TYPE, true},
	[BPF_CORE_TYPE_SIZE] = {SUBJECT_TYPE, false},
	[BPF_CORE_ENUMVAL_EXISTS] = {SUBJECT_ENUMERATOR, true},
	[BPF_CORE_ENUMVAL_VALUE] = {SUBJECT_ENUMERATOR, false},
	[BPF_CORE_TYPE_MATCHES] = {SUBJECT_TYPE, true},
};

static bool is_known(const struct bpf_core_relo *relo)
{
	return (size_t)relo->kind < sizeof(kinds) / sizeof(*kinds);
}

static bool find_relocations(const struct object *o, struct relocations *all)
{
	const struct ext_header *header;
	uint32_t size = 0;

	header = o->ext ? btf_ext__get_raw_data(o->ext, &size) : NULL;
	if (!header || header->header_len < sizeof(*header) || header->relo_len < sizeof(uint32_t))
		return false;
	all->at = (const char *)header + header->header_len + header->relo_off;
	all->end = all->at + header->relo_len;
	memcpy(&all->record_size, all->at, sizeof(uint32_t));
	all->at += sizeof(uint32_t);
	return true;
}

/* libbpf has checked that all is inside when it parsed the file. */
static int for_each_relocation(const struct object *o, relocation_fn *fn, void *ctx)
{
	struct relocations all;
	int cnt = 0;

	if (!find_relocations(o, &all))
		return 0;
	while (all.at < all.end) {
		struct ext_section section;

		memcpy(&section, all.at, sizeof(section));
		all.at += sizeof(section);
		for (uint32_t i = 0; i < section.cnt; i++, all.at += all.record_size) {
			const struct bpf_core_relo *relo = (const void *)all.at;

			if (!is_known(relo))
				return fail(-ENOTSUP, "relocation of kind %u in '%s'", relo->kind,
					    o->path);
			fn(o, relo, ctx);
			cnt++;
		}
	}
	return cnt;
}

static const char *accessors_of(const struct object *o, const struct bpf_core_relo *relo)
{
	return btf__name_by_offset(o->btf, relo->access_str_off);
}

bool object__asks_for(const struct object *o, const char *what)
{
	for (size_t i = 0; i < o->question_cnt && i < QUESTIONS_MAX; i++) {
		size_t len = strlen(o->questions[i]);

		if (!strncmp(what, o->questions[i], len) && (!what[len] || what[len] == '.'))
			return true;
	}
	return false;
}

static void add_question(struct object *o, const char *what)
{
	if (object__asks_for(o, what))
		return;
	/* One too many is counted, not kept. */
	if (o->question_cnt < QUESTIONS_MAX)
		snprintf(o->questions[o->question_cnt], sizeof(*o->questions), "%s", what);
	o->question_cnt++;
}

static void add_if_question(const struct object *o, const struct bpf_core_relo *relo, void *ctx)
{
	char what[sizeof(*o->questions)];

	if (!kinds[relo->kind].asks)
		return;
	core_describe(o->btf, relo->type_id, accessors_of(o, relo), what, sizeof(what));
	add_question(ctx, what);
}

/* libbpf gives these the value that a kernel has, and usdt.bpf.h goes by it. */
static const char *const external_questions[][2] = {
	{"LINUX_HAS_BPF_COOKIE", "bpf_func_id.BPF_FUNC_get_attach_cookie"},
};

int object__read_questions(struct object *o)
{
	int err = for_each_relocation(o, add_if_question, o);

	for (size_t i = 0; i < sizeof(external_questions) / sizeof(*external_questions); i++) {
		if (btf__find_by_name_kind(o->btf, external_questions[i][0], BTF_KIND_VAR) > 0)
			add_question(o, external_questions[i][1]);
	}
	if (o->question_cnt > QUESTIONS_MAX)
		return fail(-E2BIG, "'%s' asks more than %d questions", o->path, QUESTIONS_MAX);
	return err < 0 ? err : 0;
}

static enum core_result find_field(const struct object *o, const struct bpf_core_relo *relo,
				   const struct btf *kernel, int candidate, unsigned int *offset)
{
	return core_follow(o->btf, relo->type_id, accessors_of(o, relo), kernel, candidate, offset);
}

static enum core_result find_enumerator(const struct object *o, const struct bpf_core_relo *relo,
					const struct btf *kernel, int candidate)
{
	const struct btf_type *t = btf__type_by_id(o->btf, relo->type_id);
	int index = strtol(accessors_of(o, relo), NULL, 10);
	long long value;

	return core_find_enumerator(kernel, candidate, core_enumerator_name(o->btf, t, index),
				    &value)
		       ? CORE_FOUND
		       : CORE_MISSING;
}

/*
 * In each type of the name: those that do not fit are left aside, those that do must agree
 * about where it is. When none fits, the reason of the last one is as good as another.
 */
static enum core_result resolve(const struct object *o, const struct bpf_core_relo *relo,
				const struct btf *kernel)
{
	enum subject subject = kinds[relo->kind].subject;
	enum core_result result = CORE_MISSING, one = CORE_FOUND;
	unsigned int found_at = 0, offset = 0;

	for (int i = 0; (i = core_next_candidate(kernel, o->btf, relo->type_id, i));) {
		if (subject == SUBJECT_FIELD)
			one = find_field(o, relo, kernel, i, &offset);
		else if (subject == SUBJECT_ENUMERATOR)
			one = find_enumerator(o, relo, kernel, i);
		if (one == CORE_FOUND && result == CORE_FOUND && offset != found_at)
			return CORE_AMBIGUOUS;
		if (one == CORE_FOUND)
			found_at = offset;
		if (result != CORE_FOUND)
			result = one;
	}
	return result;
}

struct check {
	const struct btf *kernel;
	int nr;
	struct bpf_core_relo seen[SEEN_MAX];
	size_t seen_cnt;
};

/* Most relocations are repetitions, and a search goes through all types of a kernel. */
static bool was_seen(struct check *c, const struct bpf_core_relo *relo)
{
	for (size_t i = 0; i < c->seen_cnt; i++) {
		const struct bpf_core_relo *seen = &c->seen[i];

		if (seen->kind == relo->kind && seen->type_id == relo->type_id &&
		    seen->access_str_off == relo->access_str_off)
			return true;
	}
	if (c->seen_cnt < SEEN_MAX)
		c->seen[c->seen_cnt++] = *relo;
	return false;
}

static void check_relocation(const struct object *o, const struct bpf_core_relo *relo, void *ctx)
{
	struct check *c = ctx;
	enum core_result result;
	char what[128];

	if (kinds[relo->kind].subject == SUBJECT_NONE || was_seen(c, relo))
		return;
	result = resolve(o, relo, c->kernel);
	if (result == CORE_FOUND)
		return;
	core_describe(o->btf, relo->type_id, accessors_of(o, relo), what, sizeof(what));
	if (!object__asks_for(o, what))
		finding(FINDING_WRONG, c->nr, core_result_text(result), "%s: %s", o->name, what);
	else if (kinds[relo->kind].asks)
		finding(FINDING_NOTE, c->nr, "done without", "%s: %s", o->name, what);
}

int object__check_relocations(const struct object *o, const struct kernels *kernels, int kernel)
{
	struct check c = {.kernel = kernels->kernel[kernel].btf, .nr = kernel};

	return for_each_relocation(o, check_relocation, &c);
}
