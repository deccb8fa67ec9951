/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "raw-events.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "log.h"
#include "nearest.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define DEPTH_MAX 16 /* of a type's text */

/* Types by which an event is known: the first says that it is one, the others name arguments. */
static const struct {
	const char *prefix;
	unsigned int kind;
} marks[] = {
	{"btf_trace_", BTF_KIND_TYPEDEF},
	{"__traceiter_", BTF_KIND_FUNC},
	{"__bpf_trace_", BTF_KIND_FUNC},
	{"__probestub_", BTF_KIND_FUNC},
};

struct mark {
	const char *name; /* of the event */
	size_t rank;      /* in marks */
	const struct btf_type *type;
};

struct marks {
	struct mark *list;
	size_t cnt;
	size_t room;
};

static int marks__add(struct marks *m, const struct mark *mark)
{
	if (m->cnt == m->room) {
		size_t room = 2 * m->room + 64;
		void *list = reallocarray(m->list, room, sizeof(*m->list));

		if (!list)
			return -ENOMEM;
		m->list = list;
		m->room = room;
	}
	m->list[m->cnt++] = *mark;
	return 0;
}

static bool is_mark(const struct btf *btf, const struct btf_type *t, struct mark *mark)
{
	const char *name = btf__name_by_offset(btf, t->name_off);

	for (size_t i = 0; name && i < ARRAY_SIZE(marks); i++) {
		size_t len = strlen(marks[i].prefix);

		if (btf_kind(t) != marks[i].kind || strncmp(name, marks[i].prefix, len))
			continue;
		*mark = (struct mark){name + len, i, t};
		return true;
	}
	return false;
}

static int compare(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ?: (x->rank > y->rank) - (x->rank < y->rank);
}

/* Those whose name is, or without one matches. */
static int find_marks(struct marks *m, const struct btf *btf, const char *name, const char *pattern)
{
	struct mark mark;
	int err = 0;

	for (size_t id = 1; !err && id < btf__type_cnt(btf); id++) {
		if (!is_mark(btf, btf__type_by_id(btf, id), &mark))
			continue;
		if (name ? !strcmp(mark.name, name) : !fnmatch(pattern, mark.name, 0))
			err = marks__add(m, &mark);
	}
	if (!err && m->cnt)
		qsort(m->list, m->cnt, sizeof(*m->list), compare);
	return err;
}

/* What a mark calls: the first parameter is no argument. NULL if it is no function. */
static const struct btf_type *prototype(const struct btf *btf, const struct mark *mark)
{
	const struct btf_type *t = btf__type_by_id(btf, mark->type->type);

	if (t && !mark->rank && btf_is_ptr(t))
		t = btf__type_by_id(btf, t->type);
	return t && btf_is_func_proto(t) && btf_vlen(t) ? t : NULL;
}

static const char *prefix_of(unsigned int kind)
{
	static const char *const prefixes[] = {
		[BTF_KIND_STRUCT] = "struct ",     [BTF_KIND_UNION] = "union ",
		[BTF_KIND_FWD] = "struct ",        [BTF_KIND_ENUM] = "enum ",
		[BTF_KIND_ENUM64] = "enum ",       [BTF_KIND_CONST] = "const ",
		[BTF_KIND_VOLATILE] = "volatile ",
	};

	return kind < ARRAY_SIZE(prefixes) && prefixes[kind] ? prefixes[kind] : "";
}

/* Without what lies behind pointers to functions; const comes before what it is of. */
static void write_type(const struct btf *btf, uint32_t id, char *text, size_t size, int depth)
{
	const struct btf_type *t = id ? btf__type_by_id(btf, id) : NULL;
	const char *name = t ? btf__name_by_offset(btf, t->name_off) : "void";
	char inner[RAW_TYPE];

	if (t && depth && (btf_is_mod(t) || btf_is_ptr(t) || btf_is_array(t))) {
		write_type(btf, btf_is_array(t) ? btf_array(t)->type : t->type, inner,
			   sizeof(inner), depth - 1);
		if (btf_is_array(t))
			snprintf(text, size, "%.*s[%u]", (int)sizeof(inner) - 12, inner,
				 btf_array(t)->nelems);
		else if (btf_is_ptr(t))
			snprintf(text, size, "%s%s*", inner,
				 inner[0] && inner[strlen(inner) - 1] == '*' ? "" : " ");
		else
			snprintf(text, size, "%s%s", prefix_of(btf_kind(t)), inner);
		return;
	}
	if (t && btf_is_func_proto(t))
		name = "function";
	else if (!name || !*name)
		name = "{}";
	snprintf(text, size, "%s%s", t ? prefix_of(btf_kind(t)) : "", name);
}

