/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "elf-probes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elf-args.h"

#define BASE_SECTION ".stapsdt.base"

#define NOTES_MAX (16 << 20) /* real files have some kilobytes */

/* The header of the notes; NULL if there are none. Sets p->base. */
static const Elf64_Shdr *find_notes(struct elf_probes *p, const struct elf_file *f)
{
	const Elf64_Shdr *notes = NULL;

	for (size_t i = 1; i < f->sections_cnt; i++) {
		const Elf64_Shdr *s = &f->sections[i];

		if (!p->base && elf_file__section_is(f, s, BASE_SECTION))
			p->base = s->sh_addr;
		else if (!notes && s->sh_type == SHT_NOTE && s->sh_size &&
			 elf_file__section_is(f, s, ELF_PROBES_SECTION))
			notes = s;
	}
	return notes;
}

/* What follows the NUL that ends the text at *at; NULL if none does before end. */
static const char *next_text(const char *at, const char *end)
{
	const char *nul = at ? memchr(at, '\0', end - at) : NULL;

	return nul ? nul + 1 : NULL;
}

/* Three addresses, then provider, name and arguments, each with its NUL. */
static void read_probe(struct elf_probes *p, const char *desc, size_t size)
{
	uint64_t addrs[3]; /* place, base, semaphore */
	const char *provider = desc + sizeof(addrs), *end = desc + size;
	const char *name, *args;
	uint64_t moved;

	if (size < sizeof(addrs) + 3)
		return;
	name = next_text(provider, end);
	args = next_text(name, end);
	if (!next_text(args, end) || !*name)
		return;
	memcpy(addrs, desc, sizeof(addrs));
	moved = p->base ? p->base - addrs[1] : 0;
	p->list[p->cnt++] = (struct elf_probe){
		.provider = provider,
		.name = name,
		.args = elf_args_are_readable(args) ? args : NULL,
		.addr = addrs[0] + moved,
		.semaphore = addrs[2] ? addrs[2] + moved : 0,
	};
}

static int read_notes(struct elf_probes *p, const struct elf_file *f, const Elf64_Shdr *notes)
{
	/* Header, name and the smallest description: so many notes can there be at most. */
	const size_t least = sizeof(Elf64_Nhdr) + sizeof(ELF_PROBES_OWNER) + 3 * sizeof(uint64_t) +
			     3;
	uint32_t desc_size;
	const char *desc;
	uint64_t at = 0;
	int err = elf_file__load(f, notes, NOTES_MAX, &p->notes);

	if (err)
		return err;
	p->list = calloc(notes->sh_size / least + 1, sizeof(*p->list));
	if (!p->list)
		return -ENOMEM;
	while ((desc = elf_note_next(p->notes, notes->sh_size, &at, ELF_PROBES_OWNER,
				     ELF_PROBES_TYPE, &desc_size)))
		read_probe(p, desc, desc_size);
	return 0;
}

int elf_probes__read(struct elf_probes *p, int fd)
{
	const Elf64_Shdr *notes;
	struct elf_file f;
	int err = elf_file__read(&f, fd);

	*p = (struct elf_probes){.type = f.type, .machine = f.machine};
	if (!err && !f.is_64)
		err = -ENOEXEC;
	notes = err ? NULL : find_notes(p, &f);
	if (notes)
		err = read_notes(p, &f, notes);
	if (!err) {
		p->segments = f.segments;
		p->segments_cnt = f.segments_cnt;
		f.segments = NULL;
	}
	elf_file__free(&f);
	return err;
}

int elf_probes__find(const struct elf_probes *p, const char *provider, const char *name,
		     const struct elf_probe **at)
{
	int err = -ENOENT;

	for (size_t i = 0; i < p->cnt; i++) {
		*at = &p->list[i];
		if (strcmp(p->list[i].provider, provider) || strcmp(p->list[i].name, name))
			continue;
		if (!p->list[i].args)
			return -EINVAL;
		err = 0;
	}
	return err;
}

int elf_probes__move(struct elf_probes *p, uint64_t addr, uint64_t size, uint64_t offset)
{
	const struct elf_segment *s = p->segments, *end = s + p->segments_cnt;
	uint64_t moved;

	/* The mapping begins with the page that the segment begins in. */
	while (s < end && !(s->executable && s->offset >= offset && s->offset - offset < size))
		s++;
	if (s == end)
		return -ESRCH;
	moved = addr + (s->offset - offset) - s->start;
	for (size_t i = 0; i < p->segments_cnt; i++)
		p->segments[i].start += moved;
	for (size_t i = 0; i < p->cnt; i++) {
		p->list[i].addr += moved;
		p->list[i].semaphore += p->list[i].semaphore ? moved : 0;
	}
	p->type = ET_EXEC;
	return 0;
}

void elf_probes__free(struct elf_probes *p)
{
	free(p->list);
	free(p->segments);
	free(p->notes);
	*p = (struct elf_probes){0};
}
