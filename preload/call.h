/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One call of a TLS library, from its begin to its record. A call within a call for the same
 * handle is a part of it: the outermost one counts.
 */
#ifndef WIRESCOPE_PRELOAD_CALL_H
#define WIRESCOPE_PRELOAD_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "connection.h"
#include "interposed.h"
#include "thread.h"

struct call {
	const struct library *lib;
	struct connection *connection; /* NULL: there is no room for it */
	struct thread *thread;         /* NULL: the call does not count */
	const void *handle;
	unsigned int depth;
	uint64_t begin_ns; /* 0: nobody asked */
};

/* False if no library has the function, which nothing can have called then. */
bool call_begin(struct call *call, const void *handle, enum tls_api api, enum function function);

/* Is a call for this handle going on in this thread? */
bool call_is_within(const void *handle);

/* A clock that costs a quarter of all the rest. */
uint64_t call_now_ns(void);

/* The begin of a call that is, or may be, one of a handshake. */
void call_begin_handshake(struct call *call);

/* The function of the library has returned; before any of those below. */
void call_end(struct call *call);

/* What was moved, which is more than nothing; payload NULL: there is none to be had. */
void call_moved(struct call *call, enum tls_what what, uint16_t flags, const void *payload,
		uint64_t len);

/* The handshake has ended; the connection's record has what is known of it. */
void call_handshake(struct call *call, uint16_t flags, int32_t error, uint32_t error_library,
		    const char *server_name);

#endif
