/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a short function returns, from its code: all ways through it are followed, with what each
 * of them does to the registers.
 */
#ifndef WIRESCOPE_TLS_LAYOUT_CODE_H
#define WIRESCOPE_TLS_LAYOUT_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls.h"

enum code_kind {
	CODE_UNKNOWN,
	CODE_NUMBER,  /* a constant */
	CODE_ADDRESS, /* of something in the file, as linked */
	CODE_LOADED,  /* what is read by steps from a pointer */
};

enum code_base {
	CODE_OF_ARGUMENT, /* the first one */
	CODE_OF_CALL,     /* what another function returned */
};

struct code_value {
	enum code_kind kind;
	enum code_base base;
	struct tls_field field; /* of CODE_LOADED: the steps; without any it is the pointer */
	int64_t number;         /* of CODE_LOADED: added to it since */
};

struct code {
	const uint8_t *bytes;
	size_t size;
	uint64_t addr; /* as linked */
	/*
	 * The argument is a connection: since OpenSSL 3.2 an int at its begin says of which kind,
	 * and 0 is TLS. Code that asks for it is followed for TLS only.
	 */
	bool is_connection;
	bool may_leave; /* ways that end in another function do not count */
};

/*
 * True if the function returns one and the same thing of this kind, on each way through it that
 * does not return a number instead (as it does where a pointer is NULL).
 */
bool code_returns(const struct code *code, enum code_kind kind, struct code_value *value);

#endif
