/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What an expression means, step by step along the kernel's types. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "log.h"
#include "nearest.h"
#include "raw-events.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define MODIFIERS_MAX 32
#define MEMBERS_DEPTH 8       /* of anonymous structures within each other */
#define ELEMENT_MAX   0xfffff /* of arrays whose length is not said */
#define WORD_MAX      64
#define BITS_MAX      (UINT64_C(1) << 34)

/* Where an expression has led so far. */
struct path {
	const struct raw_event *event;
	const char *text; /* the whole expression */
	const char *at;   /* what of it is left */
	struct raw_value *value;
	uint32_t id;    /* the type there */
	bool in_memory; /* behind a pointer, bits from where it leads to; else the argument */
	uint64_t bits;
	unsigned int width; /* of a bit field */
};

static int refuse_path(const struct path *p, int err, const char *because)
{
	refuse(err, "'%s' of the raw tracepoint '%s' cannot be read", p->text, p->event->name);
	why("%s", because);
	return err;
}

/* Without const, typedef and the like. *big_endian, if not NULL: one of those was __be16 etc. */
static const struct btf_type *bare_type(const struct btf *btf, uint32_t id, bool *big_endian)
{
	const struct btf_type *t = id ? btf__type_by_id(btf, id) : NULL;

	for (int i = 0; i < MODIFIERS_MAX && t && (btf_is_mod(t) || btf_is_typedef(t)); i++) {
		const char *name = btf__name_by_offset(btf, t->name_off);

		if (big_endian && btf_is_typedef(t) && name && !strncmp(name, "__be", 4))
			*big_endian = true;
		t = t->type ? btf__type_by_id(btf, t->type) : NULL;
	}
	return t;
}

static int add_step(struct path *p)
{
	char because[64];

	if (p->bits >= BITS_MAX)
		return refuse_path(p, -EINVAL, "it is too far away");
	if (p->value->steps_cnt == RAW_STEPS_MAX) {
		snprintf(because, sizeof(because), "it is more than %d pointers away",
			 RAW_STEPS_MAX - 1);
		return refuse_path(p, -EINVAL, because);
	}
	p->value->steps[p->value->steps_cnt++] = p->bits / 8;
	p->bits = 0;
	return 0;
}

/* Memory that is not at the address that is said: compilers that tell mark its type so. */
static bool is_elsewhere(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = id ? btf__type_by_id(btf, id) : NULL;
	const char *name = t && btf_is_type_tag(t) ? btf__name_by_offset(btf, t->name_off) : NULL;

	return name && (!strcmp(name, "percpu") || !strcmp(name, "user"));
}

/* To what a pointer leads to, if there is one. */
static int follow(struct path *p)
{
	const struct btf *btf = p->event->btf;
	const struct btf_type *t = bare_type(btf, p->id, NULL);

	if (!t || !btf_is_ptr(t))
		return 0;
	if (is_elsewhere(btf, t->type))
		return refuse_path(p, -EINVAL, "it is memory of a CPU or of the process");
	if (p->in_memory && add_step(p))
		return -EINVAL;
	p->in_memory = true;
	p->bits = 0;
	p->id = t->type;
	return 0;
}

/* A member, also one of members without a name. Returns false if there is none. */
static bool find_member(struct path *p, const struct btf_type *t, const char *name, int depth)
{
	const struct btf *btf = p->event->btf;
	const struct btf_member *m = btf_members(t);

	for (int i = 0; i < btf_vlen(t); i++, m++) {
		uint64_t bits = btf_member_bit_offset(t, i);
		const char *found = btf__name_by_offset(btf, m->name_off);
		const struct btf_type *inner = *found ? NULL : bare_type(btf, m->type, NULL);

		if (*found && !strcmp(found, name)) {
			p->bits += bits;
			p->id = m->type;
			p->width = btf_member_bitfield_size(t, i);
			return true;
		}
		if (!inner || !btf_is_composite(inner) || !depth)
			continue;
		p->bits += bits;
		if (find_member(p, inner, name, depth - 1))
			return true;
		p->bits -= bits;
	}
	return false;
}

static void add_near(const struct btf *btf, const struct btf_type *t, struct nearest *nearest,
		     int depth)
{
	const struct btf_member *m = btf_members(t);

	for (int i = 0; i < btf_vlen(t); i++, m++) {
		const char *name = btf__name_by_offset(btf, m->name_off);
		const struct btf_type *inner = *name ? NULL : bare_type(btf, m->type, NULL);

		if (*name)
			nearest__add(nearest, name);
		else if (inner && btf_is_composite(inner) && depth)
			add_near(btf, inner, nearest, depth - 1);
	}
}

