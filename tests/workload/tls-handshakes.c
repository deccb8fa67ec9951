/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Handshakes of OpenSSL, good and bad, one after the other, each in a connection of its own.
 *
 * usage: tls-handshakes [-N] CERT KEY
 *   -N   sockets do not block: each side makes its call again and again
 *
 * Says of each side, in OpenSSL's words, "CASE SIDE LOCAL REMOTE good VERSION CIPHER NAME" or
 * "CASE SIDE LOCAL REMOTE failed REASON".
 */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tls-peer.h"

#define NAME "handshake.example"

/* A side may do something else than TLS. */
enum conduct {
	TALKS,
	SAYS_HTTP,  /* a request that is not encrypted */
	SAYS_LITTLE /* the begin of a record, and goes */
};

struct handshake_case {
	const char *name;
	enum conduct client;
	enum conduct server;
	int client_max; /* version; 0: any */
	int server_min;
	bool verify; /* by the client, which trusts nobody */
};

static const struct handshake_case cases[] = {
	{.name = "newest"},
	{.name = "older", .client_max = TLS1_2_VERSION},
	{.name = "unknown-ca", .verify = true},
	{.name = "unknown-ca-older", .verify = true, .client_max = TLS1_2_VERSION},
	{.name = "versions", .client_max = TLS1_2_VERSION, .server_min = TLS1_3_VERSION},
	{.name = "http", .client = SAYS_HTTP},
	{.name = "client-goes", .client = SAYS_LITTLE},
	{.name = "server-goes", .server = SAYS_LITTLE},
	{.name = "newest-again"},
};

static const char *cert, *key;
static bool nonblocking;

/* A server that has several names asks for the one that is meant. */
static int name_asked(SSL *ssl, int *alert, void *arg)
{
	(void)alert, (void)arg;
	return SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) ? SSL_TLSEXT_ERR_OK
								  : SSL_TLSEXT_ERR_NOACK;
}

static SSL_CTX *context_new(const struct handshake_case *c, bool is_server)
{
	SSL_CTX *ctx = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());

	if (!ctx)
		errx(1, "SSL_CTX_new failed");
	if (is_server && (SSL_CTX_use_certificate_file(ctx, cert, SSL_FILETYPE_PEM) != 1 ||
			  SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1))
		errx(1, "failed to load the certificate");
	if (is_server)
		SSL_CTX_set_tlsext_servername_callback(ctx, name_asked);
	if (is_server && c->server_min)
		SSL_CTX_set_min_proto_version(ctx, c->server_min);
	if (!is_server && c->client_max)
		SSL_CTX_set_max_proto_version(ctx, c->client_max);
	if (!is_server && c->verify)
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	return ctx;
}

static bool wait_for(SSL *ssl, int fd, int result)
{
	int error = SSL_get_error(ssl, result);
	struct pollfd ready = {.fd = fd};

	if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
		return false;
	ready.events = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
	if (poll(&ready, 1, 10000) != 1)
		errx(1, "the other side is silent");
	return true;
}

static void say_good(SSL *ssl)
{
	printf("good %s %s %s\n", SSL_get_version(ssl),
	       SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl)),
	       SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) ?: "-");
}

static void say_failure(void)
{
	unsigned long error = ERR_peek_last_error();

	printf("failed %s\n",
	       error ? ERR_reason_error_string(error) : "closed before it was complete");
}

static void talk(const struct handshake_case *c, bool is_server, int fd)
{
	SSL_CTX *ctx = context_new(c, is_server);
	SSL *ssl = SSL_new(ctx);
	int n;

	ERR_clear_error();
	if (nonblocking && fcntl(fd, F_SETFL, O_NONBLOCK))
		err(1, "failed to make a socket not block");
	if (!ssl || !SSL_set_fd(ssl, fd) || (!is_server && !SSL_set_tlsext_host_name(ssl, NAME)))
		errx(1, "SSL_new failed");
	do {
		n = is_server ? SSL_accept(ssl) : SSL_connect(ssl);
	} while (n != 1 && wait_for(ssl, fd, n));
	printf("%s %s %u %u ", c->name, is_server ? "server" : "client", tls_peer_port(fd, true),
	       tls_peer_port(fd, false));
	if (n == 1)
		say_good(ssl);
	else
		say_failure();
	tls_peer_drain(fd);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

static void misbehave(enum conduct conduct, int fd)
{
	static const char http[] = "GET / HTTP/1.0\r\n\r\n";
	static const char little[] = {0x16, 3, 3};
	const char *says = conduct == SAYS_HTTP ? http : little;
	size_t len = conduct == SAYS_HTTP ? sizeof(http) - 1 : sizeof(little);

	if (send(fd, says, len, 0) != (ssize_t)len)
		err(1, "failed to send");
	tls_peer_drain(fd);
}

static void side(bool is_server, int listener, const struct sockaddr_in *addr)
{
	for (size_t i = 0; i < TLS_COUNT(cases); i++) {
		const struct handshake_case *c = &cases[i];
		enum conduct conduct = is_server ? c->server : c->client;
		int fd = is_server ? accept(listener, NULL, NULL) : tls_peer_connect(0, addr);

		if (fd < 0)
			err(1, "failed to accept");
		if (conduct == TALKS)
			talk(c, is_server, fd);
		else
			misbehave(conduct, fd);
		close(fd);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr;
	int listener, status;
	pid_t pid;

	nonblocking = argc == 4 && !strcmp(argv[1], "-N");
	if (argc != 3 + nonblocking)
		errx(2, "usage: tls-handshakes [-N] CERT KEY");
	cert = argv[argc - 2];
	key = argv[argc - 1];
	setvbuf(stdout, NULL, _IOLBF, 0);
	listener = tls_peer_listen(0, &addr);
	pid = fork();
	if (pid < 0)
		err(1, "failed to fork");
	if (!pid) {
		side(true, listener, NULL);
		exit(0);
	}
	side(false, -1, &addr);
	if (waitpid(pid, &status, 0) != pid || status)
		errx(1, "the server failed");
	return 0;
}
