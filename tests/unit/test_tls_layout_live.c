// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The installed libraries, asked in both ways: by their functions, and by the steps that were
 * found in these. They are opened here, not linked, so that nothing needs them to be there.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "tls-layout.h"

#define HOST "host.example"

/* Functions of the libraries, by their names; what is not said of their types is int. */
#define CALL(handle, type, name, ...) (((type(*)())get(handle, #name))(__VA_ARGS__))

#pragma GCC diagnostic ignored "-Wstrict-prototypes"

static void *get(void *handle, const char *name)
{
	void *function = dlsym(handle, name);

	if (!function)
		fail_msg("no function '%s'", name);
	return function;
}

static void open_symbols(struct tls_symbols *s, void *handle, const char *function)
{
	Dl_info info;
	int fd;

	assert_int_not_equal(dladdr(get(handle, function), &info), 0);
	fd = open(info.dli_fname, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(elf_file__read(&s->file, fd), 0);
	s->only_exported = true;
}

static void close_symbols(struct tls_symbols *s)
{
	close(s->file.fd);
	elf_file__free(&s->file);
}

/* As a BPF program does it. */
static uint64_t follow(const struct tls_layout *layout, enum tls_field_id id, void *handle)
{
	const struct tls_field *f = &layout->field[id];
	uintptr_t at = (uintptr_t)handle;
	uint64_t value = 0;

	if (!f->steps_cnt)
		fail_msg("it is not known where field %d is", id);
	for (uint32_t i = 0; i < f->steps_cnt; i++) {
		value = 0;
		memcpy(&value, (char *)at + f->steps[i],
		       i + 1 == f->steps_cnt ? f->size : sizeof(at));
		at = value;
	}
	return value;
}

static void *open_library(const char *const *names)
{
	void *handle = NULL;

	for (; !handle && *names; names++)
		handle = dlopen(*names, RTLD_NOW | RTLD_GLOBAL);
#if !defined(__x86_64__)
	handle = NULL; /* code of other machines is not read */
#endif
	return handle;
}

static void make_sockets(int fds[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
}

/* ---- OpenSSL ------------------------------------------------------------------------------ */

#define SSL_CTRL_SET_TLSEXT_SERVERNAME_CB 53
#define SSL_CTRL_SET_TLSEXT_HOSTNAME      55
#define SSL_CTRL_SET_MAX_PROTO_VERSION    124
#define BIO_C_SET_SSL                     109

static void *ssl, *crypto;

static int accept_name(void)
{
	return 0; /* SSL_TLSEXT_ERR_OK */
}

/* Without certificates: TLS 1.2 has ciphers for that. */
static void *make_connection(bool is_server, int fd)
{
	void *method = CALL(ssl, void *, TLS_method);
	void *ctx = CALL(ssl, void *, SSL_CTX_new, method), *s;

	assert_non_null(ctx);
	assert_int_equal(
		CALL(ssl, int, SSL_CTX_set_cipher_list, ctx, "AECDH-AES128-SHA@SECLEVEL=0"), 1);
	CALL(ssl, long, SSL_CTX_ctrl, ctx, SSL_CTRL_SET_MAX_PROTO_VERSION, 0x0303l, NULL);
	CALL(ssl, long, SSL_CTX_callback_ctrl, ctx, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB, accept_name);
	s = CALL(ssl, void *, SSL_new, ctx);
	assert_non_null(s);
	CALL(ssl, void, SSL_CTX_free, ctx);
	assert_int_equal(CALL(ssl, int, SSL_set_fd, s, fd), 1);
	if (is_server) {
		CALL(ssl, void, SSL_set_accept_state, s);
		return s;
	}
	CALL(ssl, void, SSL_set_connect_state, s);
	CALL(ssl, long, SSL_ctrl, s, SSL_CTRL_SET_TLSEXT_HOSTNAME, 0l, HOST);
	return s;
}

static void check_connection(const struct tls_layout *l, void *s, int fd, bool is_server)
{
	void *cipher = CALL(ssl, void *, SSL_get_current_cipher, s);
	const char *name = (const char *)(uintptr_t)follow(l, TLS_FIELD_SERVER_NAME, s);

	assert_non_null(cipher);
	assert_int_equal(follow(l, TLS_FIELD_VERSION, s), CALL(ssl, int, SSL_version, s));
	assert_int_equal(follow(l, TLS_FIELD_VERSION, s), 0x0303);
	assert_int_equal(follow(l, TLS_FIELD_CIPHER, s),
			 CALL(ssl, uint16_t, SSL_CIPHER_get_protocol_id, cipher));
	assert_int_equal(follow(l, TLS_FIELD_IS_SERVER, s), is_server);
	assert_int_equal(follow(l, TLS_FIELD_IN_INIT, s), 0);
	assert_int_equal(follow(l, TLS_FIELD_READ_FD, s), fd);
	assert_int_equal(follow(l, TLS_FIELD_WRITE_FD, s), fd);
	assert_true(follow(l, TLS_FIELD_READ_TYPE, s) & TLS_TYPE_FD);
	assert_true(follow(l, TLS_FIELD_WRITE_TYPE, s) & TLS_TYPE_FD);
	assert_non_null(name);
	assert_string_equal(name, HOST);
}

/* A connection that is not on a socket must not be taken for one on descriptor 0. */
static void check_memory(const struct tls_layout *l, void *s)
{
	void *bio = CALL(crypto, void *, BIO_new, CALL(crypto, void *, BIO_s_mem));

	CALL(ssl, void, SSL_set_bio, s, bio, bio);
	assert_false(follow(l, TLS_FIELD_READ_TYPE, s) & TLS_TYPE_FD);
	assert_false(follow(l, TLS_FIELD_WRITE_TYPE, s) & TLS_TYPE_FD);
}

/* As programs use a connection that they have no SSL_read() for. */
static void check_bio(const struct tls_layout *l, void *s)
{
	void *bio = CALL(crypto, void *, BIO_new, CALL(ssl, void *, BIO_f_ssl)), *next;

	assert_non_null(bio);
	CALL(crypto, long, BIO_ctrl, bio, BIO_C_SET_SSL, 0l, s);
	assert_int_equal(follow(l, TLS_FIELD_BIO_SSL, bio), (uintptr_t)s);
	next = CALL(crypto, void *, BIO_next, bio);
	CALL(crypto, int, BIO_free, bio);
	CALL(crypto, int, BIO_free, next);
}

static void read_openssl_layout(struct tls_layout *l)
{
	struct tls_symbols of_ssl, of_crypto;
	char version[64];

	open_symbols(&of_ssl, ssl, "SSL_read");
	open_symbols(&of_crypto, crypto, "BIO_new");
	tls_layout_read(l, version, sizeof(version), &of_ssl, &of_crypto, TLS_OPENSSL);
	close_symbols(&of_ssl);
	close_symbols(&of_crypto);
	/* "OpenSSL 3.0.19 27 Jan 2026" */
	assert_memory_equal(version, CALL(crypto, const char *, OpenSSL_version, 0),
			    strlen(version));
	assert_true(strlen(version) > strlen("OpenSSL "));
}

static void test_openssl(void **state)
{
	void *server, *client;
	struct tls_layout l;
	int fds[2], done = 0;

	(void)state;
	ssl = open_library((const char *const[]){"libssl.so.3", "libssl.so.1.1", NULL});
	crypto = open_library((const char *const[]){"libcrypto.so.3", "libcrypto.so.1.1", NULL});
	if (!ssl || !crypto)
		skip();
	make_sockets(fds);
	read_openssl_layout(&l);
	server = make_connection(true, fds[0]);
	client = make_connection(false, fds[1]);
	assert_int_not_equal(follow(&l, TLS_FIELD_IN_INIT, client), 0);
	for (int i = 0; done != 2 && i < 10; i++)
		done = (CALL(ssl, int, SSL_do_handshake, client) == 1) +
		       (CALL(ssl, int, SSL_do_handshake, server) == 1);
	assert_int_equal(done, 2);
	check_connection(&l, server, fds[0], true);
	check_connection(&l, client, fds[1], false);
	check_bio(&l, server);
	check_bio(&l, client);
	check_memory(&l, client);
	CALL(ssl, void, SSL_free, server);
	CALL(ssl, void, SSL_free, client);
	close(fds[0]);
	close(fds[1]);
}

/* ---- GnuTLS ------------------------------------------------------------------------------- */

#define GNUTLS_SERVER   1
#define GNUTLS_CLIENT   2
#define GNUTLS_NONBLOCK 8
#define GNUTLS_CRD_ANON 2
#define GNUTLS_TLS1_2   4

static void *gnutls;

static void *make_session(unsigned int flags, int fd, void *credentials)
{
	static const char priority[] = "NORMAL:+ANON-ECDH:-VERS-ALL:+VERS-TLS1.2";
	void *session;

	assert_int_equal(CALL(gnutls, int, gnutls_init, &session, flags | GNUTLS_NONBLOCK), 0);
	assert_int_equal(CALL(gnutls, int, gnutls_priority_set_direct, session, priority, NULL), 0);
	CALL(gnutls, int, gnutls_credentials_set, session, GNUTLS_CRD_ANON, credentials);
	CALL(gnutls, void, gnutls_transport_set_int2, session, fd, fd);
	return session;
}

static void check_session(const struct tls_layout *l, void *session, int fd)
{
	uint32_t version = follow(l, TLS_FIELD_VERSION, session);

	assert_int_equal(version, CALL(gnutls, int, gnutls_protocol_get_version, session));
	assert_int_equal(version, GNUTLS_TLS1_2);
	assert_int_equal(follow(l, TLS_FIELD_READ_FD, session), fd);
}

static void read_gnutls_layout(struct tls_layout *l)
{
	struct tls_symbols s;
	char version[64], expected[64];

	open_symbols(&s, gnutls, "gnutls_init");
	tls_layout_read(l, version, sizeof(version), &s, NULL, TLS_GNUTLS);
	close_symbols(&s);
	snprintf(expected, sizeof(expected), "GnuTLS %s",
		 CALL(gnutls, const char *, gnutls_check_version, NULL));
	assert_string_equal(version, expected);
}

static void test_gnutls(void **state)
{
	void *server, *client, *of_server, *of_client;
	struct tls_layout l;
	int fds[2], done = 0;

	(void)state;
	gnutls = open_library((const char *const[]){"libgnutls.so.30", NULL});
	if (!gnutls)
		skip();
	make_sockets(fds);
	read_gnutls_layout(&l);
	CALL(gnutls, int, gnutls_anon_allocate_server_credentials, &of_server);
	CALL(gnutls, int, gnutls_anon_allocate_client_credentials, &of_client);
	server = make_session(GNUTLS_SERVER, fds[0], of_server);
	client = make_session(GNUTLS_CLIENT, fds[1], of_client);
	for (int i = 0; done != 3 && i < 20; i++) {
		if (!(done & 1))
			done |= CALL(gnutls, int, gnutls_handshake, client) == 0;
		if (!(done & 2))
			done |= (CALL(gnutls, int, gnutls_handshake, server) == 0) << 1;
	}
	assert_int_equal(done, 3);
	check_session(&l, server, fds[0]);
	check_session(&l, client, fds[1]);
	CALL(gnutls, void, gnutls_deinit, server);
	CALL(gnutls, void, gnutls_deinit, client);
	CALL(gnutls, void, gnutls_anon_free_server_credentials, of_server);
	CALL(gnutls, void, gnutls_anon_free_client_credentials, of_client);
	close(fds[0]);
	close(fds[1]);
}

/* ---- NSPR --------------------------------------------------------------------------------- */

static void test_nspr(void **state)
{
	void *nspr = open_library((const char *const[]){"libnspr4.so", NULL}), *fd;
	struct tls_symbols s;
	struct tls_layout l;
	char version[64];

	(void)state;
	if (!nspr)
		skip();
	open_symbols(&s, nspr, "PR_Read");
	tls_layout_read(&l, version, sizeof(version), &s, NULL, TLS_NSS);
	close_symbols(&s);
	fd = CALL(nspr, void *, PR_OpenTCPSocket, AF_INET);
	assert_non_null(fd);
	/* A descriptor of the system's is the lowest layer itself. */
	assert_int_equal(follow(&l, TLS_FIELD_READ_FD, fd),
			 CALL(nspr, int, PR_FileDesc2NativeHandle, fd));
	assert_true(follow(&l, TLS_FIELD_READ_FD, fd) > 2);
	CALL(nspr, int, PR_Close, fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openssl),
		cmocka_unit_test(test_gnutls),
		cmocka_unit_test(test_nspr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
