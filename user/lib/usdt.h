/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Statically defined probes of a binary, by names that a user can change. */
#ifndef WIRESCOPE_USDT_H
#define WIRESCOPE_USDT_H

#include <stddef.h>

#include <bpf/libbpf.h>

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

#endif
