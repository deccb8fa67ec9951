/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where the dynamic linker finds libraries, as /etc/ld.so.cache says. */
#ifndef WIRESCOPE_LIBRARIES_H
#define WIRESCOPE_LIBRARIES_H

#include <stddef.h>

#define LIBRARIES_CACHE "/etc/ld.so.cache"

/*
 * Paths of the libraries of a name, "libssl" or "libssl.so.3", in the order of the cache; several
 * versions can be installed. 0, -ENOENT if there are none, or another negative error; no message.
 * To be freed in all cases.
 */
int libraries_find(const char *cache, const char *name, char ***paths, size_t *cnt);

void libraries_free(char **paths, size_t cnt);

#endif
