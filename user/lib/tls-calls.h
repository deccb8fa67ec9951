/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The calls of TLS libraries that are traced. */
#ifndef WIRESCOPE_TLS_CALLS_H
#define WIRESCOPE_TLS_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls.h"
#include "tls-probe.h"

struct tls_call {
	const char *name; /* of the function */
	enum tls_api api;
	enum tls_role role; /* which BPF programs see it, see include/tls-probe.h */
	uint32_t args;      /* argument registers that its entry program reads: bit 0 the first */
	bool returns;       /* a program must see its end, too */
};

/* All of them, of all libraries. */
extern const struct tls_call tls_calls[];
extern const size_t tls_calls_cnt;

/* A name for people: "OpenSSL". */
const char *tls_api_name(enum tls_api api);

#endif
