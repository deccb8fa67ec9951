/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which of many names a user may have meant by a word that is none of them. */
#ifndef WIRESCOPE_NEAREST_H
#define WIRESCOPE_NEAREST_H

#include <stddef.h>

#define NEAREST_WORD_MAX 64 /* longer words are like no name, but can be part of one */
#define NEAREST_MAX      3
#define NEAREST_TEXT     256

struct nearest {
	const char *word;
	const char *name[NEAREST_MAX]; /* the best first; kept by reference */
	unsigned int rank[NEAREST_MAX];
	size_t cnt;
};

/* How many letters of a word of len (at most NEAREST_WORD_MAX) differ, not minding case. */
size_t nearest_distance(const char *word, size_t len, const char *name);

void nearest_init(struct nearest *n, const char *word);

/* A name that there is: kept if it is like the word, or contains it, more so than others. */
void nearest__add(struct nearest *n, const char *name);

/* "SSL_read, SSL_peek", as much as fits; empty if no name is like the word. */
void nearest__text(const struct nearest *n, char text[NEAREST_TEXT]);

#endif
