/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "elf-file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEGMENTS_MAX 1024 /* real files have a dozen */

#define ORDER (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB)

/* The whole, or -EBADMSG: each caller knows from the file that this must be there. */
int elf_file__read_at(const struct elf_file *f, uint64_t offset, void *to, size_t size)
{
	char *at = to;

	if (offset >= ELF_ADDRESS_MAX)
		return -EBADMSG;
	while (size) {
		ssize_t len = pread(f->fd, at, size, offset);

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

static void widen_header(void *to, const void *from)
{
	const Elf32_Ehdr *e = from;

	*(Elf64_Ehdr *)to = (Elf64_Ehdr){
		.e_type = e->e_type,
		.e_machine = e->e_machine,
		.e_phoff = e->e_phoff,
		.e_shoff = e->e_shoff,
		.e_phentsize = e->e_phentsize,
		.e_phnum = e->e_phnum,
		.e_shentsize = e->e_shentsize,
		.e_shnum = e->e_shnum,
		.e_shstrndx = e->e_shstrndx,
	};
}

static void widen_segment(void *to, const void *from)
{
	const Elf32_Phdr *p = from;

	*(Elf64_Phdr *)to = (Elf64_Phdr){
		.p_type = p->p_type,
		.p_flags = p->p_flags,
		.p_offset = p->p_offset,
		.p_vaddr = p->p_vaddr,
		.p_filesz = p->p_filesz,
		.p_memsz = p->p_memsz,
	};
}

static void widen_section(void *to, const void *from)
{
	const Elf32_Shdr *s = from;

	*(Elf64_Shdr *)to = (Elf64_Shdr){
		.sh_name = s->sh_name,
		.sh_type = s->sh_type,
		.sh_addr = s->sh_addr,
		.sh_offset = s->sh_offset,
		.sh_size = s->sh_size,
		.sh_link = s->sh_link,
		.sh_info = s->sh_info,
		.sh_entsize = s->sh_entsize,
	};
}

/* Of a header: what it takes in files of 64 and of 32 bits. */
struct form {
	size_t wide;
	size_t narrow;
	void (*widen)(void *to, const void *from);
};

static const struct form header_form = {sizeof(Elf64_Ehdr), sizeof(Elf32_Ehdr), widen_header};
static const struct form segment_form = {sizeof(Elf64_Phdr), sizeof(Elf32_Phdr), widen_segment};
static const struct form section_form = {sizeof(Elf64_Shdr), sizeof(Elf32_Shdr), widen_section};

/* The part of the file must be there before there is memory for it. */
static bool has_part(const struct elf_file *f, uint64_t offset, uint64_t size)
{
	return offset <= f->size && size <= f->size - offset;
}

/* A table of headers, each in the form of 64 bits. */
static int read_table(const struct elf_file *f, const struct form *form, uint64_t offset,
		      size_t cnt, void *to)
{
	size_t size = f->is_64 ? form->wide : form->narrow;
	char *narrow;
	int err;

	if (!has_part(f, offset, size * cnt))
		return -EBADMSG;
	if (f->is_64)
		return elf_file__read_at(f, offset, to, size * cnt);
	narrow = malloc(size * cnt + 1);
	if (!narrow)
		return -ENOMEM;
	err = elf_file__read_at(f, offset, narrow, size * cnt);
	for (size_t i = 0; !err && i < cnt; i++)
		form->widen((char *)to + i * form->wide, narrow + i * size);
	free(narrow);
	return err;
}

static int read_header(struct elf_file *f, Elf64_Ehdr *e)
{
	const unsigned char order[] = {ORDER, EV_CURRENT};
	unsigned char ident[EI_NIDENT];
	int err = elf_file__read_at(f, 0, ident, sizeof(ident));

	if (err)
		return err == -EBADMSG ? -ENOEXEC : err;
	if (memcmp(ident, ELFMAG, SELFMAG) || memcmp(ident + EI_DATA, order, sizeof(order)) ||
	    (ident[EI_CLASS] != ELFCLASS64 && ident[EI_CLASS] != ELFCLASS32))
		return -ENOEXEC;
	f->is_64 = ident[EI_CLASS] == ELFCLASS64;
	err = read_table(f, &header_form, 0, 1, e);
	if (err)
		return err == -EBADMSG ? -ENOEXEC : err;
	f->type = e->e_type;
	f->machine = e->e_machine;
	return f->type == ET_EXEC || f->type == ET_DYN ? 0 : -ENOEXEC;
}

static int add_segment(struct elf_file *f, const Elf64_Phdr *phdr)
{
	if (phdr->p_type != PT_LOAD)
		return 0;
	if (phdr->p_vaddr >= ELF_ADDRESS_MAX || phdr->p_memsz >= ELF_ADDRESS_MAX ||
	    phdr->p_offset >= ELF_ADDRESS_MAX)
		return -EBADMSG;
	f->segments[f->segments_cnt++] = (struct elf_segment){
		.start = phdr->p_vaddr,
		.size = phdr->p_memsz,
		.offset = phdr->p_offset,
		.file_size = phdr->p_filesz < phdr->p_memsz ? phdr->p_filesz : phdr->p_memsz,
		.executable = phdr->p_flags & PF_X,
	};
	return 0;
}

static int read_segments(struct elf_file *f, const Elf64_Ehdr *e)
{
	Elf64_Phdr *phdrs;
	int err;

	if (e->e_phnum > SEGMENTS_MAX)
		return -E2BIG;
	if (e->e_phnum && e->e_phentsize != (f->is_64 ? segment_form.wide : segment_form.narrow))
		return -EBADMSG;
	f->segments = calloc(e->e_phnum + 1, sizeof(*f->segments));
	phdrs = calloc(e->e_phnum + 1, sizeof(*phdrs));
	err = f->segments && phdrs ? 0 : -ENOMEM;
	err = err ?: read_table(f, &segment_form, e->e_phoff, e->e_phnum, phdrs);
	for (size_t i = 0; !err && i < e->e_phnum; i++)
		err = add_segment(f, &phdrs[i]);
	free(phdrs);
	return err;
}

static int read_sections(struct elf_file *f, const Elf64_Ehdr *e)
{
	int err;

	if (!e->e_shoff || !e->e_shnum)
		return 0;
	if (e->e_shentsize != (f->is_64 ? section_form.wide : section_form.narrow) ||
	    !has_part(f, e->e_shoff, e->e_shnum * e->e_shentsize))
		return -EBADMSG;
	f->sections = calloc(e->e_shnum, sizeof(*f->sections));
	if (!f->sections)
		return -ENOMEM;
	err = read_table(f, &section_form, e->e_shoff, e->e_shnum, f->sections);
	if (err)
		return err;
	f->sections_cnt = e->e_shnum;
	f->names = e->e_shstrndx < e->e_shnum ? f->sections[e->e_shstrndx].sh_offset : 0;
	return f->names >= ELF_ADDRESS_MAX ? -EBADMSG : 0;
}

int elf_file__read(struct elf_file *f, int fd)
{
	Elf64_Ehdr e;
	struct stat st;
	int err;

	*f = (struct elf_file){.fd = fd};
	if (fstat(fd, &st))
		return -errno;
	f->size = st.st_size;
	err = read_header(f, &e);
	err = err ?: read_segments(f, &e);
	return err ?: read_sections(f, &e);
}

void elf_file__free(struct elf_file *f)
{
	free(f->segments);
	free(f->sections);
	*f = (struct elf_file){.fd = -1};
}

int elf_file__load(const struct elf_file *f, const Elf64_Shdr *section, size_t max, char **bytes)
{
	int err;

	*bytes = NULL;
	if (section->sh_size > max)
		return -E2BIG;
	if (!has_part(f, section->sh_offset, section->sh_size))
		return -EBADMSG;
	*bytes = malloc(section->sh_size + 1);
	if (!*bytes)
		return -ENOMEM;
	(*bytes)[section->sh_size] = '\0';
	err = elf_file__read_at(f, section->sh_offset, *bytes, section->sh_size);
	if (err) {
		free(*bytes);
		*bytes = NULL;
	}
	return err;
}

const Elf64_Shdr *elf_file__section(const struct elf_file *f, uint32_t type)
{
	for (size_t i = 1; i < f->sections_cnt; i++) {
		if (f->sections[i].sh_type == type)
			return &f->sections[i];
	}
	return NULL;
}

bool elf_file__section_is(const struct elf_file *f, const Elf64_Shdr *section, const char *name)
{
	size_t size = strlen(name) + 1;
	char found[64];

	return f->names && size <= sizeof(found) &&
	       !elf_file__read_at(f, f->names + section->sh_name, found, size) &&
	       !memcmp(found, name, size);
}

const Elf64_Shdr *elf_file__linked(const struct elf_file *f, const Elf64_Shdr *section)
{
	return section->sh_link && section->sh_link < f->sections_cnt
		       ? &f->sections[section->sh_link]
		       : NULL;
}

int64_t elf_file__code_offset(const struct elf_file *f, uint64_t addr)
{
	for (size_t i = 0; i < f->segments_cnt; i++) {
		const struct elf_segment *s = &f->segments[i];

		if (s->executable && addr >= s->start && addr - s->start < s->file_size)
			return s->offset + (addr - s->start);
	}
	return -ERANGE;
}

static uint64_t align(uint64_t size)
{
	return (size + 3) & ~UINT64_C(3);
}

const char *elf_note_next(const char *notes, size_t size, uint64_t *at, const char *owner,
			  uint32_t type, uint32_t *desc_size)
{
	uint64_t name, desc;
	Elf64_Nhdr note; /* the same in files of 32 bits */

	while (*at + sizeof(note) <= size) {
		memcpy(&note, notes + *at, sizeof(note));
		name = *at + sizeof(note);
		desc = name + align(note.n_namesz);
		*at = align(desc + note.n_descsz);
		if (desc + note.n_descsz > size)
			break;
		if (note.n_type != type || note.n_namesz != strlen(owner) + 1 ||
		    memcmp(notes + name, owner, note.n_namesz))
			continue;
		*desc_size = note.n_descsz;
		return notes + desc;
	}
	*at = size;
	return NULL;
}
