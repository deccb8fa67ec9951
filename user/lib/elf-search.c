/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which functions of a file have a name. */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "elf-symbols.h"
#include "log.h"

#define VERSION_OLD   0x8000 /* in .gnu.version: not what programs are linked with */
#define VERSION_FIRST 2      /* 0 and 1: none */

static bool is_defined(const Elf64_Sym *sym)
{
	return sym->st_shndx != SHN_UNDEF && sym->st_shndx != SHN_ABS &&
	       sym->st_shndx != SHN_COMMON;
}

/* What is asked for: a pattern, or a name of len letters, of a version if that is not NULL. */
struct query {
	const char *pattern;
	const char *name;
	size_t len;
	const char *version;
};

/* In .symtab a name can be followed by its version. */
static bool query__matches(const struct query *q, const char *name)
{
	size_t len = strcspn(name, "@");
	char *copy;
	bool matches;

	if (!q->pattern)
		return len == q->len && !memcmp(name, q->name, len);
	if (!name[len])
		return !fnmatch(q->pattern, name, 0);
	copy = strndup(name, len);
	matches = copy && !fnmatch(q->pattern, copy, 0);
	free(copy);
	return matches;
}

static void find_version(const struct elf_symbol_table *t, size_t nr, struct elf_symbol *symbol)
{
	const char *text = symbol->name + symbol->name_len;
	uint16_t number;

	if (*text) {
		symbol->is_old = text[1] != '@';
		symbol->version = text + (symbol->is_old ? 1 : 2);
	}
	if (!t->version_names)
		return;
	memcpy(&number, t->versions + nr * sizeof(number), sizeof(number));
	symbol->is_old = number & VERSION_OLD;
	if (number % ELF_VERSIONS >= VERSION_FIRST)
		symbol->version = t->version_names[number % ELF_VERSIONS];
}

/* False if there is no code at its address. */
static bool make_symbol(const struct elf_symbols *s, const struct elf_symbol_table *t, size_t nr,
			const Elf64_Sym *sym, struct elf_symbol *symbol)
{
	const char *name = t->names + sym->st_name;
	int64_t offset = elf_file__code_offset(&s->file, sym->st_value);

	if (offset < 0)
		return false;
	*symbol = (struct elf_symbol){
		.name = name,
		.name_len = strcspn(name, "@"),
		.addr = sym->st_value,
		.offset = offset,
		.size = sym->st_size,
		.is_local = ELF64_ST_BIND(sym->st_info) == STB_LOCAL,
		.is_ifunc = ELF64_ST_TYPE(sym->st_info) == STT_GNU_IFUNC,
	};
	find_version(t, nr, symbol);
	return true;
}

struct found {
	struct elf_symbol *list;
	size_t cnt;
	size_t room;
};

static int found__add(struct found *found, const struct elf_symbol *symbol)
{
	if (found->cnt == found->room) {
		size_t room = 2 * found->room + 16;
		void *list = reallocarray(found->list, room, sizeof(*found->list));

		if (!list)
			return -ENOMEM;
		found->list = list;
		found->room = room;
	}
	found->list[found->cnt++] = *symbol;
	return 0;
}

static int collect(const struct elf_symbols *s, const struct elf_symbol_table *t,
		   const struct query *q, struct found *found)
{
	struct elf_symbol symbol;
	const char *name;
	Elf64_Sym sym;
	int err = 0;

	for (size_t i = 0; !err && i < t->cnt; i++) {
		name = elf_symbols__get(s, t, i, &sym);
		if (!name || !is_defined(&sym) || !query__matches(q, name) ||
		    !make_symbol(s, t, i, &sym, &symbol))
			continue;
		if (!q->version || (symbol.version && !strcmp(symbol.version, q->version)))
			err = found__add(found, &symbol);
	}
	return err;
}

static int compare_names(const struct elf_symbol *a, const struct elf_symbol *b)
{
	size_t len = a->name_len < b->name_len ? a->name_len : b->name_len;
	int order = memcmp(a->name, b->name, len);

	return order ?: (a->name_len > b->name_len) - (a->name_len < b->name_len);
}

/* Of one place the first says most: it is not old, it has a version. */
static int compare(const void *a, const void *b)
{
	const struct elf_symbol *x = a, *y = b;
	int order = compare_names(x, y);

	order = order ?: (x->offset > y->offset) - (x->offset < y->offset);
	return order ?: 2 * (x->is_old - y->is_old) + !x->version - !y->version;
}

