/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is known of a TLS call, from whoever saw it (bpf/sslsniff.bpf.c or the library that
 * --preload puts into a process) to whoever prints it.
 */
#ifndef WIRESCOPE_TLS_H
#define WIRESCOPE_TLS_H

#include <linux/types.h>

#include "endpoint.h"

#define TLS_PAYLOAD_MAX 16384 /* of one record; what is longer comes in several */
#define TLS_LIBRARIES   64    /* that are traced at once; more are told and left out */
#define TLS_NAME_MAX    256   /* of a server name, with its NUL */
#define TLS_MATCH_MAX   64    /* of --match */

enum tls_api { TLS_OPENSSL, TLS_GNUTLS, TLS_NSS, TLS_APIS };

enum tls_what {
	TLS_READ,
	TLS_WRITE,
	TLS_HANDSHAKE, /* that has ended, well or not */
	TLS_WHATS,
};

enum tls_flag {
	TLS_EARLY = 1,       /* early data */
	TLS_FILE = 2,        /* the kernel took it from a file: there is no payload */
	TLS_FAILED = 4,      /* of a handshake; error and error_library say why */
	TLS_UNSEEN = 8,      /* of a handshake: it began before the tool did */
	TLS_SERVER = 16,     /* of a handshake: this side accepted */
	TLS_CLIENT = 32,     /* of a handshake: this side connected; neither: not known */
	TLS_UNREADABLE = 64, /* payload was asked for, and could not be read from here on */
	TLS_SPENT = 128, /* payload was cut, as asked: the byte budget of its connection is spent */
};

/*
 * One piece of a call, with payload behind it. A call that moved more than TLS_PAYLOAD_MAX bytes
 * has several, one after the other with rising offsets; other records may come in between, but
 * none of the same thread. The last one has offset + size == captured.
 */
struct tls_record {
	__u64 end_ns;     /* of the call, CLOCK_MONOTONIC */
	__u64 latency_ns; /* of the call; of a handshake from its first call to its end */
	__u64 connection; /* its number in this run, from 1 on; 0: not known */
	__u64 len;        /* bytes that the call moved */
	__u64 captured;   /* of these, those that records have: less only where asked for */
	__u64 offset;     /* of this piece */
	__u64 lost_bytes; /* of this connection since its last record, for want of room */
	__u32 lost_calls; /* the same, and not only of reads and writes */
	__u32 size;       /* of this piece's payload; a handshake's is the server name, if known */
	__u32 tgid;
	__u32 tid;
	__u32 uid;
	__s32 fd;      /* -1: not known */
	char comm[16]; /* of the thread */
	__u16 lib;     /* its number in this run */
	__u8 what;     /* enum tls_what */
	__u8 api;      /* enum tls_api */
	__u16 flags;
	__u16 version;         /* as on the wire, 0x0304 is TLS 1.3; 0: not known */
	__u32 cipher;          /* as on the wire, 0x1301; 0: not known */
	__s32 error;           /* the library's own: OpenSSL's reason, what GnuTLS returned */
	__u32 error_library;   /* the part of OpenSSL that it is of */
	__u32 calls;           /* of a handshake: in so many */
	struct endpoint local; /* family 0: not known */
	struct endpoint remote;
};

/* What --summary counts beside its histograms. */
enum tls_count { TLS_COUNT_HANDSHAKES, TLS_COUNT_FAILURES, TLS_COUNTS };

/* By what --summary splits. */
enum tls_by { TLS_BY_NOTHING, TLS_BY_PROCESS, TLS_BY_CONNECTION, TLS_BY_LIBRARY };

/* What is not part of the key is 0. */
struct tls_key {
	char comm[16];
	__u64 id; /* of the process, connection or library */
	struct endpoint local;
	struct endpoint remote;
};

/* Where a library keeps what is known of a connection: steps of pointers from its handle. */
#define TLS_STEPS 4

struct tls_field {
	__u32 steps_cnt;        /* 0: not known */
	__u32 size;             /* of what the last step leads to: 2, 4 or 8 */
	__s32 steps[TLS_STEPS]; /* bytes to add before each read */
};

#define TLS_TYPE_FD 0x100 /* OpenSSL's BIO_TYPE_DESCRIPTOR */

enum tls_field_id {
	TLS_FIELD_VERSION,     /* int */
	TLS_FIELD_CIPHER,      /* the low 16 bits */
	TLS_FIELD_SERVER_NAME, /* a pointer to a text */
	TLS_FIELD_READ_FD,
	TLS_FIELD_WRITE_FD,
	TLS_FIELD_IS_SERVER, /* not 0: it is */
	TLS_FIELD_IN_INIT,   /* int; not 0: in a handshake */
	/* int; what READ_FD and WRITE_FD lead to is a descriptor only if it has TLS_TYPE_FD */
	TLS_FIELD_READ_TYPE,
	TLS_FIELD_WRITE_TYPE,
	TLS_FIELD_BIO_SSL, /* from a BIO of BIO_f_ssl() to the handle of its connection */
	TLS_FIELDS,
};

struct tls_layout {
	struct tls_field field[TLS_FIELDS];
};

#endif
