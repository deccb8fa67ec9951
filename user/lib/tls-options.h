/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What sslsniff was asked for. */
#ifndef WIRESCOPE_TLS_OPTIONS_H
#define WIRESCOPE_TLS_OPTIONS_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tls-output.h"
#include "tls.h"

#define TLS_OPTION_LIBS 16

struct tls_options {
	struct tls_output_options output;
	bool summary;
	enum tls_by by;
	bool preload;
	bool list_libs;
	const char *libs[TLS_OPTION_LIBS]; /* --lib: only these */
	size_t libs_cnt;

	/* What is not of these is not captured, and not counted by --summary. */
	bool by_uid;
	uid_t uid;
	uint16_t port;             /* of either end; 0: any */
	char match[TLS_MATCH_MAX]; /* with which the payload of a call begins */
	size_t match_len;          /* 0: any */

	uint64_t budget; /* bytes of payload captured of each connection; 0: all */
};

extern struct tls_options tls_options;

/* Their parser, a child of the tool's. */
extern const struct argp tls_options_argp;

#endif
