/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The TLS libraries of this process, with their own functions. A program may have several, of
 * several releases, and each handle belongs to one: its calls go there, whoever makes them.
 */
#ifndef WIRESCOPE_PRELOAD_LIBRARY_H
#define WIRESCOPE_PRELOAD_LIBRARY_H

#include <stdbool.h>
#include <stdint.h>

#include "preload-region.h"
#include "tls.h"

#define LIBRARIES PRELOAD_LIBRARIES

/* clang-format off */

/* Those that are ours in this process, and those that we ask. */
#define OPENSSL_INTERPOSED(X) \
	X(SSL_read) X(SSL_write) X(SSL_read_ex) X(SSL_write_ex) X(SSL_read_early_data) \
	X(SSL_write_early_data) X(SSL_sendfile) X(SSL_do_handshake) X(SSL_accept) X(SSL_connect) \
	X(SSL_clear) X(SSL_new) X(SSL_free)

#define OPENSSL_ASKED(X) \
	X(SSL_is_init_finished) X(SSL_is_server) X(SSL_get_error) X(SSL_version) \
	X(SSL_get_current_cipher) X(SSL_CIPHER_get_id) X(SSL_get_servername) X(SSL_get_rbio) \
	X(SSL_get_rfd) X(ERR_peek_error) X(ERR_peek_last_error) X(OPENSSL_version_major)

#define GNUTLS_INTERPOSED(X) \
	X(gnutls_record_send) X(gnutls_record_send2) X(gnutls_record_send_early_data) \
	X(gnutls_record_send_file) X(gnutls_record_recv) X(gnutls_record_recv_seq) \
	X(gnutls_record_recv_early_data) X(gnutls_handshake) X(gnutls_server_name_set) \
	X(gnutls_deinit)

#define GNUTLS_ASKED(X) \
	X(gnutls_error_is_fatal) X(gnutls_transport_get_int) X(gnutls_protocol_get_version) \
	X(gnutls_server_name_get) X(gnutls_ciphersuite_get) X(gnutls_cipher_suite_info)

#define ALL_FUNCTIONS(X) \
	OPENSSL_INTERPOSED(X) OPENSSL_ASKED(X) GNUTLS_INTERPOSED(X) GNUTLS_ASKED(X)

enum function {
#define X(name) FN_##name,
	ALL_FUNCTIONS(X)
#undef X
	FUNCTIONS,
};

/* clang-format on */

struct library {
	enum tls_api api;
	unsigned int number;  /* of preload_region.libraries */
	uintptr_t start, end; /* of all that is loaded of it */
	void *functions[FUNCTIONS];
	char path[PRELOAD_PATH];
};

/* The function of a library, to be called; the prototype says what it is. */
#define CALL(library, name) ((__typeof__(&name))(library)->functions[FN_##name])
#define HAS(library, name)  ((library)->functions[FN_##name])

/* That a handle belongs to; NULL: no library of the kind is loaded. */
const struct library *library_of(const void *handle, enum tls_api api);

/* Is this address one of a library that is loaded, and not of the program itself? */
bool library_has(const void *address);

/* Is any loaded now? */
bool library_is_there(enum tls_api api);

/* Of a name that is interposed. */
bool library_interposes(const char *name, enum tls_api *api);

/* Their names go into a new region. */
void library_tell(struct preload_region *region);

/* dlsym() of the C library: ours is another one. */
void *real_dlsym(void *handle, const char *name);

#endif
