// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *core_result_text(enum core_result result)
{
	static const char *const texts[] = {
		[CORE_FOUND] = "found",
		[CORE_MISSING] = "missing",
		[CORE_OTHER_KIND] = "of another kind",
		[CORE_OTHER_SIZE] = "of another size",
		[CORE_BIT_FIELD] = "a bit field",
		[CORE_AMBIGUOUS] = "ambiguous",
	};

	return texts[result];
}

size_t core_name_len(const char *name)
{
	const char *flavour = name;

	/* As in libbpf: the last "___" that has something on both sides. */
	for (const char *at = name; (at = strstr(at, "___")); at++) {
		if (at > name && at[-1] != '_' && at[3] && at[3] != '_')
			flavour = at;
	}
	return flavour > name ? (size_t)(flavour - name) : strlen(name);
}

bool core_same_name(const char *a, const char *b)
{
	size_t len = core_name_len(a);

	return len == core_name_len(b) && !strncmp(a, b, len);
}

static const char *name_of(const struct btf *btf, const struct btf_type *t)
{
	return btf__name_by_offset(btf, t->name_off);
}

static bool same_kind(const struct btf_type *a, const struct btf_type *b)
{
	return btf_kind(a) == btf_kind(b) || (btf_is_any_enum(a) && btf_is_any_enum(b));
}

int core_resolve(const struct btf *btf, int id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	for (; btf_is_mod(t) || btf_is_typedef(t); t = btf__type_by_id(btf, id))
		id = t->type;
	return id;
}

int core_next_candidate(const struct btf *kernel, const struct btf *ours, int id, int after)
{
	const struct btf_type *wanted = btf__type_by_id(ours, id);
	const char *name = name_of(ours, wanted);
	size_t len = core_name_len(name);

	for (int i = after + 1; i < (int)btf__type_cnt(kernel); i++) {
		const struct btf_type *t = btf__type_by_id(kernel, i);

		if (!same_kind(t, wanted) || strncmp(name_of(kernel, t), name, len))
			continue;
		if (core_name_len(name_of(kernel, t)) == len)
			return i;
	}
	return 0;
}

bool core_find_member(const struct btf *btf, int id, const char *name, struct core_field *field)
{
	const struct btf_type *t = btf__type_by_id(btf, core_resolve(btf, id));

	if (!t || !btf_is_composite(t))
		return false;
	for (int i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *m = btf_members(t) + i;
		const char *member = btf__name_by_offset(btf, m->name_off);
		unsigned int offset = btf_member_bit_offset(t, i);

		if (!strcmp(member, name)) {
			*field = (struct core_field){m->type, offset,
						     btf_member_bitfield_size(t, i)};
			return true;
		}
		if (!*member && core_find_member(btf, m->type, name, field)) {
			field->bit_offset += offset;
			return true;
		}
	}
	return false;
}

const char *core_enumerator_name(const struct btf *btf, const struct btf_type *t, int index)
{
	if (index < 0 || index >= btf_vlen(t))
		return "";
	return btf__name_by_offset(btf, btf_is_enum(t) ? btf_enum(t)[index].name_off
						       : btf_enum64(t)[index].name_off);
}

bool core_find_enumerator(const struct btf *btf, int id, const char *name, long long *value)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	for (int i = 0; t && i < btf_vlen(t); i++) {
		if (!core_same_name(core_enumerator_name(btf, t, i), name))
			continue;
		*value = btf_is_enum(t) ? btf_enum(t)[i].val
					: (long long)btf_enum64_value(btf_enum64(t) + i);
		return true;
	}
	return false;
}

/* Two types that have different names are different ones; without a name one cannot tell. */
static bool may_be_same_struct(const struct btf *ours, const struct btf_type *a,
			       const struct btf *kernel, const struct btf_type *b)
{
	const char *ours_name = name_of(ours, a), *kernel_name = name_of(kernel, b);

	return !*ours_name || !*kernel_name || core_same_name(ours_name, kernel_name);
}

static bool is_struct(const struct btf_type *t)
{
	return btf_is_composite(t) || btf_is_fwd(t);
}

static enum core_result compare_pointers(const struct btf *ours, const struct btf_type *a,
					 const struct btf *kernel, const struct btf_type *b)
{
	const struct btf_type *to = btf__type_by_id(ours, core_resolve(ours, a->type));
	const struct btf_type *kernel_to = btf__type_by_id(kernel, core_resolve(kernel, b->type));

	/* "void *" of ours, or of the kernel, may be anything. */
	if (!to || !kernel_to || !is_struct(to) || !is_struct(kernel_to))
		return CORE_FOUND;
	return may_be_same_struct(ours, to, kernel, kernel_to) ? CORE_FOUND : CORE_OTHER_KIND;
}

static enum core_result compare_arrays(const struct btf *ours, const struct btf_type *a,
				       const struct btf *kernel, const struct btf_type *b)
{
	const struct btf_array *array = btf_array(a), *kernel_array = btf_array(b);
	enum core_result result = core_compare(ours, array->type, kernel, kernel_array->type);

	if (result == CORE_FOUND && kernel_array->nelems && array->nelems > kernel_array->nelems)
		return CORE_OTHER_SIZE;
	return result;
}

