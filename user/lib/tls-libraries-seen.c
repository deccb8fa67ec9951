// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tls-libraries-seen.h"

#include <stdlib.h>

#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

uint64_t tls_seen_key(uint64_t key, const void *part, size_t size)
{
	const unsigned char *at = part;

	key = key ?: FNV_START;
	for (size_t i = 0; i < size; i++)
		key = (key ^ at[i]) * FNV_PRIME;
	return key ?: 1;
}

/* The key's place, or a free one for it. */
static size_t find(const struct tls_seen *s, uint64_t key)
{
	size_t at = (key ^ key >> 32) & (s->room - 1);

	while (s->keys[at] && s->keys[at] != key)
		at = (at + 1) & (s->room - 1);
	return at;
}

int64_t *tls_seen__get(const struct tls_seen *s, uint64_t key)
{
	size_t at = s->room ? find(s, key) : 0;

	return s->room && s->keys[at] ? &s->values[at] : NULL;
}

static bool grow(struct tls_seen *s)
{
	struct tls_seen grown = {.room = s->room ? 2 * s->room : 256};

	grown.keys = calloc(grown.room, sizeof(*grown.keys));
	grown.values = calloc(grown.room, sizeof(*grown.values));
	if (!grown.keys || !grown.values) {
		tls_seen__free(&grown);
		return false;
	}
	for (size_t i = 0; i < s->room; i++) {
		if (s->keys[i])
			tls_seen__set(&grown, s->keys[i], s->values[i]);
	}
	tls_seen__free(s);
	*s = grown;
	return true;
}

void tls_seen__set(struct tls_seen *s, uint64_t key, int64_t value)
{
	size_t at;

	if (2 * s->cnt >= s->room && !grow(s))
		return;
	at = find(s, key);
	s->cnt += !s->keys[at];
	s->keys[at] = key;
	s->values[at] = value;
}

void tls_seen__free(struct tls_seen *s)
{
	free(s->keys);
	free(s->values);
	*s = (struct tls_seen){0};
}
