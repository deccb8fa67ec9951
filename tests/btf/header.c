// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* vmlinux.h against kernels: each type, and each member down to the innermost. */
#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "core.h"
#include "log.h"

/* SINCE("5.14") and BEFORE("5.14") of vmlinux.h, as they arrive in BTF. */
struct declaration {
	bool before;
	unsigned int release; /* 0: there is none */
};

/* How a declaration fared; about the same one the kernels are asked one after the other. */
struct fate {
	char what[128];
	bool asked;    /* of a kernel that it is about */
	bool was_true; /* such a kernel lacks it */
};

struct check {
	const struct btf *ours;
	const struct kernels *kernels;
	int kernel; /* index */
	int types, members;
	struct fate *fates;
	size_t fate_cnt;
	int err;
};

static const struct btf *kernel_btf_of(const struct check *c)
{
	return c->kernels->kernel[c->kernel].btf;
}

static int parse_declaration(const char *text, struct declaration *declaration)
{
	static const char *const words[] = {"since ", "before "};

	for (size_t i = 0; i < 2; i++) {
		size_t len = strlen(words[i]);

		if (strncmp(text, words[i], len))
			continue;
		declaration->before = i;
		if (release_parse(text + len, &declaration->release))
			return 0;
	}
	return fail(-EINVAL, "failed to understand the declaration '%s'", text);
}

/* Of the member at `index` of a type of ours, of the type itself for -1. */
static struct declaration declaration_of(struct check *c, int id, int index)
{
	struct declaration declaration = {};
	int err;

	for (int i = 1; i < (int)btf__type_cnt(c->ours); i++) {
		const struct btf_type *t = btf__type_by_id(c->ours, i);

		if (!btf_is_decl_tag(t) || (int)t->type != id)
			continue;
		if (btf_decl_tag(t)->component_idx != index)
			continue;
		err = parse_declaration(btf__name_by_offset(c->ours, t->name_off), &declaration);
		if (err)
			c->err = err;
	}
	return declaration;
}

static struct fate *fate_of(struct check *c, const char *what)
{
	struct fate *grown;

