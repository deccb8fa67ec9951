/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is where in an ELF file. The file is a target's: it can be hostile, or change while it is
 * read. So nothing of it is mapped, and no size or offset is believed before it was compared.
 */
#ifndef WIRESCOPE_ELF_FILE_H
#define WIRESCOPE_ELF_FILE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_ADDRESS_MAX (UINT64_C(1) << 62) /* no sum of two of them overflows */

/* Of a segment that is loaded (PT_LOAD). */
struct elf_segment {
	uint64_t start; /* in memory, before it is moved to where the file is loaded */
	uint64_t size;
	uint64_t offset;    /* in the file */
	uint64_t file_size; /* of size, so many bytes are of the file */
	bool executable;
};

struct elf_file {
	int fd; /* the caller's */
	bool is_64;
	uint16_t type; /* ET_EXEC, ET_DYN */
	uint16_t machine;
	struct elf_segment *segments;
	size_t segments_cnt;
	Elf64_Shdr *sections; /* those of files of 32 bits too */
	size_t sections_cnt;
	uint64_t names; /* where in the file the names of sections are; 0: they have none */
	uint64_t size;
};

/*
 * Read the headers. Returns -ENOEXEC if it is no executable or library in this machine's byte
 * order, -EBADMSG if it contradicts itself, -E2BIG if it is larger than any that a linker makes,
 * or another negative error; no message. *f is to be freed in all cases.
 */
int elf_file__read(struct elf_file *f, int fd);

void elf_file__free(struct elf_file *f);

/* All of the bytes, or an error: -EBADMSG if the file has not so many. */
int elf_file__read_at(const struct elf_file *f, uint64_t offset, void *to, size_t size);

/*
 * The bytes of a section and a NUL behind them, on the heap. -E2BIG if it has more than max
 * bytes, -EBADMSG if the file does not have them.
 */
int elf_file__load(const struct elf_file *f, const Elf64_Shdr *section, size_t max, char **bytes);

/* The first section of a type, NULL if there is none. */
const Elf64_Shdr *elf_file__section(const struct elf_file *f, uint32_t type);

bool elf_file__section_is(const struct elf_file *f, const Elf64_Shdr *section, const char *name);

/* What the linker of a section names as belonging to it: the texts of symbols. NULL: nothing. */
const Elf64_Shdr *elf_file__linked(const struct elf_file *f, const Elf64_Shdr *section);

/* Where in the file the code of an address is; -ERANGE if none is there. */
int64_t elf_file__code_offset(const struct elf_file *f, uint64_t addr);

/*
 * Notes of owner and type among size bytes: returns the description of the first one, NULL if
 * there is none; *at is where to go on, 0 at first.
 */
const char *elf_note_next(const char *notes, size_t size, uint64_t *at, const char *owner,
			  uint32_t type, uint32_t *desc_size);

#endif
