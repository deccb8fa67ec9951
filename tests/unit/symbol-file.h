/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files with symbols, made up. Include after cmocka.h. */
#ifndef WIRESCOPE_TEST_SYMBOL_FILE_H
#define WIRESCOPE_TEST_SYMBOL_FILE_H

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "elf-probes.h" /* ELF_PROBES_IDENT */
#include "elf-symbols.h"

#define CODE_AT     0x401000
#define CODE_OFFSET 0x1000
#define CODE_SIZE   0x1000
#define DATA_AT     0x403000
#define BUILD_ID    "\xab\xcd\xef\x01"

enum { NONE, SYMTAB, DYNSYM, NAMES, VERSIONS, VERDEFS, NOTE, SECTIONS };

#define SYMBOLS_MAX 16

/* A file of 64 bits with .symtab and .dynsym, which share their names. */
struct file {
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdrs[2];
	Elf64_Shdr sections[SECTIONS];
	Elf64_Sym symtab[SYMBOLS_MAX], dynsym[SYMBOLS_MAX];
	uint16_t versions[SYMBOLS_MAX];
	struct {
		Elf64_Verdef def;
		Elf64_Verdaux aux;
	} verdefs[3];
	Elf64_Nhdr nhdr;
	char owner[4], build_id[4];
	char names[512];
};

static inline Elf64_Shdr section_of(uint32_t type, size_t offset, size_t size, size_t entry)
{
	return (Elf64_Shdr){
		.sh_type = type,
		.sh_offset = offset,
		.sh_size = size,
		.sh_entsize = entry,
		.sh_link = NAMES,
	};
}

#define SECTION(type, member, size, entry) \
	section_of(type, offsetof(struct file, member), size, entry)

static inline uint32_t add_name(struct file *f, const char *name)
{
	uint32_t at = f->sections[NAMES].sh_size;

	assert_in_range(at + strlen(name) + 1, 1, sizeof(f->names));
	memcpy(f->names + at, name, strlen(name) + 1);
	f->sections[NAMES].sh_size += strlen(name) + 1;
	return at;
}

static inline void make_file(struct file *f)
{
	static const char *const versions[] = {"lib.so", "V1", "V2"};

	*f = (struct file){
		.ehdr = {.e_ident = ELF_PROBES_IDENT,
			 .e_type = ET_EXEC,
			 .e_phoff = offsetof(struct file, phdrs),
			 .e_shoff = offsetof(struct file, sections),
			 .e_phentsize = sizeof(Elf64_Phdr),
			 .e_phnum = 2,
			 .e_shentsize = sizeof(Elf64_Shdr),
			 .e_shnum = SECTIONS},
		.phdrs = {{PT_LOAD, PF_R | PF_X, CODE_OFFSET, CODE_AT, 0, CODE_SIZE, 2 * CODE_SIZE,
			   1},
			  {PT_LOAD, PF_R | PF_W, 0x2000, DATA_AT, 0, 0x1000, 0x1000, 1}},
		.sections = {[SYMTAB] = SECTION(SHT_SYMTAB, symtab, 0, sizeof(Elf64_Sym)),
			     [DYNSYM] = SECTION(SHT_DYNSYM, dynsym, 0, sizeof(Elf64_Sym)),
			     [NAMES] = SECTION(SHT_STRTAB, names, 1, 0),
			     [VERSIONS] = SECTION(SHT_GNU_versym, versions, sizeof(f->versions), 2),
			     [VERDEFS] = SECTION(SHT_GNU_verdef, verdefs, sizeof(f->verdefs), 0),
			     [NOTE] = SECTION(SHT_NOTE, nhdr, 20, 0)},
		.nhdr = {4, 4, NT_GNU_BUILD_ID},
		.owner = "GNU",
		.build_id = {'\xab', '\xcd', '\xef', '\x01'},
	};
	for (size_t i = 0; i < 3; i++) {
		f->verdefs[i].def = (Elf64_Verdef){
			.vd_ndx = i + 1,
			.vd_aux = sizeof(Elf64_Verdef),
			.vd_next = i < 2 ? sizeof(f->verdefs[0]) : 0,
		};
		f->verdefs[i].aux.vda_name = add_name(f, versions[i]);
	}
}

static inline Elf64_Sym symbol(struct file *f, const char *name, uint64_t addr)
{
	return (Elf64_Sym){
		.st_name = add_name(f, name),
		.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
		.st_shndx = 1,
		.st_value = addr,
		.st_size = 16,
	};
}

static inline Elf64_Sym *add_local(struct file *f, const char *name, uint64_t addr)
{
	Elf64_Sym *sym = &f->symtab[f->sections[SYMTAB].sh_size / sizeof(*sym)];

	*sym = symbol(f, name, addr);
	f->sections[SYMTAB].sh_size += sizeof(*sym);
	return sym;
}

static inline Elf64_Sym *add_dynamic(struct file *f, const char *name, uint64_t addr,
				     uint16_t version)
{
	size_t nr = f->sections[DYNSYM].sh_size / sizeof(Elf64_Sym);

	f->dynsym[nr] = symbol(f, name, addr);
	f->versions[nr] = version;
	f->sections[DYNSYM].sh_size += sizeof(Elf64_Sym);
	return &f->dynsym[nr];
}

static inline int write_file(const void *bytes, size_t size)
{
	int fd = memfd_create("elf", MFD_CLOEXEC);

	assert_int_equal(write(fd, bytes, size), size);
	return fd;
}

static inline int read_part(struct elf_symbols *s, const struct file *f, size_t size)
{
	int fd = write_file(f, size), err = elf_symbols__read(s, fd, NULL);

	close(fd);
	return err;
}

static inline void read_file(struct elf_symbols *s, const struct file *f)
{
	assert_int_equal(read_part(s, f, sizeof(*f)), 0);
}

static inline void assert_found(const struct elf_symbols *s, const char *name, size_t cnt,
				const uint64_t *offsets)
{
	struct elf_symbol *list;

	assert_int_equal(elf_symbols__find(s, name, &list), cnt);
	for (size_t i = 0; i < cnt; i++) {
		assert_int_equal(list[i].offset, offsets[i]);
		assert_memory_equal(list[i].name, name, list[i].name_len);
		assert_int_equal(strlen(list[i].name), list[i].name_len);
	}
	free(list);
}

#define FOUND(s, name, ...)                                          \
	assert_found(s, name, sizeof((uint64_t[]){__VA_ARGS__}) / 8, \
		     (const uint64_t[]){__VA_ARGS__})
#define NOT_FOUND(s, name) assert_found(s, name, 0, NULL)

#endif
