/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A client of OpenSSL that uses one object for three connections, with SSL_clear() in between:
 * the first one ends without a farewell, and is read and written once more; the second one is not
 * answered in TLS; the third one is good.
 *
 * usage: tls-reuse CERT KEY
 */
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#define TEXT "hello"

static SSL_CTX *ctx;

static SSL *object_new(void)
{
	SSL *ssl = SSL_new(ctx);

	if (!ssl)
		errx(1, "SSL_new failed");
	return ssl;
}

/* Both sides in turns, in sockets that do not block. */
static void shake_hands(SSL *client, SSL *server)
{
	bool connected = false, accepted = false;

	while (!connected || !accepted) {
		connected = connected || SSL_connect(client) == 1;
		accepted = accepted || SSL_accept(server) == 1;
	}
}

static void open_pair(SSL *client, int ends[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends))
		err(1, "failed to make sockets");
	if (!SSL_clear(client) || !SSL_set_fd(client, ends[0]))
		errx(1, "the client cannot be used again");
}

static void meet_good(SSL *client, bool then_more)
{
	SSL *server = object_new();
	char buf[sizeof(TEXT)];
	int ends[2];

	open_pair(client, ends);
	if (!SSL_set_fd(server, ends[1]))
		errx(1, "SSL_set_fd failed");
	shake_hands(client, server);
	if (SSL_write(server, TEXT, strlen(TEXT)) <= 0 || SSL_read(client, buf, sizeof(buf)) <= 0)
		errx(1, "the text does not arrive");
	SSL_free(server);
	close(ends[1]);
	for (int i = 0; then_more && i < 3; i++) {
		if (SSL_read(client, buf, sizeof(buf)) > 0 || SSL_write(client, TEXT, 1) > 0)
			errx(1, "a connection that has ended is used");
	}
	close(ends[0]);
}

static void meet_other(SSL *client)
{
	static const char http[] = "HTTP/1.0 400 Bad Request\r\n\r\n";
	int ends[2];

	open_pair(client, ends);
	if (write(ends[1], http, strlen(http)) < 0)
		err(1, "failed to write");
	if (SSL_connect(client) == 1)
		errx(1, "that was no TLS");
	close(ends[0]);
	close(ends[1]);
}

int main(int argc, char **argv)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	SSL *client;

	if (argc != 3)
		errx(2, "usage: tls-reuse CERT KEY");
	sigaction(SIGPIPE, &ignore, NULL);
	ctx = SSL_CTX_new(TLS_method());
	if (!ctx || SSL_CTX_use_certificate_file(ctx, argv[1], SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, argv[2], SSL_FILETYPE_PEM) != 1)
		errx(1, "failed to load the certificate");
	SSL_CTX_set_num_tickets(ctx, 0);
	client = object_new();
	meet_good(client, true);
	meet_other(client);
	meet_good(client, false);
	SSL_free(client);
	SSL_CTX_free(ctx);
	return 0;
}
