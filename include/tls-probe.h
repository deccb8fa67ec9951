/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a probe of bpf/sslsniff.bpf.c is told by its cookie. */
#ifndef WIRESCOPE_TLS_PROBE_H
#define WIRESCOPE_TLS_PROBE_H

#include <linux/types.h>

/* The forms that calls have: where a handle, a buffer, a length and a result are. */
enum tls_role {
	TLS_ROLE_READ,        /* int f(handle, buf, len) moved so many */
	TLS_ROLE_WRITE,       /* the same */
	TLS_ROLE_READ_EX,     /* int f(handle, buf, len, size_t *moved), 1 if it did */
	TLS_ROLE_WRITE_EX,    /* the same */
	TLS_ROLE_WRITE_EX2,   /* int f(handle, buf, len, flags, size_t *moved), 1 if it did */
	TLS_ROLE_READ_EARLY,  /* as READ_EX; 1: some, 2: that was all */
	TLS_ROLE_WRITE_EARLY, /* as WRITE_EX */
	TLS_ROLE_SENDFILE,    /* ssize_t f(handle, ...) */
	TLS_ROLE_RECV,        /* ssize_t f(handle, buf, len): GnuTLS, NSS */
	TLS_ROLE_SEND,        /* the same */
	TLS_ROLE_RECV_FLAGS,  /* the same with flags, 2: only a look: PR_Recv */
	TLS_ROLE_RECV_EARLY,  /* as RECV */
	TLS_ROLE_SEND_EARLY,  /* int f(handle, buf, len), 0 if all */
	TLS_ROLE_SEND_PADDED, /* ssize_t f(handle, buf, len, padding, flags) */
	TLS_ROLE_UNCORK,      /* f(handle) sends what calls have said that they sent */
	TLS_ROLE_HANDSHAKE,   /* int f(handle), 1 if done */
	TLS_ROLE_HANDSHAKE_0, /* int f(handle), 0 if done: GnuTLS, NSS */
	TLS_ROLE_ACCEPT,      /* as HANDSHAKE */
	TLS_ROLE_CONNECT,     /* as HANDSHAKE */
	TLS_ROLE_CLOSE,       /* f(handle): it is no more */
	TLS_ROLE_CLEAR,       /* f(handle): what it is used for next is another connection */
	TLS_ROLE_ERROR,       /* f(library, reason, ...): why something has failed */
	TLS_ROLE_ERROR_1_1,   /* f(library, function, reason, ...) */
	TLS_ROLE_ERROR_NSS,   /* f(reason, ...) */
	TLS_ROLE_CTRL,        /* long f(handle, command, larg, parg): SSL_ctrl */
	TLS_ROLE_NAME,        /* const char *f(handle, type): the name that a client asked for */
	TLS_ROLE_SET_NAME,    /* f(handle, name): whom a client asks for */
	TLS_ROLE_SET_NAME_3,  /* f(handle, type, name, len): GnuTLS */
	TLS_ROLES,
};

/* Of NSPR: files and plain sockets have the call too. A bit of the call's number. */
#define TLS_CALL_LAYERED 0x8000

/* Its handle is that of a BIO; TLS_FIELD_BIO_SSL says where the connection's is. The same. */
#define TLS_CALL_BIO 0x4000

/* Role, library, and number of the call, which tells calls within calls apart. */
#define TLS_COOKIE(library, role, call) ((__u64)(library) << 32 | (__u64)(role) << 16 | (call))
#define TLS_COOKIE_LIBRARY(cookie)      ((__u32)((cookie) >> 32))
#define TLS_COOKIE_ROLE(cookie)         ((__u32)((cookie) >> 16) & 0xffff)
#define TLS_COOKIE_CALL(cookie)         ((__u32)(cookie)&0xffff)

#endif
