/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "elf-probes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elf-args.h"

#define BASE_SECTION ".stapsdt.base"

/* Real files have a dozen segments, and some kilobytes of notes. */
#define SEGMENTS_MAX 1024
#define NOTES_MAX    (16 << 20)
#define ADDRESS_MAX  (UINT64_C(1) << 62) /* no sum of two of them overflows */

/* The whole, or -EBADMSG: each caller knows from the file that this must be there. */
static int read_at(int fd, uint64_t offset, void *to, size_t size)
{
	char *at = to;

	if (offset >= ADDRESS_MAX)
		return -EBADMSG;
	while (size) {
		ssize_t len = pread(fd, at, size, offset);

		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0)
			return len ? -errno : -EBADMSG;
		at += len;
		offset += len;
		size -= len;
	}
	return 0;
}

static const unsigned char ident[] = ELF_PROBES_IDENT;

static int read_header(int fd, Elf64_Ehdr *e)
{
	int err = read_at(fd, 0, e, sizeof(*e));

	if (err)
		return err == -EBADMSG ? -ENOEXEC : err;
	if (memcmp(e->e_ident, ident, sizeof(ident)))
		return -ENOEXEC;
	return e->e_type == ET_EXEC || e->e_type == ET_DYN ? 0 : -ENOEXEC;
}

static int add_segment(struct elf_probes *p, const Elf64_Phdr *phdr)
{
	if (phdr->p_type != PT_LOAD)
		return 0;
	if (phdr->p_vaddr >= ADDRESS_MAX || phdr->p_memsz >= ADDRESS_MAX ||
	    phdr->p_offset >= ADDRESS_MAX)
		return -EBADMSG;
	p->segments[p->segments_cnt++] = (struct elf_segment){
		.start = phdr->p_vaddr,
		.size = phdr->p_memsz,
		.offset = phdr->p_offset,
		.executable = phdr->p_flags & PF_X,
	};
	return 0;
}

static int read_segments(struct elf_probes *p, int fd, const Elf64_Ehdr *e)
{
	Elf64_Phdr phdr;
	int err = 0;

	if (e->e_phnum > SEGMENTS_MAX)
		return -E2BIG;
	if (e->e_phnum && e->e_phentsize != sizeof(phdr))
		return -EBADMSG;
	p->segments = calloc(e->e_phnum + 1, sizeof(*p->segments));
	if (!p->segments)
		return -ENOMEM;
	for (size_t i = 0; !err && i < e->e_phnum; i++) {
		err = read_at(fd, e->e_phoff + i * sizeof(phdr), &phdr, sizeof(phdr));
		err = err ?: add_segment(p, &phdr);
	}
	return err;
}

static bool has_name(int fd, uint64_t offset, const char *name)
{
	char found[sizeof(ELF_PROBES_SECTION)];

	return !read_at(fd, offset, found, sizeof(found)) && !memcmp(found, name, sizeof(found));
}

_Static_assert(sizeof(ELF_PROBES_SECTION) == sizeof(BASE_SECTION), "see has_name()");

/* The header of the notes; its sh_size is 0 if there are none. Sets p->base. */
static int find_notes(struct elf_probes *p, int fd, const Elf64_Ehdr *e, Elf64_Shdr *notes)
{
	Elf64_Shdr names, shdr;
	int err;

	*notes = (Elf64_Shdr){0};
	if (!e->e_shoff || e->e_shstrndx >= e->e_shnum)
		return 0;
	if (e->e_shentsize != sizeof(shdr))
		return -EBADMSG;
	err = read_at(fd, e->e_shoff + e->e_shstrndx * sizeof(names), &names, sizeof(names));
	if (!err && names.sh_offset >= ADDRESS_MAX)
		err = -EBADMSG;
	for (size_t i = 1; !err && i < e->e_shnum; i++) {
		err = read_at(fd, e->e_shoff + i * sizeof(shdr), &shdr, sizeof(shdr));
		if (err)
			break;
		if (!p->base && has_name(fd, names.sh_offset + shdr.sh_name, BASE_SECTION))
			p->base = shdr.sh_addr;
		else if (!notes->sh_size && shdr.sh_type == SHT_NOTE &&
			 has_name(fd, names.sh_offset + shdr.sh_name, ELF_PROBES_SECTION))
			*notes = shdr;
	}
	return err;
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

static uint64_t align(uint64_t size)
{
	return (size + 3) & ~UINT64_C(3);
}

static void read_notes(struct elf_probes *p, size_t size)
{
	uint64_t at = 0, name, desc;
	Elf64_Nhdr note;

	while (at + sizeof(note) <= size) {
		memcpy(&note, p->notes + at, sizeof(note));
		name = at + sizeof(note);
		desc = name + align(note.n_namesz);
		at = align(desc + note.n_descsz);
		if (desc + note.n_descsz > size)
			return;
		if (note.n_type == ELF_PROBES_TYPE && note.n_namesz == sizeof(ELF_PROBES_OWNER) &&
		    !memcmp(p->notes + name, ELF_PROBES_OWNER, sizeof(ELF_PROBES_OWNER)))
			read_probe(p, p->notes + desc, note.n_descsz);
	}
}

int elf_probes__read(struct elf_probes *p, int fd)
{
	/* Header, name and the smallest description: so many notes can there be at most. */
	const size_t least = sizeof(Elf64_Nhdr) + sizeof(ELF_PROBES_OWNER) + 3 * sizeof(uint64_t) +
			     3;
	Elf64_Shdr notes;
	Elf64_Ehdr e;
	int err;

	*p = (struct elf_probes){0};
	err = read_header(fd, &e);
	err = err ?: read_segments(p, fd, &e);
	err = err ?: find_notes(p, fd, &e, &notes);
	if (err || !notes.sh_size)
		return err;
	if (notes.sh_size > NOTES_MAX)
		return -E2BIG;
	p->type = e.e_type;
	p->machine = e.e_machine;
	p->notes = malloc(notes.sh_size);
	p->list = calloc(notes.sh_size / least + 1, sizeof(*p->list));
	if (!p->notes || !p->list)
		return -ENOMEM;
	err = read_at(fd, notes.sh_offset, p->notes, notes.sh_size);
	if (!err)
		read_notes(p, notes.sh_size);
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
