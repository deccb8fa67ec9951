// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * OpenSSL and what has its calls. Calls that moved nothing have no record. A handshake may be
 * part of any call: a program need not ask for it.
 */
#include <errno.h>
#include <stdbool.h>

#include "call.h"

#define IS_1_1_LIBRARY(error) ((error) >> 24 & 0xff)
#define IS_1_1_REASON(error)  ((error)&0xfff)
#define IS_3_SYSTEM(error)    ((error)&0x80000000)
#define IS_3_LIBRARY(error)   ((error) >> 23 & 0xff)
#define IS_3_REASON(error)    ((error)&0x7fffff)
#define LIBRARY_SYSTEM        2

enum { ERROR_SSL = 1, ERROR_SYSCALL = 5, ERROR_ZERO_RETURN = 6 }; /* of SSL_get_error() */
enum { EARLY_DATA_SUCCESS = 1 };

/* A call to a library; before is an error that was in its queue already. */
struct openssl_call {
	struct call call;
	unsigned long before;
};

static bool is_finished(const struct library *l, const SSL *ssl)
{
	return HAS(l, SSL_is_init_finished) && CALL(l, SSL_is_init_finished)(ssl);
}

static bool begin(struct openssl_call *o, SSL *ssl, enum function function)
{
	bool asked = function >= FN_SSL_do_handshake && function <= FN_SSL_connect;
	const struct library *l;
	struct connection *c;

	if (!call_begin(&o->call, ssl, TLS_OPENSSL, function))
		return false;
	l = o->call.lib;
	c = o->call.connection;
	if (!o->call.thread || !c || (c->ready && !asked))
		return true;
	/* One that is behind it, and is asked for another, says so by not being finished. */
	c->ready = is_finished(l, ssl);
	if (!c->ready) {
		o->before = HAS(l, ERR_peek_error) ? CALL(l, ERR_peek_error)() : 0;
		call_begin_handshake(&o->call);
	}
	return true;
}

/* The first error that the call has left is the cause, and the queue stays as it is. */
static void find_error(const struct openssl_call *o, int32_t *reason, uint32_t *library)
{
	const struct library *l = o->call.lib;
	unsigned long error = HAS(l, ERR_peek_error) ? CALL(l, ERR_peek_error)() : 0;

	if (o->before && error == o->before && HAS(l, ERR_peek_last_error))
		error = CALL(l, ERR_peek_last_error)();
	if (!error || (error == o->before && o->before))
		return;
	if (!HAS(l, OPENSSL_version_major)) {
		*library = IS_1_1_LIBRARY(error);
		*reason = IS_1_1_REASON(error);
	} else if (IS_3_SYSTEM(error)) {
		*library = LIBRARY_SYSTEM;
		*reason = error & ~0x80000000;
	} else {
		*library = IS_3_LIBRARY(error);
		*reason = IS_3_REASON(error);
	}
}

static void learn(struct openssl_call *o, const SSL *ssl)
{
	const struct library *l = o->call.lib;
	struct tls_record *r = &o->call.connection->record;
	const SSL_CIPHER *cipher;

	if (HAS(l, SSL_version))
		r->version = CALL(l, SSL_version)(ssl);
	cipher = HAS(l, SSL_get_current_cipher) ? CALL(l, SSL_get_current_cipher)(ssl) : NULL;
	if (cipher && HAS(l, SSL_CIPHER_get_id))
		r->cipher = CALL(l, SSL_CIPHER_get_id)(cipher) & 0xffff;
}

/* What the call has meant for the handshake. */
static void end_handshake(struct openssl_call *o, SSL *ssl, int ret)
{
	const struct library *l = o->call.lib;
	struct connection *c = o->call.connection;
	uint16_t flags = 0;
	uint32_t library = 0;
	int32_t reason = 0;
	const char *name;
	int error;

	c->ready = is_finished(l, ssl);
	if (!c->ready) {
		error = ret > 0 || !HAS(l, SSL_get_error) ? 0 : CALL(l, SSL_get_error)(ssl, ret);
		/* Once: it stays failed, whatever is called. */
		if (c->failed ||
		    (error != ERROR_SSL && error != ERROR_SYSCALL && error != ERROR_ZERO_RETURN))
			return;
		find_error(o, &reason, &library);
		c->failed = true;
		flags = TLS_FAILED;
	}
	learn(o, ssl);
	if (HAS(l, SSL_is_server))
		flags |= CALL(l, SSL_is_server)(ssl) ? TLS_SERVER : TLS_CLIENT;
	name = HAS(l, SSL_get_servername) ? CALL(l, SSL_get_servername)(ssl, 0) : NULL;
	call_handshake(&o->call, flags, reason, library, name);
}

static void end(struct openssl_call *o, SSL *ssl, int ret)
{
	struct connection *c = o->call.connection;

	call_end(&o->call);
	if (o->call.thread && c && !c->ready)
		end_handshake(o, ssl, ret);
}

INTERPOSED int SSL_read(SSL *ssl, void *buf, int num)
{
	struct openssl_call o;
	int ret, saved;

	if (!begin(&o, ssl, FN_SSL_read))
		return -1;
	ret = CALL(o.call.lib, SSL_read)(ssl, buf, num);
	saved = errno;
	end(&o, ssl, ret);
	if (ret > 0)
		call_moved(&o.call, TLS_READ, 0, buf, ret);
	errno = saved;
	return ret;
}

