/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The functions of an ELF file, of 64 or 32 bits, and where in the file a uprobe finds them. The
 * file can be hostile (see elf-file.h): texts are to be escaped, offsets lie in its code.
 */
#ifndef WIRESCOPE_ELF_SYMBOLS_H
#define WIRESCOPE_ELF_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "elf-file.h"
#include "nearest.h"

#define ELF_DEBUG_DIR     "/usr/lib/debug/.build-id"
#define ELF_BUILD_ID_TEXT 129 /* 64 bytes in hexadecimal */

struct elf_symbol {
	const char *name;
	size_t name_len;
	const char *version; /* NULL: none */
	uint64_t addr;       /* as linked */
	uint64_t offset;     /* in the file: where a uprobe goes */
	uint64_t size;       /* 0: the file does not say */
	bool is_old;         /* a version for programs that were linked before: sym@VERSION */
	bool is_local;       /* static: others can have its name */
	/*
	 * What is there is not the function but what chooses one when the program is loaded: a
	 * uprobe would see that it is chosen, not that it is called.
	 */
	bool is_ifunc;
};

/* One of .symtab and .dynsym. */
struct elf_symbol_table {
	char *symbols;
	size_t cnt;
	char *names;
	size_t names_size;
	char *versions; /* a uint16_t for each symbol, else NULL */
	const char **version_names;
	size_t version_names_cnt;
};

#define ELF_VERSIONS 0x8000 /* as many can there be */

enum { ELF_SYMTAB, ELF_DYNSYM, ELF_SYMBOL_TABLES };

struct elf_symbols {
	struct elf_file file;
	struct elf_symbol_table tables[ELF_SYMBOL_TABLES];
	bool is_stripped;                 /* it has no .symtab: only what it exports is known */
	bool has_debug_file;              /* but a file of debug_dir had one */
	char build_id[ELF_BUILD_ID_TEXT]; /* empty: none */
};

/*
 * Read the symbols of a file; without .symtab also those of DEBUG_DIR/xx/yy.debug, by its build
 * id, if debug_dir is not NULL. Errors as of elf_file__read(), no message; a file without any
 * symbols is none. *s is to be freed in all cases, after what it was asked for.
 */
int elf_symbols__read(struct elf_symbols *s, int fd, const char *debug_dir);

void elf_symbols__free(struct elf_symbols *s);

/*
 * For elf-search.c: a symbol, in the form of 64 bits. Returns the name of a function, of one of
 * another file too, or NULL if it is something else.
 */
const char *elf_symbols__get(const struct elf_symbols *s, const struct elf_symbol_table *t,
			     size_t nr, Elf64_Sym *sym);

/*
 * Functions of this name, sorted by place, each place once. "f" is f in its default version (if
 * it has only old ones, each of them), "f@V" is f of version V. There can be several: static
 * functions of different source files, or parts of an old and a new version. Returns how many, or
 * -ENOMEM; *list is to be freed in all cases.
 */
ssize_t elf_symbols__find(const struct elf_symbols *s, const char *name, struct elf_symbol **list);

/* The same for a pattern of names (fnmatch(3)), sorted by name, then place; all versions. */
ssize_t elf_symbols__match(const struct elf_symbols *s, const char *pattern,
			   struct elf_symbol **list);

/*
 * Say that the file, as the user calls it, has no such function: with what its symbols were read
 * from, the build id and the nearest names. Returns -ENOENT.
 */
int elf_symbols__refuse(const struct elf_symbols *s, const char *file, const char *name);

#endif
