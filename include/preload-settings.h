/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the library that sees TLS calls is told, in hexadecimal in its environment behind the ticket
 * of the run. Its records are struct tls_record (tls.h) and payload. connection is a number that
 * means the same connection in all processes, but no small one; library the index of
 * preload_region.libraries.
 */
#ifndef WIRESCOPE_PRELOAD_SETTINGS_H
#define WIRESCOPE_PRELOAD_SETTINGS_H

#include <linux/types.h>

#include "tls.h"

#define PRELOAD_NO_UID 0xffffffff

struct preload_tls_settings {
	__u64 max_bytes; /* of payload of a call; 0: all */
	__u64 budget;    /* of payload of a connection; 0: all */
	__u32 uid;       /* PRELOAD_NO_UID: any */
	__u16 port;      /* network order; 0: any */
	__u8 ring_bits;
	__u8 payload; /* 0: none */
	__u8 latency; /* 0: not asked for */
	__u8 match_len;
	char comm[16]; /* empty: any */
	char match[TLS_MATCH_MAX];
};

#endif