static void merge_places(struct found *found)
{
	size_t cnt = 0;

	for (size_t i = 0; i < found->cnt; i++) {
		struct elf_symbol *next = &found->list[i],
				  *last = cnt ? &found->list[cnt - 1] : NULL;

		if (!last || compare_names(last, next) || last->offset != next->offset) {
			found->list[cnt++] = *next;
			continue;
		}
		last->is_ifunc |= next->is_ifunc;
		last->is_local &= next->is_local;
		if (last->size < next->size)
			last->size = next->size;
	}
	found->cnt = cnt;
}

static void drop_old(struct found *found)
{
	size_t cnt = 0;

	for (size_t i = 0; i < found->cnt; i++) {
		if (!found->list[i].is_old)
			found->list[cnt++] = found->list[i];
	}
	if (cnt)
		found->cnt = cnt;
}

/* Names that their version follows are copied behind the list, and get their NUL there. */
static int end_names(struct found *found)
{
	size_t size = found->cnt * sizeof(*found->list);
	void *list;
	char *at;

	for (size_t i = 0; i < found->cnt; i++)
		size += found->list[i].name[found->list[i].name_len] ? found->list[i].name_len + 1
								     : 0;
	list = realloc(found->list, size + 1);
	if (!list)
		return -ENOMEM;
	found->list = list;
	at = (char *)(found->list + found->cnt);
	for (size_t i = 0; i < found->cnt; i++) {
		struct elf_symbol *symbol = &found->list[i];

		if (!symbol->name[symbol->name_len])
			continue;
		memcpy(at, symbol->name, symbol->name_len);
		at[symbol->name_len] = '\0';
		symbol->name = at;
		at += symbol->name_len + 1;
	}
	return 0;
}

static ssize_t ask(const struct elf_symbols *s, const struct query *q, struct elf_symbol **list)
{
	struct found found = {0};
	int err = 0;

	for (size_t i = 0; !err && i < ELF_SYMBOL_TABLES; i++)
		err = collect(s, &s->tables[i], q, &found);
	if (!err && found.cnt) {
		qsort(found.list, found.cnt, sizeof(*found.list), compare);
		merge_places(&found);
		if (!q->pattern && !q->version)
			drop_old(&found);
	}
	err = err ?: end_names(&found);
	*list = found.list; /* to be freed after errors too */
	return err ?: (ssize_t)found.cnt;
}

ssize_t elf_symbols__find(const struct elf_symbols *s, const char *name, struct elf_symbol **list)
{
	struct query q = {.name = name, .len = strcspn(name, "@")};

	/* A compiler's map of symbols writes "@@" before the version that is the default. */
	if (name[q.len])
		q.version = name + q.len + 1 + (name[q.len + 1] == '@');
	return ask(s, &q, list);
}

ssize_t elf_symbols__match(const struct elf_symbols *s, const char *pattern,
			   struct elf_symbol **list)
{
	return ask(s, &(struct query){.pattern = pattern}, list);
}

struct census {
	struct nearest nearest;
	size_t defined;
	bool imported; /* the name that was asked for */
};

static void count_table(const struct elf_symbols *s, const struct elf_symbol_table *t,
			struct census *census)
{
	const char *name;
	Elf64_Sym sym;

	for (size_t i = 0; i < t->cnt; i++) {
		name = elf_symbols__get(s, t, i, &sym);
		if (!name)
			continue;
		if (is_defined(&sym)) {
			census->defined++;
			/* What the name would be without its version, .dynsym says. */
			nearest__add(&census->nearest, name);
		} else if (!strcmp(name, census->nearest.word)) {
			census->imported = true;
		}
	}
}

int elf_symbols__refuse(const struct elf_symbols *s, const char *file, const char *name)
{
	const char *known = s->is_stripped && !s->has_debug_file
				    ? "it is stripped: only functions that it exports have names"
				    : "all of its symbols were looked at";
	char text[NEAREST_TEXT];
	struct census census = {0};

	nearest_init(&census.nearest, name);
	for (size_t i = 0; i < ELF_SYMBOL_TABLES; i++)
		count_table(s, &s->tables[i], &census);
	refuse(-ENOENT, "'%s' has no function '%s'", file, name);
	if (census.imported)
		known = "it calls that of another file";
	else if (!census.defined)
		known = "it has no symbols of functions";
	why("%s%s%s", known, s->build_id[0] ? "; its build id is " : "", s->build_id);
	nearest__text(&census.nearest, text);
	if (text[0])
		suggest("%s", text);
	return -ENOENT;
}
