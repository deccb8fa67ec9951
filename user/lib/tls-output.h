/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Calls of TLS libraries, printed as bcc's sslsniff prints them, or as JSON Lines. Records come
 * from anywhere; pieces of one call are put together. Payload of another process is hostile:
 * text passes escape.h.
 */
#ifndef WIRESCOPE_TLS_OUTPUT_H
#define WIRESCOPE_TLS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report.h"
#include "tls.h"

struct tls_output_options {
	bool extra;      /* -x: UID and TID */
	bool latency;    /* -l */
	bool handshakes; /* --handshake: rows for those that went well; failures always have one */
	bool addresses;  /* -a: descriptor and both ends */
	bool hexdump;
	bool no_data;
	bool raw;           /* text of payload unescaped: to files only */
	uint64_t max_bytes; /* of a call's payload that is printed; 0: all */
};

/* Name of a library of this run by its number; not escaped, NULL: not known. */
typedef const char *(*tls_library_name_fn)(unsigned int library);

/* Before the first record. */
void tls_output_open(const struct tls_output_options *options, tls_library_name_fn library_name);

/* One record with its payload of record->size bytes behind it; size: of all. */
int tls_output_record(struct report *r, const struct tls_record *record, size_t size);

/*
 * At the end: print what still waits for pieces, as far as it came, and for each connection that
 * lost something how much. Returns how many calls were lost or came without all of their bytes.
 */
uint64_t tls_output_close(struct report *r);

#endif
