// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "call.h"

/* Of gnutls.h. */
enum { NAME_DNS = 1, INVALID_REQUEST = -50 };

static bool begin(struct call *call, gnutls_session_t session, enum function function)
{
	return call_begin(call, session, TLS_GNUTLS, function);
}

static void end(struct call *call, enum tls_what what, uint16_t flags, const void *data,
		ssize_t ret)
{
	int saved = errno;

	call_end(call);
	if (ret > 0)
		call_moved(call, what, flags, data, ret);
	errno = saved;
}

INTERPOSED ssize_t gnutls_record_send(gnutls_session_t session, const void *data, size_t size)
{
	struct call call;
	ssize_t ret;

	if (!begin(&call, session, FN_gnutls_record_send))
		return INVALID_REQUEST;
	ret = CALL(call.lib, gnutls_record_send)(session, data, size);
	end(&call, TLS_WRITE, 0, data, ret);
	return ret;
}

INTERPOSED ssize_t gnutls_record_send2(gnutls_session_t session, const void *data, size_t size,
				       size_t pad, unsigned int flags)
{
	struct call call;
	ssize_t ret;

	if (!begin(&call, session, FN_gnutls_record_send2))
		return INVALID_REQUEST;
	ret = CALL(call.lib, gnutls_record_send2)(session, data, size, pad, flags);
	end(&call, TLS_WRITE, 0, data, ret);
	return ret;
}

INTERPOSED ssize_t gnutls_record_send_early_data(gnutls_session_t session, const void *data,
						 size_t size)
{
	struct call call;
	ssize_t ret;

	if (!begin(&call, session, FN_gnutls_record_send_early_data))
		return INVALID_REQUEST;
	ret = CALL(call.lib, gnutls_record_send_early_data)(session, data, size);
	/* All of it, or an error. */
	end(&call, TLS_WRITE, TLS_EARLY, data, ret == 0 ? (ssize_t)size : ret);
	return ret;
}

INTERPOSED ssize_t gnutls_record_send_file(gnutls_session_t session, int fd, off_t *offset,
					   size_t size)
{
	struct call call;
	ssize_t ret;

	if (!begin(&call, session, FN_gnutls_record_send_file))
		return INVALID_REQUEST;
	ret = CALL(call.lib, gnutls_record_send_file)(session, fd, offset, size);
	end(&call, TLS_WRITE, TLS_FILE, NULL, ret);
	return ret;
}

INTERPOSED ssize_t gnutls_record_recv(gnutls_session_t session, void *data, size_t size)
{
	struct call call;
	ssize_t ret;

	if (!begin(&call, session, FN_gnutls_record_recv))
		return INVALID_REQUEST;
	ret = CALL(call.lib, gnutls_record_recv)(session, data, size);
	end(&call, TLS_READ, 0, data, ret);
	return ret;
}

INTERPOSED ssize_t gnutls_record_recv_seq(gnutls_session_t session, void *data, size_t size,
					  unsigned char *seq)
{
	struct call call;
	ssize_t ret;

	if (!begin(&call, session, FN_gnutls_record_recv_seq))
		return INVALID_REQUEST;
	ret = CALL(call.lib, gnutls_record_recv_seq)(session, data, size, seq);
	end(&call, TLS_READ, 0, data, ret);
	return ret;
}

INTERPOSED ssize_t gnutls_record_recv_early_data(gnutls_session_t session, void *data, size_t size)
{
	struct call call;
	ssize_t ret;

	if (!begin(&call, session, FN_gnutls_record_recv_early_data))
		return INVALID_REQUEST;
	ret = CALL(call.lib, gnutls_record_recv_early_data)(session, data, size);
	end(&call, TLS_READ, TLS_EARLY, data, ret);
	return ret;
}

/* A client's session has no name that it was asked for: it is asked for what a program set. */
INTERPOSED int gnutls_server_name_set(gnutls_session_t session, int type, const void *name,
				      size_t len)
{
	struct call call;
	int ret;

	if (!begin(&call, session, FN_gnutls_server_name_set))
		return INVALID_REQUEST;
	ret = CALL(call.lib, gnutls_server_name_set)(session, type, name, len);
	call_end(&call);
	if (!ret && type == NAME_DNS && call.connection && len < TLS_NAME_MAX) {
		memcpy(call.connection->name, name, len);
		call.connection->name[len] = '\0';
	}
	return ret;
}

/* GnuTLS has names for protocols that are numbers in a row. */
static uint16_t version_on_wire(int version)
{
	static const struct {
		int first, last;
		uint16_t wire;
		int step;
	} rows[] = {
		{1, 5, 0x0300, 1},
		{200, 200, 0x0100, 0},
		{201, 201, 0xfeff, 0},
		{202, 202, 0xfefd, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (version >= rows[i].first && version <= rows[i].last)
			return rows[i].wire + (version - rows[i].first) * rows[i].step;
	}
	return 0;
}

/* By its name, which is what there is to ask for. */
static uint32_t find_cipher(const struct library *l, gnutls_session_t session)
{
	const char *name, *other;
	unsigned char id[2];

	if (!HAS(l, gnutls_ciphersuite_get) || !HAS(l, gnutls_cipher_suite_info))
		return 0;
	name = CALL(l, gnutls_ciphersuite_get)(session);
	for (size_t i = 0; name; i++) {
		other = CALL(l, gnutls_cipher_suite_info)(i, id, NULL, NULL, NULL, NULL);
		if (!other)
			break;
		if (!strcmp(name, other))
			return id[0] << 8 | id[1];
	}
	return 0;
}

/* Only a server may ask for the name: so this tells which side we are, too. */
static uint16_t find_name(struct call *call, gnutls_session_t session)
{
	struct connection *c = call->connection;
	size_t len = sizeof(c->name) - 1;
	unsigned int type;
	int err;

	if (!HAS(call->lib, gnutls_server_name_get))
		return 0;
	err = CALL(call->lib, gnutls_server_name_get)(session, c->name, &len, &type, 0);
	if (err == INVALID_REQUEST)
		return TLS_CLIENT;
	if (err || type != NAME_DNS)
		c->name[0] = '\0';
	c->name[sizeof(c->name) - 1] = '\0';
	return TLS_SERVER;
}

static void end_handshake(struct call *call, gnutls_session_t session, int ret)
{
	const struct library *l = call->lib;
	struct connection *c = call->connection;
	uint16_t flags;

	call_end(call);
	if (!call->thread || !c)
		return;
	if (ret && HAS(l, gnutls_error_is_fatal) && !CALL(l, gnutls_error_is_fatal)(ret))
		return;
	if (HAS(l, gnutls_protocol_get_version))
		c->record.version = version_on_wire(CALL(l, gnutls_protocol_get_version)(session));
	c->record.cipher = ret ? 0 : find_cipher(l, session);
	flags = find_name(call, session);
	call_handshake(call, flags | (ret ? TLS_FAILED : 0), ret, 0, *c->name ? c->name : NULL);
}

INTERPOSED int gnutls_handshake(gnutls_session_t session)
{
	struct call call;
	int ret, saved;

	if (!begin(&call, session, FN_gnutls_handshake))
		return INVALID_REQUEST;
	call_begin_handshake(&call);
	ret = CALL(call.lib, gnutls_handshake)(session);
	saved = errno;
	end_handshake(&call, session, ret);
	errno = saved;
	return ret;
}

INTERPOSED void gnutls_deinit(gnutls_session_t session)
{
	const struct library *l = session ? library_of(session, TLS_GNUTLS) : NULL;

	if (!l)
		return;
	connection_forget(session);
	CALL(l, gnutls_deinit)(session);
}
