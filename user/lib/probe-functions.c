// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "probe-functions.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elf-symbols.h"
#include "instruction.h"
#include "log.h"
#include "privilege.h"
#include "uprobe.h"

/* Where a site is to be attached, once or several times. */
struct spot {
	struct uprobe_site at;
	const struct probe_site *site;
	bool is_return; /* by a return probe */
};

struct spots {
	const struct probe_functions *f;
	const struct elf_symbols *symbols;
	struct spot *list;
	size_t cnt;
};

static int spots__add(struct spots *s, const struct spot *spot)
{
	struct spot *grown = reallocarray(s->list, s->cnt + 1, sizeof(*grown));

	if (!grown)
		return fail(-ENOMEM, "failed to list the probes");
	s->list = grown;
	s->list[s->cnt++] = *spot;
	return 0;
}

static int explain_failure(int err, const char *label, const struct probe_place *place)
{
	fail(err, "failed to attach to the function %s of '%s'", place->name, label);
	if (!privilege_may_probe()) {
		why("this kernel lets only CAP_SYS_ADMIN attach probes to programs");
		suggest("sudo %s ...", log_tool());
	}
	return err;
}

/* Into a function, at most; and its last instruction. */
#define OFFSET_MAX 65536

/*
 * The kernel would put its breakpoint anywhere; inside of an instruction, it changes what each
 * process that runs the file does.
 */
static int check_offset(const struct elf_symbols *symbols, const struct elf_symbol *symbol,
			const struct probe_place *place)
{
	size_t size = place->offset + INSTRUCTION_MAX;
	uint8_t *code = NULL;
	ssize_t start = -EINVAL;

	if (!place->offset)
		return 0;
	if (symbol->size && size > symbol->size)
		size = symbol->size;
	if (symbols->file.is_64 && place->offset < OFFSET_MAX)
		code = malloc(size);
	if (code && !elf_file__read_at(&symbols->file, symbol->offset, code, size))
		start = instruction_start(code, size, place->offset);
	free(code);
	if (start >= 0 && (uint64_t)start == place->offset)
		return 0;
	refuse(-EINVAL, "no instruction of '%s' is known to begin at +%#llx", place->name,
	       (unsigned long long)place->offset);
	why("a probe inside of one would change what the program does");
	if (start >= 0)
		suggest("%s+%#zx, where one begins", place->name, (size_t)start);
	return -EINVAL;
}

static int check_symbol(const struct spots *s, const struct elf_symbol *symbol,
			const struct probe_place *place)
{
	if (symbol->is_ifunc) {
		refuse(-EINVAL, "'%s' of '%s' only chooses which function is called", place->name,
		       s->f->label);
		suggest("probehist -l %s '*%s*'", s->f->label, place->name);
		return -EINVAL;
	}
	if (place->offset && symbol->size && place->offset >= symbol->size) {
		refuse(-EINVAL, "'%s' of '%s' ends before +%#llx", place->name, s->f->label,
		       (unsigned long long)place->offset);
		why("it has %llu bytes", (unsigned long long)symbol->size);
		return -EINVAL;
	}
	return check_offset(s->symbols, symbol, place);
}

/* Of a program with parts in Go and in C, those in Go have the name of their package. */
static bool is_of_go(const struct elf_symbols *symbols, const char *name)
{
	const struct elf_file *f = &symbols->file;

	for (size_t i = 0; strchr(name, '.') && i < f->sections_cnt; i++) {
		if (elf_file__section_is(f, &f->sections[i], ".note.go.buildid"))
			return true;
	}
	return false;
}

/* The kernel would put its own return address on a stack that Go moves, and does not know. */
static int check_go(const struct elf_symbols *symbols, const struct probe_site *site)
{
	const char *name = site->place.name;

	if (!is_of_go(symbols, name))
		return 0;
	if (site->place.source == PROBE_URETPROBE) {
		refuse(-EOPNOTSUPP, "'%s' is a function in Go, whose return cannot be probed",
		       name);
		why("the program would crash when it moves its stack");
		suggest("uprobe:, or lat:PROBE to PROBE");
		return -EOPNOTSUPP;
	}
	if (!probe_site__reads_registers(site))
		return 0;
	refuse(-EOPNOTSUPP, "'%s' is a function in Go, whose arguments cannot be read", name);
	why("they are not where functions in C have them");
	suggest("count:uprobe:BINARY:%s", name);
	return -EOPNOTSUPP;
}

/*
 * The cheapest places for a program, which may be moved if of the registers it reads only those
 * that have the same values there: arguments or the result, and not the stack pointer.
 */
static void place(const struct spots *s, const struct probe_site *site,
		  const struct elf_symbol *symbol, int fd, struct placement *p)
{
	uint32_t registers = probe_site__registers(site);
	bool is_return = site->place.source == PROBE_URETPROBE;
	bool may_move = !site->place.offset && !is_of_go(s->symbols, site->place.name) &&
			!(registers & ~(is_return ? PROBE_RESULT : PROBE_ARGUMENTS));

	*p = (struct placement){0};
	if (may_move)
		uprobe_place(p, fd, symbol->offset, symbol->size, is_return ? 0 : registers);
	if (!may_move)
		p->entry = site->place.offset;
}

