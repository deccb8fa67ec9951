/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The list of libraries, of tls-libraries.c. */
#ifndef WIRESCOPE_TLS_LIBRARIES_ADD_H
#define WIRESCOPE_TLS_LIBRARIES_ADD_H

#include "maps.h"
#include "tls-libraries.h"

#define TLS_NO_LIBRARY -1

/* Where a file was found. */
struct tls_origin {
	pid_t pid;
	const struct maps *maps; /* NULL: by no process */
	const char *name;
	bool is_deleted;
};

/*
 * Add a file that has TLS calls, once, with the library that it works by. Takes the binary over.
 * Returns its number, TLS_NO_LIBRARY if it is none or one too many, or -ENOMEM.
 */
int tls_libraries__take(struct tls_libraries *l, struct binary *binary,
			const struct tls_origin *origin);

void tls_library__free(struct tls_library *library);

#endif
