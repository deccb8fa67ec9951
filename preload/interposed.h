/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The functions of TLS libraries that are ours in a process with this library, and those of
 * theirs that we call. No header of theirs is needed, and no release of them is meant.
 */
#ifndef WIRESCOPE_PRELOAD_INTERPOSED_H
#define WIRESCOPE_PRELOAD_INTERPOSED_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define INTERPOSED __attribute__((visibility("default")))

/* Ours, by the name of one that library_interposes(). */
void *interposed_by_name(const char *name);

typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_cipher_st SSL_CIPHER;

int SSL_read(SSL *ssl, void *buf, int num);
int SSL_write(SSL *ssl, const void *buf, int num);
int SSL_read_ex(SSL *ssl, void *buf, size_t num, size_t *done);
int SSL_write_ex(SSL *ssl, const void *buf, size_t num, size_t *done);
int SSL_read_early_data(SSL *ssl, void *buf, size_t num, size_t *done);
int SSL_write_early_data(SSL *ssl, const void *buf, size_t num, size_t *done);
ssize_t SSL_sendfile(SSL *ssl, int fd, off_t offset, size_t size, int flags);
int SSL_do_handshake(SSL *ssl);
int SSL_accept(SSL *ssl);
int SSL_connect(SSL *ssl);
int SSL_clear(SSL *ssl);
SSL *SSL_new(SSL_CTX *context);
void SSL_free(SSL *ssl);

int SSL_is_init_finished(const SSL *ssl);
int SSL_is_server(const SSL *ssl);
int SSL_get_error(const SSL *ssl, int ret);
int SSL_version(const SSL *ssl);
const SSL_CIPHER *SSL_get_current_cipher(const SSL *ssl);
uint32_t SSL_CIPHER_get_id(const SSL_CIPHER *cipher);
const char *SSL_get_servername(const SSL *ssl, int type);
void *SSL_get_rbio(const SSL *ssl);
int SSL_get_rfd(const SSL *ssl);
unsigned long ERR_peek_error(void);
unsigned long ERR_peek_last_error(void);
unsigned int OPENSSL_version_major(void);

typedef struct gnutls_session_int *gnutls_session_t;

ssize_t gnutls_record_send(gnutls_session_t session, const void *data, size_t size);
ssize_t gnutls_record_send2(gnutls_session_t session, const void *data, size_t size, size_t pad,
			    unsigned int flags);
ssize_t gnutls_record_send_early_data(gnutls_session_t session, const void *data, size_t size);
ssize_t gnutls_record_send_file(gnutls_session_t session, int fd, off_t *offset, size_t size);
ssize_t gnutls_record_recv(gnutls_session_t session, void *data, size_t size);
ssize_t gnutls_record_recv_seq(gnutls_session_t session, void *data, size_t size,
			       unsigned char *seq);
ssize_t gnutls_record_recv_early_data(gnutls_session_t session, void *data, size_t size);
int gnutls_handshake(gnutls_session_t session);
int gnutls_server_name_set(gnutls_session_t session, int type, const void *name, size_t len);
void gnutls_deinit(gnutls_session_t session);

int gnutls_error_is_fatal(int error);
int gnutls_transport_get_int(gnutls_session_t session);
int gnutls_protocol_get_version(gnutls_session_t session);
int gnutls_server_name_get(gnutls_session_t session, void *name, size_t *len, unsigned int *type,
			   unsigned int index);
const char *gnutls_ciphersuite_get(gnutls_session_t session);
const char *gnutls_cipher_suite_info(size_t index, unsigned char *id, int *exchange, int *cipher,
				     int *mac, int *version);

#endif