static int refuse_member(const struct path *p, const struct btf_type *t, const char *name)
{
	char type[RAW_TYPE], because[RAW_TYPE + WORD_MAX + 32], text[NEAREST_TEXT];
	struct nearest nearest;

	raw_type_text(p->event->btf, p->id, type);
	snprintf(because, sizeof(because), "'%s' has no member '%s'", type, name);
	refuse_path(p, -ENOENT, because);
	nearest_init(&nearest, name);
	if (t && btf_is_composite(t))
		add_near(p->event->btf, t, &nearest, MEMBERS_DEPTH);
	nearest__text(&nearest, text);
	if (text[0])
		suggest("%s", text);
	return -ENOENT;
}

/* A name at the front of what is left; empty if there is none, or it is too long. */
static void take_word(struct path *p, char word[WORD_MAX])
{
	size_t len = 0;

	while (isalnum((unsigned char)p->at[len]) || p->at[len] == '_')
		len++;
	snprintf(word, WORD_MAX, "%.*s", len < WORD_MAX ? (int)len : 0, p->at);
	p->at += strlen(word);
}

static int to_member(struct path *p)
{
	const struct btf_type *t;
	char name[WORD_MAX];
	int err;

	take_word(p, name);
	if (!name[0])
		return refuse_path(p, -EINVAL, "the name of a member is missing");
	err = follow(p);
	if (err)
		return err;
	t = bare_type(p->event->btf, p->id, NULL);
	if (!t || !btf_is_composite(t) || !find_member(p, t, name, MEMBERS_DEPTH))
		return refuse_member(p, t, name);
	return p->in_memory ? 0 : refuse_path(p, -EINVAL, "the argument is not in memory");
}

static int to_element(struct path *p)
{
	const struct btf *btf = p->event->btf;
	const struct btf_type *t = bare_type(btf, p->id, NULL);
	unsigned long nr, cnt = ELEMENT_MAX;
	int64_t size;
	char *end;

	nr = strtoul(p->at, &end, 10);
	if (!isdigit((unsigned char)*p->at) || *end != ']')
		return refuse_path(p, -EINVAL, "the number of an element, and ']', are missing");
	p->at = end + 1;
	if (t && btf_is_array(t)) {
		p->id = btf_array(t)->type;
		cnt = btf_array(t)->nelems ?: cnt;
	} else if (!t || !btf_is_ptr(t)) {
		return refuse_path(p, -EINVAL, "only arrays and pointers have elements");
	} else if (follow(p)) {
		return -EINVAL;
	}
	size = p->id ? btf__resolve_size(btf, p->id) : -EINVAL;
	if (size < 0 || nr >= cnt)
		return refuse_path(p, -EINVAL, "there is no such element");
	p->bits += 8 * size * nr;
	return 0;
}

/* The steps that are left to take; after an error it has a message. */
static int walk(struct path *p)
{
	int err = 0;

	while (!err && *p->at) {
		if (p->width)
			return refuse_path(p, -EINVAL, "a bit field has no parts");
		if (!strncmp(p->at, "->", 2)) {
			p->at += 2;
			err = to_member(p);
		} else if (*p->at == '.') {
			p->at++;
			err = to_member(p);
		} else if (*p->at == '[') {
			p->at++;
			err = to_element(p);
		} else {
			err = refuse_path(p, -EINVAL,
					  "parts of it are joined by '->', '.' or '[N]'");
		}
	}
	return err;
}

static int refuse_argument(const struct path *p, const char *word)
{
	char all[512] = "", text[NEAREST_TEXT];
	const struct raw_event *e = p->event;
	struct nearest nearest;
	size_t len = 0;

	nearest_init(&nearest, word);
	for (size_t i = 0; i < e->cnt && len < sizeof(all); i++) {
		len += snprintf(all + len, sizeof(all) - len, "%s%s arg%zu", i ? ", " : "",
				e->args[i].type, i + RAW_FIRST_ARG);
		if (!e->args[i].name || len >= sizeof(all))
			continue;
		len += snprintf(all + len, sizeof(all) - len, " (%s)", e->args[i].name);
		nearest__add(&nearest, e->args[i].name);
	}
	refuse(-ENOENT, "the raw tracepoint '%s' has no argument '%s'", e->name, word);
	why("its arguments are: %s", all[0] ? all : "none");
	nearest__text(&nearest, text);
	if (text[0])
		suggest("%s", text);
	return -ENOENT;
}