	for (size_t i = 0; i < c->fate_cnt; i++) {
		if (!strcmp(c->fates[i].what, what))
			return &c->fates[i];
	}
	grown = realloc(c->fates, (c->fate_cnt + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	c->fates = grown;
	grown += c->fate_cnt++;
	*grown = (struct fate){};
	snprintf(grown->what, sizeof(grown->what), "%s", what);
	return grown;
}

/* Reports what was found of `what`, and returns true if it is to be used. */
static bool judge(struct check *c, const char *what, struct declaration declared,
		  enum core_result result)
{
	unsigned int release = c->kernels->kernel[c->kernel].release;
	bool may_lack = false, lacked = result == CORE_MISSING || result == CORE_OTHER_SIZE;
	struct fate *fate;

	if (declared.release) {
		fate = fate_of(c, what);
		may_lack = declared.before ? release >= declared.release
					   : release < declared.release;
		if (!fate)
			c->err = fail(-ENOMEM, "failed to keep '%s'", what);
		else if (may_lack) {
			fate->asked = true;
			fate->was_true |= lacked;
		}
	}
	if (lacked && may_lack)
		finding(FINDING_NOTE, c->kernel, "lacked, as declared", "%s", what);
	else if (result != CORE_FOUND)
		finding(FINDING_WRONG, c->kernel, core_result_text(result), "%s", what);
	return result == CORE_FOUND;
}

static enum core_result find_member(const struct check *c, const struct btf_type *t, int index,
				    int kernel_id, struct core_field *field)
{
	const struct btf_member *m = btf_members(t) + index;
	const char *name = btf__name_by_offset(c->ours, m->name_off);

	if (!core_find_member(kernel_btf_of(c), kernel_id, name, field))
		return CORE_MISSING;
	if (!field->bits != !btf_member_bitfield_size(t, index))
		return CORE_BIT_FIELD;
	return core_compare(c->ours, m->type, kernel_btf_of(c), field->type);
}

static bool is_anonymous_struct(const struct btf *btf, int id)
{
	const struct btf_type *t = btf__type_by_id(btf, core_resolve(btf, id));

	return btf_is_composite(t) && !*btf__name_by_offset(btf, t->name_off);
}

/* What has no name is not a type of its own: its members are checked where it is used. */
static void check_members(struct check *c, const char *prefix, int id, int kernel_id)
{
	const struct btf_type *t;

	id = core_resolve(c->ours, id);
	t = btf__type_by_id(c->ours, id);
	for (int i = 0; btf_is_composite(t) && i < btf_vlen(t); i++) {
		const struct btf_member *m = btf_members(t) + i;
		const char *name = btf__name_by_offset(c->ours, m->name_off);
		struct core_field field = {.type = kernel_id};
		char what[128];
		bool found = true;

		snprintf(what, sizeof(what), "%s%s%s", prefix, *name ? "." : "", name);
		if (*name) {
			enum core_result result = find_member(c, t, i, kernel_id, &field);

			c->members++;
			found = judge(c, what, declaration_of(c, id, i), result);
		}
		if (found && is_anonymous_struct(c->ours, m->type))
			check_members(c, what, m->type, field.type);
	}
}

/* Of several types of the same name the one that has most of our members is meant. */
static int count_members(struct check *c, int id, int kernel_id)
{
	const struct btf_type *t = btf__type_by_id(c->ours, core_resolve(c->ours, id));
	struct core_field field;
	int cnt = 0;

	for (int i = 0; btf_is_composite(t) && i < btf_vlen(t); i++)
		cnt += find_member(c, t, i, kernel_id, &field) == CORE_FOUND;
	return cnt;
}

static int best_candidate(struct check *c, int id)
{
	int best = 0, most = -1;

	for (int i = 0; (i = core_next_candidate(kernel_btf_of(c), c->ours, id, i));) {
		int cnt = count_members(c, id, i);

		if (cnt > most) {
			most = cnt;
			best = i;
		}
	}
	return best;
}

static void check_enumerators(struct check *c, const char *prefix, int id, int kernel_id)
{
	const struct btf_type *t = btf__type_by_id(c->ours, id);

	for (int i = 0; i < btf_vlen(t); i++) {
		const char *name = core_enumerator_name(c->ours, t, i);
		long long value;

		c->members++;
		if (!core_find_enumerator(kernel_btf_of(c), kernel_id, name, &value))
			finding(FINDING_WRONG, c->kernel, "missing", "%s.%s", prefix, name);
	}
}

static void check_type(struct check *c, int id)
{
	const struct btf_type *t = btf__type_by_id(c->ours, id);
	const char *name = btf__name_by_offset(c->ours, t->name_off);
	int kernel_id = best_candidate(c, id);

	c->types++;
	if (!judge(c, name, declaration_of(c, id, -1), kernel_id ? CORE_FOUND : CORE_MISSING))
		return;
	if (btf_is_any_enum(t))
		check_enumerators(c, name, id, kernel_id);
	else
		check_members(c, name, id, kernel_id);
}

static void check_kernel(struct check *c)
{
	c->types = c->members = 0;
	for (int i = 1; i < (int)btf__type_cnt(c->ours); i++) {
		const struct btf_type *t = btf__type_by_id(c->ours, i);

		/* The variables that every-type.awk made, and no other. */
		if (btf_is_var(t))
			check_type(c, t->type);
	}
	test_end("vmlinux.h against %s: %d types, %d members", c->kernels->kernel[c->kernel].name,
		 c->types, c->members);
}

/* A declaration that no kernel confirms would hide a mistake. */
static void check_fates(const struct check *c)
{
	size_t unknown = 0;

	for (size_t i = 0; i < c->fate_cnt; i++) {
		const struct fate *fate = &c->fates[i];

		unknown += !fate->asked;
		if (fate->asked && !fate->was_true)
			finding(FINDING_WRONG, -1, "declared, but no kernel lacks it", "%s",
				fate->what);
		else if (!fate->asked)
			finding(FINDING_NOTE, -1, "declared, of kernels that are not here", "%s",
				fate->what);
	}
	if (c->fate_cnt)
		test_end("vmlinux.h: %zu declarations, %zu of kernels that are not here",
			 c->fate_cnt, unknown);
}

int check_header(const char *path, const struct kernels *kernels)
{
	struct check c = {.kernels = kernels};
	struct btf *ours = btf__parse(path, NULL);

	if (libbpf_get_error(ours))
		return fail(-errno, "failed to read the BTF of '%s'", path);
	c.ours = ours;
	for (; !c.err && c.kernel < kernels->cnt; c.kernel++)
		check_kernel(&c);
	if (!c.err)
		check_fates(&c);
	free(c.fates);
	btf__free(ours);
	return c.err;
}
