/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "nearest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define DISTANCE_MAX 2

enum { RANK_PREFIX = DISTANCE_MAX + 1, RANK_PART, RANK_NONE };

static size_t min_of(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein's; one row of his table at a time. */
size_t nearest_distance(const char *word, size_t len, const char *name)
{
	size_t row[NEAREST_WORD_MAX + 1];

	for (size_t i = 0; i <= len; i++)
		row[i] = i;
	for (size_t j = 0; name[j]; j++) {
		size_t diagonal = row[0];

		row[0] = j + 1;
		for (size_t i = 0; i < len; i++) {
			int a = tolower((unsigned char)word[i]),
			    b = tolower((unsigned char)name[j]);
			size_t change = diagonal + (a != b);

			diagonal = row[i + 1];
			row[i + 1] = min_of(change, min_of(row[i], diagonal) + 1);
		}
	}
	return row[len];
}

/* A short word is like too many: of "ab" one letter may differ, not both. */
static unsigned int rank_of(const char *word, const char *name)
{
	size_t len = strlen(word), name_len = strlen(name);
	size_t more = name_len > len ? name_len - len : len - name_len;
	size_t max = min_of(DISTANCE_MAX, len / 2), distance;
	const char *part;

	if (more <= max && len <= NEAREST_WORD_MAX) {
		distance = nearest_distance(word, len, name);
		if (distance <= max)
			return distance;
	}
	part = len > 2 ? strcasestr(name, word) : NULL;
	if (!part)
		return RANK_NONE;
	return part == name ? RANK_PREFIX : RANK_PART;
}

void nearest_init(struct nearest *n, const char *word)
{
	*n = (struct nearest){.word = word};
}

void nearest__add(struct nearest *n, const char *name)
{
	unsigned int rank = rank_of(n->word, name);
	size_t at = n->cnt;

	for (size_t i = 0; i < n->cnt; i++) {
		if (!strcmp(n->name[i], name))
			return;
	}
	while (at && n->rank[at - 1] > rank)
		at--;
	if (rank == RANK_NONE || at == NEAREST_MAX)
		return;
	n->cnt = min_of(n->cnt + 1, NEAREST_MAX);
	for (size_t i = n->cnt - 1; i > at; i--) {
		n->name[i] = n->name[i - 1];
		n->rank[i] = n->rank[i - 1];
	}
	n->name[at] = name;
	n->rank[at] = rank;
}

void nearest__text(const struct nearest *n, char text[NEAREST_TEXT])
{
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < n->cnt; i++) {
		const char *comma = len ? ", " : "";

		if (len + strlen(comma) + strlen(n->name[i]) < NEAREST_TEXT)
			len += snprintf(text + len, NEAREST_TEXT - len, "%s%s", comma, n->name[i]);
	}
}