enum core_result core_compare(const struct btf *ours, int id, const struct btf *kernel,
			      int kernel_id)
{
	const struct btf_type *a = btf__type_by_id(ours, core_resolve(ours, id));
	const struct btf_type *b = btf__type_by_id(kernel, core_resolve(kernel, kernel_id));

	if (!a || !b)
		return CORE_OTHER_KIND;
	if (btf_is_composite(a) && btf_is_composite(b))
		return may_be_same_struct(ours, a, kernel, b) ? CORE_FOUND : CORE_OTHER_KIND;
	if (!same_kind(a, b))
		return CORE_OTHER_KIND;
	if (btf_is_ptr(a))
		return compare_pointers(ours, a, kernel, b);
	if (btf_is_array(a))
		return compare_arrays(ours, a, kernel, b);
	if (btf_is_int(a) || btf_is_any_enum(a) || btf_is_float(a))
		return a->size == b->size ? CORE_FOUND : CORE_OTHER_SIZE;
	return CORE_OTHER_KIND;
}

/* Where a walk along accessors stands: in our type, and in the kernel's. */
struct walk {
	const struct btf *ours, *kernel;
	int id, kernel_id;
	unsigned int bit_offset;
};

static enum core_result walk_into_member(struct walk *w, unsigned int index)
{
	const struct btf_type *t = btf__type_by_id(w->ours, w->id);
	const struct btf_member *m = btf_members(t) + index;
	const char *name;
	struct core_field field;
	enum core_result result;

	if (index >= btf_vlen(t))
		return CORE_OTHER_KIND;
	name = btf__name_by_offset(w->ours, m->name_off);
	w->id = core_resolve(w->ours, m->type);
	/* Which anonymous member of the kernel's has the next name does not matter. */
	if (!*name)
		return CORE_FOUND;
	if (!core_find_member(w->kernel, w->kernel_id, name, &field))
		return CORE_MISSING;
	result = core_compare(w->ours, m->type, w->kernel, field.type);
	w->kernel_id = core_resolve(w->kernel, field.type);
	w->bit_offset += field.bit_offset;
	return result;
}

static enum core_result walk_into_element(struct walk *w, unsigned int index)
{
	const struct btf_type *ours = btf__type_by_id(w->ours, w->id);
	const struct btf_type *kernel = btf__type_by_id(w->kernel, w->kernel_id);
	const struct btf_array *array;
	long long size;

	if (!btf_is_array(ours) || !btf_is_array(kernel))
		return CORE_OTHER_KIND;
	array = btf_array(kernel);
	if (array->nelems && index >= array->nelems)
		return CORE_OTHER_SIZE;
	size = btf__resolve_size(w->kernel, array->type);
	w->bit_offset += index * size * 8;
	w->id = core_resolve(w->ours, btf_array(ours)->type);
	w->kernel_id = core_resolve(w->kernel, array->type);
	return CORE_FOUND;
}

enum core_result core_follow(const struct btf *ours, int root, const char *accessors,
			     const struct btf *kernel, int candidate, unsigned int *bit_offset)
{
	struct walk w = {ours, kernel, core_resolve(ours, root), core_resolve(kernel, candidate),
			 0};
	enum core_result result = CORE_FOUND;

	/* The first accessor is an index of the pointer, as in "task[0].comm". */
	while (result == CORE_FOUND && (accessors = strchr(accessors, ':'))) {
		unsigned int index = strtoul(++accessors, NULL, 10);

		if (btf_is_composite(btf__type_by_id(ours, w.id)))
			result = walk_into_member(&w, index);
		else
			result = walk_into_element(&w, index);
	}
	*bit_offset = w.bit_offset;
	return result;
}

static int describe_step(const struct btf *ours, int *id, unsigned int index, char *buf,
			 size_t size)
{
	const struct btf_type *t = btf__type_by_id(ours, *id);
	const struct btf_member *m = btf_members(t) + index;
	const char *name;

	if (btf_is_array(t)) {
		*id = core_resolve(ours, btf_array(t)->type);
		return snprintf(buf, size, "[%u]", index);
	}
	if (!btf_is_composite(t) || index >= btf_vlen(t))
		return snprintf(buf, size, "?");
	*id = core_resolve(ours, m->type);
	name = btf__name_by_offset(ours, m->name_off);
	return snprintf(buf, size, "%s%s", *name ? "." : "", name);
}

void core_describe(const struct btf *ours, int root, const char *accessors, char *buf, size_t size)
{
	const struct btf_type *t = btf__type_by_id(ours, root);
	const char *name = name_of(ours, t);
	int id = core_resolve(ours, root);
	size_t len;

	len = snprintf(buf, size, "%.*s", (int)core_name_len(name), name);
	if (btf_is_any_enum(t)) {
		name = core_enumerator_name(ours, t, strtol(accessors, NULL, 10));
		snprintf(buf + len, size - len, ".%.*s", (int)core_name_len(name), name);
		return;
	}
	while (len < size && (accessors = strchr(accessors, ':')))
		len += describe_step(ours, &id, strtoul(++accessors, NULL, 10), buf + len,
				     size - len);
}
