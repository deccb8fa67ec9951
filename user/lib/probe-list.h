/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What there is to probe, on stdout, as a SPEC names it. */
#ifndef WIRESCOPE_PROBE_LIST_H
#define WIRESCOPE_PROBE_LIST_H

#include "target.h"

/*
 * what: a binary, of which the probes and functions are listed whose names match the pattern
 * (fnmatch(3); NULL: all), or "tp:GROUP:EVENT" or "rawtp:EVENT", which are patterns themselves.
 * 0, or a negative error after a message; -ENOENT if nothing matches.
 */
int probe_list(const char *what, const char *pattern, const struct target *target);

#endif