void raw_type_text(const struct btf *btf, uint32_t id, char text[RAW_TYPE])
{
	write_type(btf, id, text, RAW_TYPE, DEPTH_MAX);
}

/* Of marks of one event, the first of which is a typedef. */
static bool make_event(struct raw_event *e, const struct btf *btf, const struct mark *typedef_mark,
		       const struct mark *names_mark)
{
	const struct btf_type *args = prototype(btf, typedef_mark);
	const struct btf_type *names = names_mark ? prototype(btf, names_mark) : NULL;

	if (!args || btf_vlen(args) > RAW_ARGS_MAX + 1)
		return false;
	if (!names || btf_vlen(names) != btf_vlen(args))
		names = args;
	*e = (struct raw_event){
		.btf = btf,
		.name = typedef_mark->name,
		.cnt = btf_vlen(args) - 1,
	};
	for (size_t i = 0; i < e->cnt; i++) {
		const char *name = btf__name_by_offset(btf, btf_params(names)[i + 1].name_off);

		e->args[i].name = name && *name ? name : NULL;
		e->args[i].type_id = btf_params(args)[i + 1].type;
		raw_type_text(btf, e->args[i].type_id, e->args[i].type);
	}
	return true;
}

/* The event that the marks from *at on are of; *at is then behind them. */
static bool next_event(struct raw_event *e, const struct btf *btf, const struct marks *m,
		       size_t *at)
{
	const struct mark *first = &m->list[*at], *names = NULL;

	for (; *at < m->cnt && !strcmp(m->list[*at].name, first->name); (*at)++) {
		if (!names && m->list[*at].rank)
			names = &m->list[*at];
	}
	return !first->rank && make_event(e, btf, first, names);
}

int raw_events_each(const struct btf *btf, const char *pattern,
		    int (*fn)(const struct raw_event *event, void *arg), void *arg)
{
	struct marks m = {0};
	struct raw_event e;
	int err = find_marks(&m, btf, NULL, pattern);

	for (size_t at = 0; !err && at < m.cnt;) {
		if (next_event(&e, btf, &m, &at))
			err = fn(&e, arg);
	}
	free(m.list);
	return err;
}

static int add_near(const struct raw_event *event, void *arg)
{
	nearest__add(arg, event->name);
	return 0;
}

static int stop_at_once(const struct raw_event *event, void *arg)
{
	(void)event;
	(void)arg;
	return 1;
}

static int refuse_event(const struct btf *btf, const char *name)
{
	char text[NEAREST_TEXT];
	struct nearest nearest;

	nearest_init(&nearest, name);
	raw_events_each(btf, "*", add_near, &nearest);
	refuse(-ENOENT, "the kernel has no raw tracepoint '%s'", name);
	if (!raw_events_each(btf, "*", stop_at_once, NULL)) {
		why("its BTF has none at all: FILE was made of what some programs read");
		suggest("--btf FILE with all of the kernel's BTF");
		return -ENOENT;
	}
	why("its BTF does not have it; those of modules are not in there");
	nearest__text(&nearest, text);
	if (text[0])
		suggest("%s", text);
	return -ENOENT;
}

int raw_event_find(struct raw_event *event, const struct btf *btf, const char *name)
{
	struct marks m = {0};
	int err = find_marks(&m, btf, name, NULL);
	size_t at = 0;

	if (err)
		fail(err, "failed to look for the raw tracepoint '%s'", name);
	else if (!m.cnt || !next_event(event, btf, &m, &at))
		err = refuse_event(btf, name);
	free(m.list);
	return err;
}
