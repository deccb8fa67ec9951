/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whether the dynamic loader will put a library of ours into a command, and where it is. */
#ifndef WIRESCOPE_PRELOAD_CHECK_H
#define WIRESCOPE_PRELOAD_CHECK_H

#include <limits.h>

/*
 * Refuse a command of which nothing could be seen: not dynamically linked, with privileges of its
 * own, of another architecture or C library. user: who will run it, NULL: we. A command that is
 * not found is left to whoever runs it. Errors print WHAT, WHY and TRY; option is named there.
 */
int preload_check_command(const char *path, const char *user, const char *option);

/*
 * The library beside the tool, or in ../lib/wirescope/ from there. Refused if user could not read
 * it: the loader would do without.
 */
int preload_find_library(const char *file, const char *user, char path[PATH_MAX]);

#endif
