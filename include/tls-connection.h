/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What bpf/sslsniff.bpf.c keeps of each connection, and of the library that it is of. */
#ifndef WIRESCOPE_TLS_CONNECTION_H
#define WIRESCOPE_TLS_CONNECTION_H

#include <linux/types.h>

#include "tls.h"

#define TLS_CONNECTIONS 65536 /* at once */
#define TLS_LOSSES      16384 /* connections that lost something and are no more */

/* A library's handle of a connection is an address. */
struct tls_handle {
	__u64 handle;
	__u32 tgid; /* as the kernel has it */
	__u32 pad;
};

enum tls_handshake_state {
	TLS_HANDSHAKE_UNSEEN, /* perhaps it was before the tool */
	TLS_HANDSHAKE_BEGUN,
	TLS_HANDSHAKE_ENDED,
	TLS_HANDSHAKE_FAILED, /* it will be tried no more */
};

struct tls_connection {
	__u64 number;
	__u64 captured;     /* bytes of payload so far, for the budget */
	__u64 handshake_ns; /* its begin */
	__u64 lost_bytes;   /* since its last record */
	__u64 pending;      /* GnuTLS: where the data is that a call is going to send again */
	__u32 lost_calls;
	__u32 handshake_calls;
	__u32 state; /* enum tls_handshake_state */
	__u32 side;  /* TLS_SERVER, TLS_CLIENT or 0 */
	__s32 fd;
	__u32 tgid; /* as the tracer's namespace has it */
	struct endpoint local;
	struct endpoint remote;
};

struct tls_loss {
	__u64 bytes;
	__u32 calls;
	__u32 tgid; /* as the tracer's namespace has it */
	struct endpoint local;
	struct endpoint remote;
	char comm[16];
};

struct tls_library_info {
	__u32 api; /* enum tls_api */
	struct tls_layout layout;
};

#endif