static int find_argument(struct path *p)
{
	const struct raw_event *e = p->event;
	char word[WORD_MAX], number[32];
	size_t i;

	take_word(p, word);
	for (i = 0; i < e->cnt; i++) {
		if (e->args[i].name && !strcmp(e->args[i].name, word))
			break;
	}
	for (size_t j = 0; i == e->cnt && j < e->cnt; j++) {
		snprintf(number, sizeof(number), "arg%zu", j + RAW_FIRST_ARG);
		if (!strcmp(word, number))
			i = j;
	}
	if (i == e->cnt)
		return refuse_argument(p, word[0] ? word : p->text);
	p->value->arg = i;
	p->id = e->args[i].type_id;
	return 0;
}

/* The smallest number that has all bits of the field; it lies as such numbers do. */
static int end_bit_field(struct path *p)
{
	struct raw_value *v = p->value;
	uint64_t bits = p->bits, from;

	for (v->size = 1; v->size < 8; v->size *= 2) {
		from = bits / (8 * v->size) * (8 * v->size);
		if (bits + p->width <= from + 8 * v->size)
			break;
	}
	from = bits / (8 * v->size) * (8 * v->size);
	if (bits + p->width > from + 64) /* of a packed structure */
		from = bits / 8 * 8;
	if (bits + p->width > from + 64)
		return refuse_path(p, -EINVAL, "the bit field is too long");
	v->shift = bits - from;
	v->width = p->width;
	p->bits = from;
	return 0;
}

/* Before 6.0 the BTF does not say it: values do. */
static bool enum_is_signed(const struct btf_type *t)
{
	const struct btf_enum *e = btf_enum(t);

	if (btf_kflag(t) || btf_is_enum64(t))
		return btf_kflag(t);
	for (int i = 0; i < btf_vlen(t); i++) {
		if (e[i].val < 0)
			return true;
	}
	return false;
}

static int end_number(struct path *p, const struct btf_type *t)
{
	struct raw_value *v = p->value;

	v->kind = RAW_NUMBER;
	v->size = t->size;
	v->is_signed = btf_is_int(t) ? btf_int_encoding(t) & BTF_INT_SIGNED : enum_is_signed(t);
	if (v->size != 1 && v->size != 2 && v->size != 4 && v->size != 8)
		return refuse_path(p, -EINVAL, "it is too large a number");
	if (p->width && end_bit_field(p))
		return -EINVAL;
	return p->in_memory ? add_step(p) : 0;
}

static bool is_char(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = bare_type(btf, id, NULL);

	return t && btf_is_int(t) && !strcmp(btf__name_by_offset(btf, t->name_off), "char");
}

static int end_pointer(struct path *p, const struct btf_type *t)
{
	p->value->size = sizeof(uint64_t);
	if (!is_char(p->event->btf, t->type)) {
		p->value->kind = RAW_POINTER;
		return p->in_memory ? add_step(p) : 0;
	}
	p->value->kind = RAW_STRING;
	p->value->size = 0;
	return follow(p) ?: add_step(p);
}

static int refuse_whole(const struct path *p, const struct btf_type *t)
{
	char because[RAW_TYPE + 32], type[RAW_TYPE];

	raw_type_text(p->event->btf, p->id, type);
	snprintf(because, sizeof(because), "'%s' is no number and no text", type);
	refuse_path(p, -EINVAL, because);
	if (t && btf_is_array(t))
		suggest("%s[0]", p->text);
	else if (t && btf_is_composite(t))
		suggest("%s.MEMBER", p->text);
	return -EINVAL;
}

static int end_path(struct path *p)
{
	struct raw_value *v = p->value;
	const struct btf_type *t = bare_type(p->event->btf, p->id, &v->is_big_endian);

	raw_type_text(p->event->btf, p->id, v->type);
	if (t && (btf_is_int(t) || btf_is_any_enum(t)))
		return end_number(p, t);
	v->is_big_endian = false;
	if (t && btf_is_ptr(t))
		return end_pointer(p, t);
	if (!t || !p->in_memory || !btf_is_array(t) || !is_char(p->event->btf, btf_array(t)->type))
		return refuse_whole(p, t);
	v->kind = RAW_STRING;
	v->size = btf_array(t)->nelems;
	return add_step(p);
}

int raw_event__resolve(const struct raw_event *event, const char *text, struct raw_value *value)
{
	struct path p = {.event = event, .text = text, .at = text, .value = value};
	int err;

	*value = (struct raw_value){0};
	err = find_argument(&p);
	err = err ?: walk(&p);
	return err ?: end_path(&p);
}
