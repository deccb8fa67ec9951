/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "elf-symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A browser with all of its symbols has a tenth of it. */
#define TABLE_MAX (1 << 30)
#define NOTES_MAX (1 << 16)

#define NAME_LIMIT (1 << 16) /* names of templates have some thousand letters */

/* Of a version the first name is its own; those after it are versions that it includes. */
static int read_version_names(struct elf_symbol_table *t, const char *defs, size_t size)
{
	Elf64_Verdef def; /* the same in files of 32 bits */
	Elf64_Verdaux aux;
	uint64_t at = 0;

	t->version_names = calloc(ELF_VERSIONS, sizeof(*t->version_names));
	if (!t->version_names)
		return -ENOMEM;
	/* vd_next leads forward, so that this ends. */
	do {
		if (at + sizeof(def) > size)
			return -EBADMSG;
		memcpy(&def, defs + at, sizeof(def));
		if (at + def.vd_aux + sizeof(aux) > size)
			return -EBADMSG;
		memcpy(&aux, defs + at + def.vd_aux, sizeof(aux));
		if (aux.vda_name >= t->names_size)
			return -EBADMSG;
		t->version_names[def.vd_ndx % ELF_VERSIONS] = t->names + aux.vda_name;
		at += def.vd_next;
	} while (def.vd_next);
	return 0;
}

static int load_versions(struct elf_symbol_table *t, const struct elf_file *f, uint32_t names)
{
	const Elf64_Shdr *numbers = elf_file__section(f, SHT_GNU_versym);
	const Elf64_Shdr *defs = elf_file__section(f, SHT_GNU_verdef);
	char *text = NULL;
	int err;

	if (!numbers || !defs || !defs->sh_size)
		return 0;
	if (numbers->sh_size / sizeof(uint16_t) < t->cnt || defs->sh_link != names)
		return -EBADMSG;
	err = elf_file__load(f, numbers, TABLE_MAX, &t->versions);
	err = err ?: elf_file__load(f, defs, TABLE_MAX, &text);
	if (err)
		return err;
	err = read_version_names(t, text, defs->sh_size);
	free(text);
	return err;
}

static int load_table(struct elf_symbol_table *t, const struct elf_file *f, uint32_t type)
{
	size_t size = f->is_64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
	const Elf64_Shdr *symbols = elf_file__section(f, type);
	const Elf64_Shdr *names = symbols ? elf_file__linked(f, symbols) : NULL;
	int err;

	if (!names)
		return symbols ? -EBADMSG : 0;
	if (symbols->sh_entsize != size || names->sh_type != SHT_STRTAB)
		return -EBADMSG;
	err = elf_file__load(f, symbols, TABLE_MAX, &t->symbols);
	err = err ?: elf_file__load(f, names, TABLE_MAX, &t->names);
	if (err)
		return err;
	t->cnt = symbols->sh_size / size;
	t->names_size = names->sh_size;
	return type == SHT_DYNSYM ? load_versions(t, f, symbols->sh_link) : 0;
}

static void free_table(struct elf_symbol_table *t)
{
	free(t->symbols);
	free(t->names);
	free(t->versions);
	free(t->version_names);
	*t = (struct elf_symbol_table){0};
}

static void read_build_id(const struct elf_file *f, char text[ELF_BUILD_ID_TEXT])
{
	uint32_t size;

	text[0] = '\0';
	for (size_t i = 1; !text[0] && i < f->sections_cnt; i++) {
		const char *id = NULL;
		char *notes = NULL;
		uint64_t at = 0;

		if (f->sections[i].sh_type == SHT_NOTE &&
		    !elf_file__load(f, &f->sections[i], NOTES_MAX, &notes))
			id = elf_note_next(notes, f->sections[i].sh_size, &at, ELF_NOTE_GNU,
					   NT_GNU_BUILD_ID, &size);
		for (uint32_t j = 0; id && size <= ELF_BUILD_ID_TEXT / 2 && j < size; j++)
			snprintf(text + 2 * j, 3, "%02x", (unsigned char)id[j]);
		free(notes);
	}
}

/* Opening what is no file could do anything. */
static int open_debug_file(const char *dir, const char *build_id)
{
	char path[PATH_MAX];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/%.2s/%s.debug", dir, build_id, build_id + 2);
	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return -ENOENT;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/* Where code is, its segments do not say: they are those that the program had. */
static void read_debug_file(struct elf_symbols *s, const char *dir)
{
	struct elf_symbol_table *t = &s->tables[ELF_SYMTAB];
	int fd = s->build_id[0] ? open_debug_file(dir, s->build_id) : -ENOENT;
	char build_id[ELF_BUILD_ID_TEXT];
	struct elf_file f;

	if (fd < 0)
		return;
	free_table(t);
	if (!elf_file__read(&f, fd) && f.is_64 == s->file.is_64) {
		read_build_id(&f, build_id);
		s->has_debug_file = !strcmp(build_id, s->build_id) &&
				    !load_table(t, &f, SHT_SYMTAB) && t->cnt;
	}
	elf_file__free(&f);
	close(fd);
}

int elf_symbols__read(struct elf_symbols *s, int fd, const char *debug_dir)
{
	int err;

	*s = (struct elf_symbols){0};
	err = elf_file__read(&s->file, fd);
	err = err ?: load_table(&s->tables[ELF_SYMTAB], &s->file, SHT_SYMTAB);
	err = err ?: load_table(&s->tables[ELF_DYNSYM], &s->file, SHT_DYNSYM);
	if (err)
		return err;
	read_build_id(&s->file, s->build_id);
	s->is_stripped = !s->tables[ELF_SYMTAB].cnt;
	if (s->is_stripped && debug_dir)
		read_debug_file(s, debug_dir);
	return 0;
}

void elf_symbols__free(struct elf_symbols *s)
{
	for (size_t i = 0; i < ELF_SYMBOL_TABLES; i++)
		free_table(&s->tables[i]);
	elf_file__free(&s->file);
	*s = (struct elf_symbols){0};
}

const char *elf_symbols__get(const struct elf_symbols *s, const struct elf_symbol_table *t,
			     size_t nr, Elf64_Sym *sym)
{
	Elf32_Sym narrow;
	unsigned char type;
	const char *name;

	if (s->file.is_64) {
		memcpy(sym, t->symbols + nr * sizeof(*sym), sizeof(*sym));
	} else {
		memcpy(&narrow, t->symbols + nr * sizeof(narrow), sizeof(narrow));
		*sym = (Elf64_Sym){
			.st_name = narrow.st_name,
			.st_info = narrow.st_info,
			.st_shndx = narrow.st_shndx,
			.st_value = narrow.st_value,
			.st_size = narrow.st_size,
		};
	}
	type = ELF64_ST_TYPE(sym->st_info);
	if ((type != STT_FUNC && type != STT_GNU_IFUNC) || sym->st_name >= t->names_size)
		return NULL;
	name = t->names + sym->st_name;
	return *name && *name != '@' && strnlen(name, NAME_LIMIT) < NAME_LIMIT ? name : NULL;
}
