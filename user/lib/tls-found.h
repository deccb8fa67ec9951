/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The libraries of a run: those that are there when it begins, and those that come later. */
#ifndef WIRESCOPE_TLS_FOUND_H
#define WIRESCOPE_TLS_FOUND_H

#include "target.h"
#include "tls-libraries.h"

/* Called for each library, once; nr is its number in the run. Errors print a message. */
typedef int (*tls_found_fn)(const struct tls_library *library, unsigned int nr, void *arg);

/*
 * Find what --lib names, else all of the target, and call fn for it; then again for what comes
 * later, in a process of its own (watcher.h), which also calls tidy each half a minute. Errors
 * print a message.
 */
int tls_found_attach(const struct target *target, tls_found_fn fn, void (*tidy)(void *arg),
		     void *arg);

/* At the end: note it if that process has not run all the time. */
void tls_found_check(void);

/* By number, also of those that came later; not escaped. NULL: there is none. */
const char *tls_found_name(unsigned int nr);

#endif