INTERPOSED int SSL_write(SSL *ssl, const void *buf, int num)
{
	struct openssl_call o;
	int ret, saved;

	if (!begin(&o, ssl, FN_SSL_write))
		return -1;
	ret = CALL(o.call.lib, SSL_write)(ssl, buf, num);
	saved = errno;
	end(&o, ssl, ret);
	if (ret > 0)
		call_moved(&o.call, TLS_WRITE, 0, buf, ret);
	errno = saved;
	return ret;
}

INTERPOSED int SSL_read_ex(SSL *ssl, void *buf, size_t num, size_t *done)
{
	struct openssl_call o;
	int ret, saved;

	if (!begin(&o, ssl, FN_SSL_read_ex))
		return 0;
	ret = CALL(o.call.lib, SSL_read_ex)(ssl, buf, num, done);
	saved = errno;
	end(&o, ssl, ret);
	if (ret > 0 && *done)
		call_moved(&o.call, TLS_READ, 0, buf, *done);
	errno = saved;
	return ret;
}

INTERPOSED int SSL_write_ex(SSL *ssl, const void *buf, size_t num, size_t *done)
{
	struct openssl_call o;
	int ret, saved;

	if (!begin(&o, ssl, FN_SSL_write_ex))
		return 0;
	ret = CALL(o.call.lib, SSL_write_ex)(ssl, buf, num, done);
	saved = errno;
	end(&o, ssl, ret);
	if (ret > 0 && *done)
		call_moved(&o.call, TLS_WRITE, 0, buf, *done);
	errno = saved;
	return ret;
}

INTERPOSED int SSL_read_early_data(SSL *ssl, void *buf, size_t num, size_t *done)
{
	struct openssl_call o;
	int ret, saved;

	if (!begin(&o, ssl, FN_SSL_read_early_data))
		return 0;
	ret = CALL(o.call.lib, SSL_read_early_data)(ssl, buf, num, done);
	saved = errno;
	end(&o, ssl, ret);
	if (ret == EARLY_DATA_SUCCESS && *done)
		call_moved(&o.call, TLS_READ, TLS_EARLY, buf, *done);
	errno = saved;
	return ret;
}

INTERPOSED int SSL_write_early_data(SSL *ssl, const void *buf, size_t num, size_t *done)
{
	struct openssl_call o;
	int ret, saved;

	if (!begin(&o, ssl, FN_SSL_write_early_data))
		return 0;
	ret = CALL(o.call.lib, SSL_write_early_data)(ssl, buf, num, done);
	saved = errno;
	end(&o, ssl, ret);
	if (ret > 0 && *done)
		call_moved(&o.call, TLS_WRITE, TLS_EARLY, buf, *done);
	errno = saved;
	return ret;
}

INTERPOSED ssize_t SSL_sendfile(SSL *ssl, int fd, off_t offset, size_t size, int flags)
{
	struct openssl_call o;
	ssize_t ret;
	int saved;

	if (!begin(&o, ssl, FN_SSL_sendfile))
		return -1;
	ret = CALL(o.call.lib, SSL_sendfile)(ssl, fd, offset, size, flags);
	saved = errno;
	end(&o, ssl, ret > 0 ? 1 : ret);
	if (ret > 0)
		call_moved(&o.call, TLS_WRITE, TLS_FILE, NULL, ret);
	errno = saved;
	return ret;
}

typedef int (*handshake_fn)(SSL *ssl);

static int handshake(SSL *ssl, enum function function)
{
	struct openssl_call o;
	int ret, saved;

	if (!begin(&o, ssl, function))
		return -1;
	ret = ((handshake_fn)o.call.lib->functions[function])(ssl);
	saved = errno;
	end(&o, ssl, ret);
	errno = saved;
	return ret;
}

INTERPOSED int SSL_do_handshake(SSL *ssl)
{
	return handshake(ssl, FN_SSL_do_handshake);
}

INTERPOSED int SSL_accept(SSL *ssl)
{
	return handshake(ssl, FN_SSL_accept);
}

INTERPOSED int SSL_connect(SSL *ssl)
{
	return handshake(ssl, FN_SSL_connect);
}

/* A handshake begins with one, which is of this connection. */
INTERPOSED int SSL_clear(SSL *ssl)
{
	const struct library *l = ssl ? library_of(ssl, TLS_OPENSSL) : NULL;

	if (l && !call_is_within(ssl))
		connection_forget(ssl);
	return l ? CALL(l, SSL_clear)(ssl) : 0;
}

/* What was here before may have gone without SSL_free(), with the BIO that owned it. */
INTERPOSED SSL *SSL_new(SSL_CTX *context)
{
	const struct library *l = library_of(context, TLS_OPENSSL);
	SSL *ssl = l ? CALL(l, SSL_new)(context) : NULL;

	if (ssl)
		connection_forget(ssl);
	return ssl;
}

INTERPOSED void SSL_free(SSL *ssl)
{
	const struct library *l = ssl ? library_of(ssl, TLS_OPENSSL) : NULL;

	if (!l)
		return;
	connection_forget(ssl);
	CALL(l, SSL_free)(ssl);
}
