/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The TLS libraries that a program is going to load from where it or its user says. */
#ifndef WIRESCOPE_TLS_LIBRARIES_NEEDED_H
#define WIRESCOPE_TLS_LIBRARIES_NEEDED_H

/*
 * Calls fn for each path at which the dynamic linker would look for the TLS libraries that the
 * file of a program names: in LD_LIBRARY_PATH and in its own list (RUNPATH, $ORIGIN). Not for
 * what other libraries name. Stops at what fn returns other than 0, and returns it.
 */
int tls_libraries_needed(const char *program, int (*fn)(const char *path, void *arg), void *arg);

#endif
