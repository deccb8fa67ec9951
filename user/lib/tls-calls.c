// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tls-calls.h"

/* Argument registers. How long a buffer is need not be known where a result says what moved. */
#define ARG(nr) (1u << (nr))
#define BUFFER  (ARG(0) | ARG(1))

const struct tls_call tls_calls[] = {
	{"SSL_read", TLS_OPENSSL, TLS_ROLE_READ, BUFFER, true},
	{"SSL_write", TLS_OPENSSL, TLS_ROLE_WRITE, BUFFER, true},
	{"SSL_read_ex", TLS_OPENSSL, TLS_ROLE_READ_EX, BUFFER | ARG(3), true},
	{"SSL_write_ex", TLS_OPENSSL, TLS_ROLE_WRITE_EX, BUFFER | ARG(3), true},
	{"SSL_write_ex2", TLS_OPENSSL, TLS_ROLE_WRITE_EX2, BUFFER | ARG(4), true},
	{"SSL_read_early_data", TLS_OPENSSL, TLS_ROLE_READ_EARLY, BUFFER | ARG(3), true},
	{"SSL_write_early_data", TLS_OPENSSL, TLS_ROLE_WRITE_EARLY, BUFFER | ARG(3), true},
	{"SSL_sendfile", TLS_OPENSSL, TLS_ROLE_SENDFILE, ARG(0), true},
	{"SSL_do_handshake", TLS_OPENSSL, TLS_ROLE_HANDSHAKE, ARG(0), true},
	{"SSL_accept", TLS_OPENSSL, TLS_ROLE_ACCEPT, ARG(0), true},
	{"SSL_connect", TLS_OPENSSL, TLS_ROLE_CONNECT, ARG(0), true},
	{"SSL_free", TLS_OPENSSL, TLS_ROLE_CLOSE, ARG(0), false},
	{"SSL_clear", TLS_OPENSSL, TLS_ROLE_CLEAR, ARG(0), false},
	{"SSL_ctrl", TLS_OPENSSL, TLS_ROLE_CTRL, ARG(0) | ARG(1) | ARG(3), true},
	/* A function of its own in BoringSSL. */
	{"SSL_set_tlsext_host_name", TLS_OPENSSL, TLS_ROLE_SET_NAME, ARG(0) | ARG(1), true},
	{"SSL_get_servername", TLS_OPENSSL, TLS_ROLE_NAME, ARG(0), true},
	/* One calls the other, or the compiler has copied it into it. */
	{"ERR_set_error", TLS_OPENSSL, TLS_ROLE_ERROR, ARG(0) | ARG(1), false},
	{"ERR_vset_error", TLS_OPENSSL, TLS_ROLE_ERROR, ARG(0) | ARG(1), false},
	{"ERR_put_error", TLS_OPENSSL, TLS_ROLE_ERROR_1_1, ARG(0) | ARG(2), false},

	{"gnutls_record_send", TLS_GNUTLS, TLS_ROLE_SEND, BUFFER, true},
	{"gnutls_record_send2", TLS_GNUTLS, TLS_ROLE_SEND_PADDED, BUFFER, true},
	{"gnutls_record_send_early_data", TLS_GNUTLS, TLS_ROLE_SEND_EARLY, BUFFER | ARG(2), true},
	{"gnutls_record_send_file", TLS_GNUTLS, TLS_ROLE_SENDFILE, ARG(0), true},
	{"gnutls_record_recv", TLS_GNUTLS, TLS_ROLE_RECV, BUFFER, true},
	{"gnutls_record_recv_seq", TLS_GNUTLS, TLS_ROLE_RECV, BUFFER, true},
	{"gnutls_record_recv_early_data", TLS_GNUTLS, TLS_ROLE_RECV_EARLY, BUFFER, true},
	{"gnutls_handshake", TLS_GNUTLS, TLS_ROLE_HANDSHAKE_0, ARG(0), true},
	{"gnutls_record_uncork", TLS_GNUTLS, TLS_ROLE_UNCORK, ARG(0), true},
	{"gnutls_server_name_set", TLS_GNUTLS, TLS_ROLE_SET_NAME_3, ARG(0) | ARG(2), true},
	{"gnutls_deinit", TLS_GNUTLS, TLS_ROLE_CLOSE, ARG(0), false},

	{"PR_Read", TLS_NSS, TLS_ROLE_RECV, BUFFER, true},
	{"PR_Recv", TLS_NSS, TLS_ROLE_RECV_FLAGS, BUFFER | ARG(3), true},
	{"PR_Write", TLS_NSS, TLS_ROLE_SEND, BUFFER, true},
	{"PR_Send", TLS_NSS, TLS_ROLE_SEND, BUFFER, true},
	{"PR_Close", TLS_NSS, TLS_ROLE_CLOSE, ARG(0), false},
	{"SSL_ForceHandshake", TLS_NSS, TLS_ROLE_HANDSHAKE_0, ARG(0), true},
	{"SSL_ForceHandshakeWithTimeout", TLS_NSS, TLS_ROLE_HANDSHAKE_0, ARG(0), true},
	{"SSL_SetURL", TLS_NSS, TLS_ROLE_SET_NAME, ARG(0) | ARG(1), true},
	{"PR_SetError", TLS_NSS, TLS_ROLE_ERROR_NSS, ARG(0), false},
};

const size_t tls_calls_cnt = sizeof(tls_calls) / sizeof(tls_calls[0]);

const char *tls_api_name(enum tls_api api)
{
	static const char *const names[TLS_APIS] = {
		[TLS_OPENSSL] = "OpenSSL",
		[TLS_GNUTLS] = "GnuTLS",
		[TLS_NSS] = "NSS",
	};

	return api < TLS_APIS ? names[api] : "?";
}