static void tell(const struct spots *s, const struct spot *spot, const struct elf_symbol *symbol,
		 const char *reason)
{
	verbose("%s%s+%#llx of '%s' at %#llx%s%s", spot->is_return ? "return of " : "",
		spot->site->place.name, (unsigned long long)(spot->at.offset - symbol->offset),
		s->f->label, (unsigned long long)spot->at.offset, *reason ? ": " : "", reason);
}

static int add_symbol(struct spots *s, size_t index, const struct elf_symbol *symbol, int fd)
{
	const struct probe_site *site = &s->f->sites[index];
	bool is_return = site->place.source == PROBE_URETPROBE;
	struct spot spot = {.site = site, .at.cookie = index};
	struct placement p;
	int err = check_symbol(s, symbol, &site->place);

	if (err)
		return err;
	place(s, site, symbol, fd, &p);
	spot.is_return = is_return && !p.returns_cnt;
	for (size_t i = 0; !err && i < (is_return && p.returns_cnt ? p.returns_cnt : 1); i++) {
		if (spot.is_return)
			spot.at.offset = symbol->offset + site->place.offset;
		else
			spot.at.offset = symbol->offset + (is_return ? p.returns[i] : p.entry);
		tell(s, &spot, symbol, is_return ? p.why_return : p.why_entry);
		err = spots__add(s, &spot);
	}
	return err;
}

static int add_function(struct spots *s, size_t index, int fd)
{
	const struct probe_site *site = &s->f->sites[index];
	const char *label = s->f->label;
	struct elf_symbol *list = NULL;
	ssize_t cnt = elf_symbols__find(s->symbols, site->place.name, &list);
	int err = 0;

	if (cnt < 0)
		err = fail(cnt, "failed to list the functions of '%s'", label);
	else if (!cnt)
		err = elf_symbols__refuse(s->symbols, label, site->place.name);
	else if (!s->symbols->file.is_64 && probe_site__reads_registers(site)) {
		err = refuse(-EOPNOTSUPP, "'%s' is a 32-bit file", label);
		why("its functions have their arguments elsewhere");
		suggest("count:uprobe:%s:%s", label, site->place.name);
	}
	err = err ?: check_go(s->symbols, site);
	for (ssize_t i = 0; !err && i < cnt; i++)
		err = add_symbol(s, index, &list[i], fd);
	free(list);
	return err;
}

/* Can these be one link? In it, all are of one kind; and ends of latencies come before begins. */
static bool go_together(const struct spot *a, const struct spot *b)
{
	return a->is_return == b->is_return &&
	       (a->site->point.role == ROLE_END) == (b->site->point.role == ROLE_END);
}

static int attach_some(const struct spots *s, const struct spot *spots, size_t cnt)
{
	const struct probe_functions *f = s->f;
	struct uprobe_site *at = calloc(cnt, sizeof(*at));
	int err = at ? 0 : fail(-ENOMEM, "failed to list the probes");

	for (size_t i = 0; !err && i < cnt; i++)
		at[i] = spots[i].at;
	if (!err && !uprobe_attach(f->prog, f->binary->path, at, cnt, f->pid, spots->is_return))
		goto out;
	/* One by one, to tell which it was. */
	for (size_t i = 0; !err && i < cnt; i++) {
		err = uprobe_attach(f->prog, f->binary->path, &at[i], 1, f->pid, spots->is_return);
		if (err)
			explain_failure(err, f->label, &spots[i].site->place);
	}
out:
	free(at);
	return err;
}

static int attach_all(const struct spots *s)
{
	size_t first = 0;
	int err = 0;

	for (size_t i = 1; !err && i <= s->cnt; i++) {
		if (i < s->cnt && go_together(&s->list[first], &s->list[i]))
			continue;
		err = attach_some(s, &s->list[first], i - first);
		first = i;
	}
	return err;
}

int probe_functions_attach(const struct probe_functions *f)
{
	struct elf_symbols symbols = {0};
	struct spots s = {.f = f, .symbols = &symbols};
	int fd = open(f->binary->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err;

	if (fd < 0)
		return fail(-errno, "failed to open '%s'", f->label);
	err = elf_symbols__read(&symbols, fd, ELF_DEBUG_DIR);
	if (err == -ENOEXEC)
		refuse(err, "'%s' has no functions: it is no program and no library", f->label);
	else if (err == -EBADMSG || err == -E2BIG)
		refuse(err, "'%s' is a damaged ELF file", f->label);
	else if (err)
		fail(err, "failed to read '%s'", f->label);
	for (size_t i = 0; !err && i < f->cnt; i++)
		err = add_function(&s, f->order[i], fd);
	err = err ?: attach_all(&s);
	elf_symbols__free(&symbols);
	free(s.list);
	close(fd);
	return err;
}
