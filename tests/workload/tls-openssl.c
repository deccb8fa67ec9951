/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A client and a server of OpenSSL that write down what they read and wrote, see tls-peer.h.
 *
 * usage: tls-openssl [-x] [-N] [-P] [-k] [-e] [-2] [plan] TRUTH CERT KEY
 *   -x        SSL_read_ex and SSL_write_ex, not SSL_read and SSL_write
 *   -N        sockets that do not block, with little room: calls are made again after WANT_READ
 *             and WANT_WRITE; "again N" says how often
 *   -P        a write may take a part of what it is given
 *   -k        SSL_peek before each read
 *   -e        one connection more at the end, whose first bytes are early data
 *   -2        TLS 1.2 at most
 *
 * Says of each connection and side "handshake SIDE LOCAL REMOTE VERSION CIPHER NAME".
 */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tls-peer.h"

#define EARLY_MAX  16384
#define EARLY_NAME "early.example"
#define NAME       "plain.example"

static const size_t early_lengths[] = {1, 4096, 8192};

static struct {
	bool ex;
	bool nonblocking;
	bool partial;
	bool peek;
	bool early;
	bool old;
} options;

static SSL_CTX *contexts[2]; /* the client's, the server's */
static SSL_SESSION *session; /* of a client's connection that has ended */
static unsigned long again;

static void __attribute__((noreturn)) die(const char *what)
{
	ERR_print_errors_fp(stderr);
	errx(1, "%s failed", what);
}

static SSL_CTX *context_new(bool is_server, const char *cert, const char *key)
{
	SSL_CTX *ctx = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());

	if (!ctx)
		die("SSL_CTX_new");
	if (is_server && (SSL_CTX_use_certificate_file(ctx, cert, SSL_FILETYPE_PEM) != 1 ||
			  SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1))
		die("the certificate");
	if (options.old && !SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION))
		die("the version");
	if (options.early && is_server &&
	    (!SSL_CTX_set_max_early_data(ctx, EARLY_MAX) ||
	     !SSL_CTX_set_recv_max_early_data(ctx, EARLY_MAX)))
		die("the size of early data");
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"peer", 4);
	if (options.partial)
		SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE);
	return ctx;
}

/* After a call that did not end: until it can be made again, which is true; or it was the end. */
static bool wait_for(const struct tls_peer *peer, int result)
{
	int error = SSL_get_error(peer->handle, result);
	struct pollfd fd = {.fd = peer->fd};

	if (error == SSL_ERROR_ZERO_RETURN)
		return false;
	if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
		die("a call");
	truth_add(&again, 1);
	fd.events = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
	if (poll(&fd, 1, 10000) != 1)
		errx(1, "nothing to read, and no room to write");
	return true;
}

static int call_read(SSL *ssl, void *buf, size_t len, size_t *moved)
{
	int n = options.ex ? SSL_read_ex(ssl, buf, len, moved) : SSL_read(ssl, buf, len);

	if (!options.ex)
		*moved = n > 0 ? n : 0;
	return n;
}

static int call_write(SSL *ssl, const void *buf, size_t len, size_t *moved)
{
	int n = options.ex ? SSL_write_ex(ssl, buf, len, moved) : SSL_write(ssl, buf, len);

	if (!options.ex)
		*moved = n > 0 ? n : 0;
	return n;
}

static void call_peek(SSL *ssl, void *buf, size_t len)
{
	size_t moved;

	/* Whether there is something to see or not: the read that comes will tell. */
	if (options.ex)
		SSL_peek_ex(ssl, buf, len, &moved);
	else
		SSL_peek(ssl, buf, len);
	ERR_clear_error();
}

static size_t way_read(struct tls_peer *peer, void *buf, size_t len)
{
	size_t moved = 0;
	int n;

	if (options.peek)
		call_peek(peer->handle, buf, len);
	do {
		n = call_read(peer->handle, buf, len, &moved);
	} while (n <= 0 && wait_for(peer, n));
	return moved;
}

static size_t way_write(struct tls_peer *peer, const void *buf, size_t len)
{
	size_t moved = 0;
	int n;

	do {
		n = call_write(peer->handle, buf, len, &moved);
	} while (n <= 0 && len && wait_for(peer, n));
	return moved;
}

