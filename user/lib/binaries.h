/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The files that the processes of a target know by one name. */
#ifndef WIRESCOPE_BINARIES_H
#define WIRESCOPE_BINARIES_H

#include "binary.h"
#include "target.h"

/* label: what to call the binary in messages. */
typedef int (*binary_fn)(const struct binary *binary, const char *label, void *arg);

/*
 * Calls fn once for each file that is meant by name: a path, a program, or a library ("libssl"),
 * as each process of -p knows it, else as we do; NULL: the target's own program. Stops at an
 * error, and returns it. Errors print a message.
 */
int binaries_each(const char *name, const struct target *target, binary_fn fn, void *arg);

/*
 * Which process a probe is for: it then spares others that run the same binary, but does not
 * reach children. -1: all.
 */
pid_t binaries_pid(const struct target *target);

#endif
