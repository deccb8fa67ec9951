/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The probes that an ELF file says it has (.note.stapsdt), and what libbpf needs to attach to
 * them. The file is a target's and can be hostile, or change while it is read. libbpf 1.1 trusts
 * it: a note whose arguments do not end, or whose last parenthesis is missing, makes it read
 * where nothing is. So the file is read here, once and with bounds, and libbpf gets to see what
 * was found to be right (elf-image.h).
 */
#ifndef WIRESCOPE_ELF_PROBES_H
#define WIRESCOPE_ELF_PROBES_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elf-file.h"

/* Of a note: the section that it is in, whose it is, and the only type there is. */
#define ELF_PROBES_SECTION ".note.stapsdt"
#define ELF_PROBES_OWNER   "stapsdt"
#define ELF_PROBES_TYPE    3

#define ELF_PROBES_ORDER (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB)
/* The files that are read: of 64 bits, in this machine's byte order. */
#define ELF_PROBES_IDENT                                                                     \
	{                                                                                    \
		ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELF_PROBES_ORDER, EV_CURRENT \
	}

struct elf_probe {
	const char *provider;
	const char *name;
	const char *args; /* of a form that libbpf can read, else NULL */
	uint64_t addr;
	uint64_t semaphore; /* 0: none */
};

struct elf_probes {
	struct elf_probe *list; /* one for each place in the code */
	size_t cnt;
	struct elf_segment *segments;
	size_t segments_cnt;
	uint16_t type; /* ET_EXEC, ET_DYN */
	uint16_t machine;
	uint64_t base; /* address of .stapsdt.base, 0 without: prelink(8) moves it, not the notes */
	char *notes;   /* what the texts of the list are parts of */
};

/*
 * Read a file; one without probes has an empty list. Returns -ENOEXEC if it is no executable or
 * library of this machine's word size and byte order, -EBADMSG if it contradicts itself, -E2BIG
 * if it is larger than any that a compiler makes, or another negative error; no message.
 * *p is to be freed in all cases.
 */
int elf_probes__read(struct elf_probes *p, int fd);

/*
 * 0 if all places of this probe can be attached to, -ENOENT if there are none, -EINVAL if the
 * arguments of one cannot be read; then *at is that one.
 */
int elf_probes__find(const struct elf_probes *p, const char *provider, const char *name,
		     const struct elf_probe **at);

/*
 * For kernels where libbpf must know addresses in a process: size bytes of the file, from offset
 * on, are mapped at addr. Returns -ESRCH if no segment of code begins there.
 */
int elf_probes__move(struct elf_probes *p, uint64_t addr, uint64_t size, uint64_t offset);

void elf_probes__free(struct elf_probes *p);

#endif
