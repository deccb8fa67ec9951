/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A few functions of a file by their names. Programs have symbols by the 100,000, so what a file
 * exports is looked up as the dynamic linker does it, in its hash table.
 */
#ifndef WIRESCOPE_TLS_SYMBOLS_H
#define WIRESCOPE_TLS_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elf-file.h"

#define TLS_CODE_MAX 512 /* of an accessor: others are no accessors */

struct tls_symbol {
	const char *name; /* to be found */
	uint64_t addr;    /* as linked */
	uint64_t offset;  /* in the file; 0: it has none */
	uint64_t size;    /* 0: the file does not say */
};

/* Where functions are looked for. */
struct tls_symbols {
	struct elf_file file;
	bool only_exported; /* else .symtab has some, which is slow to read */
};

/* Sorts the list by name. Of several functions of a name, the first one that others can use. */
void tls_symbols_find(const struct tls_symbols *s, struct tls_symbol *list, size_t cnt);

/* Of a list that was found; NULL: the file does not have it. */
const struct tls_symbol *tls_symbols_get(const struct tls_symbol *list, size_t cnt,
					 const char *name);

#endif
