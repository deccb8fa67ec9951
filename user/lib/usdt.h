/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Statically defined probes of a binary, by names that a user can change. */
#ifndef WIRESCOPE_USDT_H
#define WIRESCOPE_USDT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/libbpf.h>

#include "binary.h"
#include "elf-probes.h"
#include "target.h"

struct usdt_name {
	const char *which; /* on the command line */
	const char *provider;
	const char *name;
};

/* Apply "WHICH=PROVIDER:NAME" (kept by reference). Errors print a message. */
int usdt_rename(struct usdt_name *names, size_t cnt, char *text);

/*
 * Attach progs[i] to names[i] in the binary, which a target of single processes may have under a
 * path of its own (binary.h). Names that the binary does not have are said
 * with -v; none at all is an error, which says what probes it has.
 */
int usdt_attach(const char *binary, const struct usdt_name *names,
		const struct bpf_program *const *progs, size_t cnt, const struct target *target);

struct usdt_probe {
	struct usdt_name name;
	const char *older; /* its name in binaries that do not have name; optional */
	const struct bpf_program *prog;
	uint64_t cookie;  /* bpf_usdt_cookie() of the program */
	size_t args_read; /* so many arguments it must have */
	bool optional;    /* as above; else, that it is missing is an error */
};

/* The same for probes that share programs; binary NULL is the program of the target. */
int usdt_attach_probes(const char *binary, const struct usdt_probe *probes, size_t cnt,
		       const struct target *target);

/* Read the probes of a binary. Errors print a message; *elf is to be freed in all cases. */
int usdt_read(struct elf_probes *elf, const struct binary *binary, const char *label);

#endif
