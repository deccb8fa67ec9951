/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A call, or as much of it as is printed at once. Of tls-output.c and what it is made of. */
#ifndef WIRESCOPE_TLS_PART_H
#define WIRESCOPE_TLS_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sink.h"
#include "tls-output.h"

struct tls_part {
	const struct tls_record *record; /* one of its pieces; size and offset are that piece's */
	const unsigned char *data;
	size_t size;
	uint64_t offset;  /* in the call */
	uint64_t missing; /* bytes of the call after these, up to the next part or the end */
	bool continued;   /* a part of this call was printed before */
	bool more;        /* others follow */
	bool incomplete;  /* some of what is missing was recorded, and lost */
	uint64_t cut;     /* bytes of it, before these or after, that nobody asked to leave out */
	bool cut_before;  /* so it was in a part that was printed before */

	/* Of this connection, before this. */
	uint64_t lost_calls;
	uint64_t lost_bytes;
};

struct tls_printer {
	struct sink sink;
	struct tls_output_options options;
	tls_library_name_fn library_name;
	const struct report *report;
	uint64_t first_ns; /* of what was printed first */
	bool begun;
};

void tls_text_print(struct tls_printer *p, const struct tls_part *part);
void tls_json_print(struct tls_printer *p, const struct tls_part *part);

/* An end without its port; IPv4 in IPv6 is IPv4. "" if it is not known. */
#define TLS_ADDRESS 46
void tls_address(const struct endpoint *end, char buf[TLS_ADDRESS]);

/* "127.0.0.1:443", "[::1]:443", "-". Returns buf. */
#define TLS_ENDPOINT 56
const char *tls_endpoint(const struct endpoint *end, char buf[TLS_ENDPOINT]);

#endif
