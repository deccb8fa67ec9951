/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where the arguments of a probe are, as its note says: "8@%rdi -4@-20(%rbp)". */
#ifndef WIRESCOPE_ELF_ARGS_H
#define WIRESCOPE_ELF_ARGS_H

#include <stdbool.h>

/*
 * Does all of the text have a form that libbpf's sscanf() matches to its end or not at all? One
 * that it matches in part only, such as "8@8(%rax", leaves the length unset by which libbpf 1.1
 * goes on. Whether a register of that name exists is for libbpf to say.
 */
bool elf_args_are_readable(const char *args);

#endif
