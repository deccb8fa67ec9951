/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Prints where probes of the functions of a file would be placed, in hexadecimal:
 *
 *	ADDRESS SIZE ARGS entry OFFSET emulated|stepped returns emulated|stepped [OFFSET]... # NAME
 *
 * ARGS are the bits of the arguments that are wanted: another set for each function, unless they
 * are given.
 *
 * usage: placements FILE [ARGS]
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "elf-symbols.h"
#include "uprobe.h"

static void print(const struct elf_symbol *symbol, uint32_t args, const struct placement *p)
{
	printf("%jx %jx %x entry %jx %s returns %s", (uintmax_t)symbol->addr,
	       (uintmax_t)symbol->size, args, (uintmax_t)p->entry,
	       p->entry_emulated ? "emulated" : "stepped",
	       p->returns_emulated ? "emulated" : "stepped");
	for (size_t i = 0; i < p->returns_cnt; i++)
		printf(" %jx", (uintmax_t)p->returns[i]);
	printf(" # %.*s # %s # %s\n", (int)symbol->name_len, symbol->name, p->why_entry,
	       p->why_return);
}

int main(int argc, char **argv)
{
	struct elf_symbols symbols;
	struct elf_symbol *list = NULL;
	ssize_t cnt;
	int fd;

	if (argc < 2 || argc > 3)
		errx(1, "usage: placements FILE [ARGS]");
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || elf_symbols__read(&symbols, fd, NULL))
		err(1, "%s", argv[1]);
	cnt = elf_symbols__match(&symbols, "*", &list);
	for (ssize_t i = 0; i < cnt; i++) {
		uint32_t args = argc > 2 ? strtoul(argv[2], NULL, 16) : (1U << i % 7) - 1;
		struct placement p;

		if (!list[i].size)
			continue;
		uprobe_place(&p, fd, list[i].offset, list[i].size, args);
		print(&list[i], args, &p);
	}
	free(list);
	elf_symbols__free(&symbols);
	return cnt < 0;
}
