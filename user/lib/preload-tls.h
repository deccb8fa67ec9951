/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * TLS calls of a command, seen by a library that is put into its processes (preload/): no probe,
 * no trap. What the user asked for is taken from tls_options.
 */
#ifndef WIRESCOPE_PRELOAD_TLS_H
#define WIRESCOPE_PRELOAD_TLS_H

#include <stddef.h>

#include "tls.h"
#include "tool.h"

/* For .source of a tool's descriptor. */
extern const struct tool tls_preload_source;

/*
 * Where records go and who prints reports: by default tls_output_open(), tls_output_record(), and
 * tls_output_close() in the final report. Set before tool_main() or in .source, for --summary.
 */
struct tls_preload_hooks {
	int (*open)(void);
	int (*record)(struct report *r, const struct tls_record *record, size_t size);
	int (*report)(struct report *r);
};

extern struct tls_preload_hooks tls_preload_hooks;

/* Name of a library by its number in records; NULL: there is none. */
const char *tls_preload_library_name(unsigned int library);

#endif