/* What comes before the handshake is done. */
static void early_write(struct tls_peer *peer)
{
	unsigned int seed = tls_peer_seed(peer, false) ^ 0xea;
	char buf[EARLY_MAX];

	for (size_t i = 0; i < TLS_COUNT(early_lengths); i++) {
		size_t moved = 0;

		tls_peer_fill(peer->plan, buf, early_lengths[i], &seed);
		while (SSL_write_early_data(peer->handle, buf, early_lengths[i], &moved) != 1)
			wait_for(peer, 0);
		tls_peer_moved(peer, TLS_PEER_WRITE, buf, moved);
	}
}

static void early_read(struct tls_peer *peer)
{
	char buf[1000];
	size_t moved, total = 0;
	int status;

	do {
		moved = 0;
		status = SSL_read_early_data(peer->handle, buf, sizeof(buf), &moved);
		tls_peer_moved(peer, TLS_PEER_READ, buf, moved);
		total += moved;
		if (status == SSL_READ_EARLY_DATA_ERROR)
			wait_for(peer, 0);
	} while (status != SSL_READ_EARLY_DATA_FINISH);
	if (!total)
		errx(1, "no early data came");
}

static void say_handshake(const struct tls_peer *peer)
{
	SSL *ssl = peer->handle;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	printf("handshake %s %u %u %s %s %s\n", peer->is_server ? "server" : "client", peer->local,
	       peer->remote, SSL_get_version(ssl),
	       SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl)), name ?: "-");
}

static void handshake(struct tls_peer *peer)
{
	bool early = options.early && peer->number == peer->plan->connections;
	SSL *ssl = peer->handle;
	int n;

	if (early && peer->is_server)
		early_read(peer);
	else if (early)
		early_write(peer);
	do {
		n = peer->is_server ? SSL_accept(ssl) : SSL_connect(ssl);
	} while (n != 1 && wait_for(peer, n));
	say_handshake(peer);
}

static void way_open(struct tls_peer *peer)
{
	bool early = options.early && peer->number == peer->plan->connections;
	SSL *ssl = SSL_new(contexts[peer->is_server]);

	if (!ssl || !SSL_set_fd(ssl, peer->fd))
		die("SSL_new");
	if (options.nonblocking && fcntl(peer->fd, F_SETFL, O_NONBLOCK))
		err(1, "failed to make a socket not block");
	if (!peer->is_server && !SSL_set_tlsext_host_name(ssl, early ? EARLY_NAME : NAME))
		die("the name");
	if (early && !peer->is_server && SSL_set_session(ssl, session) != 1)
		die("SSL_set_session");
	peer->handle = ssl;
	handshake(peer);
}

static void way_close(struct tls_peer *peer)
{
	SSL *ssl = peer->handle;
	char rest;

	/* The other side's last records hold what a session needs; none of them is data. */
	SSL_shutdown(ssl);
	if (SSL_read(ssl, &rest, 1) > 0)
		errx(1, "more came than was sent");
	tls_peer_drain(peer->fd);
	if (options.early && !peer->is_server && !session)
		session = SSL_get1_session(ssl);
	SSL_free(ssl);
}

int main(int argc, char **argv)
{
	struct tls_way way = {
		.open = way_open, .read = way_read, .write = way_write, .close = way_close};
	struct tls_plan plan;
	int option;

	tls_plan_init(&plan);
	while ((option = getopt(argc, argv, "xNPke2" TLS_PLAN_OPTIONS)) != -1) {
		switch (option) {
		case 'x':
			options.ex = true;
			break;
		case 'N':
			options.nonblocking = true;
			break;
		case 'P':
			options.partial = true;
			break;
		case 'k':
			options.peek = true;
			break;
		case 'e':
			options.early = true;
			break;
		case '2':
			options.old = true;
			break;
		default:
			tls_plan_option(&plan, option, optarg);
		}
	}
	if (argc - optind != 3)
		errx(2, "usage: tls-openssl [OPTION]... TRUTH CERT KEY\n%s", TLS_PLAN_USAGE);
	tls_plan_complete(&plan, argv[optind]);
	way.buffer = options.nonblocking ? 4096 : 0;
	way.once_more = options.early;
	contexts[0] = context_new(false, NULL, NULL);
	contexts[1] = context_new(true, argv[optind + 1], argv[optind + 2]);
	tls_peer_run(&plan, &way);
	if (options.nonblocking)
		printf("again %lu\n", again);
	return 0;
}
