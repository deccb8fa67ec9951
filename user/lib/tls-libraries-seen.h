/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What was looked at before: numbers by keys, of tls-libraries.c. */
#ifndef WIRESCOPE_TLS_LIBRARIES_SEEN_H
#define WIRESCOPE_TLS_LIBRARIES_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_seen {
	uint64_t *keys; /* 0: free */
	int64_t *values;
	size_t room; /* a power of 2, or 0 */
	size_t cnt;
};

/* A hash of several parts of a key: begin with 0, then what was returned. */
uint64_t tls_seen_key(uint64_t key, const void *part, size_t size);

/* NULL: it was not seen. */
int64_t *tls_seen__get(const struct tls_seen *s, uint64_t key);

/* Without memory nothing is kept: it is looked at again. */
void tls_seen__set(struct tls_seen *s, uint64_t key, int64_t value);

void tls_seen__free(struct tls_seen *s);

#endif
