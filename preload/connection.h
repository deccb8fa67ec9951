/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is known of the connections of this process, by their handles. */
#ifndef WIRESCOPE_PRELOAD_CONNECTION_H
#define WIRESCOPE_PRELOAD_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "library.h"
#include "tls.h"

#define CONNECTIONS 16384 /* at once; more have no number, no budget and no ends */

struct connection {
	const void *handle; /* NULL: this one is free */
	const struct library *lib;
	uint64_t generation;       /* of the process in whose region the loss is */
	struct preload_loss *loss; /* NULL: nothing was lost, or there is no room for it */
	uint32_t next;             /* of the free ones */
	uint64_t spent;
	uint64_t begin_ns;        /* of its handshake; 0: none has begun */
	uint32_t calls;           /* of its handshake */
	bool ready;               /* it is behind its handshake */
	bool failed;              /* told already */
	bool has_ends;            /* they were asked for */
	bool passes;              /* the filters, once it has */
	char name[TLS_NAME_MAX];  /* of the server, if the program has told it; GnuTLS only */
	struct tls_record record; /* what all records of it have in common */
};

/* The one of a handle, a new one if it has none. NULL: there is no room. */
struct connection *connection_of(const void *handle, enum tls_api api);

/* The handle is gone, or is for another connection from now on. */
void connection_forget(const void *handle);

/* Ask for both ends of its descriptor (-1: it has none). */
void connection__find_ends(struct connection *c, int fd);

#endif
