/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A client and a server of GnuTLS that write down what they received and sent, see tls-peer.h.
 *
 * usage: tls-gnutls [-N] [-2] [-p] [-c] [-z] [-f] [plan] TRUTH CERT KEY
 *   -N        sockets that do not block, with little room: calls are made again after
 *             GNUTLS_E_AGAIN; "again N" says how often
 *   -2        TLS 1.2
 *   -p        gnutls_record_send2, with padding
 *   -c        each message is corked: the library keeps it until it is told to send
 *   -z        with -N: what was not sent is sent on by calls without data, as the manual has it
 *   -f        only a handshake that fails: the client trusts nobody
 *
 * Says of each connection and side "handshake SIDE LOCAL REMOTE VERSION NAME" or, GnuTLS's
 * name for it, "failed SIDE LOCAL REMOTE REASON".
 */
#include <gnutls/gnutls.h>

#include "tls-peer.h"

#define NAME       "gnutls.example"
#define PADDED_MAX 16000 /* of a record's 16384 bytes */

static struct {
	bool nonblocking;
	bool old;
	bool padded;
	bool corked;
	bool empty_handed;
	bool fail;
} options;

static gnutls_certificate_credentials_t credentials[2]; /* the client's, the server's */
static unsigned long again;

static void check(int status, const char *what)
{
	if (status < 0)
		errx(1, "%s: %s", what, gnutls_strerror(status));
}

/* After a call that failed: until it can be made again. */
static bool wait_for(const struct tls_peer *peer, ssize_t status)
{
	struct pollfd fd = {.fd = peer->fd};

	if (status != GNUTLS_E_AGAIN && status != GNUTLS_E_INTERRUPTED)
		return false;
	truth_add(&again, 1);
	fd.events = gnutls_record_get_direction(peer->handle) ? POLLOUT : POLLIN;
	if (poll(&fd, 1, 10000) != 1)
		errx(1, "nothing to read, and no room to write");
	return true;
}

static size_t way_read(struct tls_peer *peer, void *buf, size_t len)
{
	ssize_t n;

	do {
		n = gnutls_record_recv(peer->handle, buf, len);
	} while (n < 0 && wait_for(peer, n));
	check(n, "gnutls_record_recv");
	return n;
}

static ssize_t call_write(gnutls_session_t session, const void *buf, size_t len)
{
	if (options.padded && len < PADDED_MAX)
		return gnutls_record_send2(session, buf, len, 16, 0);
	return gnutls_record_send(session, buf, len);
}

static void uncork(struct tls_peer *peer)
{
	int n;

	do {
		n = gnutls_record_uncork(peer->handle, 0);
	} while (n < 0 && wait_for(peer, n));
	check(n, "gnutls_record_uncork");
}

static size_t way_write(struct tls_peer *peer, const void *buf, size_t len)
{
	ssize_t n;

	/* Nothing is refused. */
	if (!len)
		return 0;
	if (options.corked)
		gnutls_record_cork(peer->handle);
	n = call_write(peer->handle, buf, len);
	while (n < 0 && wait_for(peer, n)) {
		bool again_with_data = !options.empty_handed;

		n = call_write(peer->handle, again_with_data ? buf : NULL,
			       again_with_data ? len : 0);
	}
	check(n, "gnutls_record_send");
	if (options.corked)
		uncork(peer);
	return n;
}

static void say(const struct tls_peer *peer, int status)
{
	const char *side = peer->is_server ? "server" : "client";

	if (status)
		printf("failed %s %u %u %s\n", side, peer->local, peer->remote,
		       gnutls_strerror_name(status));
	else
		printf("handshake %s %u %u %s %s\n", side, peer->local, peer->remote,
		       gnutls_protocol_get_name(gnutls_protocol_get_version(peer->handle)), NAME);
}

static void way_open(struct tls_peer *peer)
{
	unsigned int flags = peer->is_server ? GNUTLS_SERVER : GNUTLS_CLIENT;
	gnutls_session_t session;
	int status;

	if (options.nonblocking && fcntl(peer->fd, F_SETFL, O_NONBLOCK))
		err(1, "failed to make a socket not block");
	check(gnutls_init(&session, flags | (options.nonblocking ? GNUTLS_NONBLOCK : 0)), "init");
	check(gnutls_priority_set_direct(session, options.old ? "NORMAL:-VERS-TLS1.3" : "NORMAL",
					 NULL),
	      "priorities");
	check(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials[peer->is_server]),
	      "credentials");
	if (!peer->is_server)
		check(gnutls_server_name_set(session, GNUTLS_NAME_DNS, NAME, strlen(NAME)), "name");
	if (!peer->is_server && options.fail)
		gnutls_session_set_verify_cert(session, NAME, 0);
	gnutls_transport_set_int(session, peer->fd);
	gnutls_handshake_set_timeout(session, 10000);
	peer->handle = session;
	do {
		status = gnutls_handshake(session);
	} while (status < 0 && (wait_for(peer, status) || !gnutls_error_is_fatal(status)));
	if (options.fail)
		gnutls_alert_send_appropriate(session, status);
	else
		check(status, "gnutls_handshake");
	say(peer, status);
}

static void way_close(struct tls_peer *peer)
{
	gnutls_session_t session = peer->handle;

	if (!options.fail)
		gnutls_bye(session, GNUTLS_SHUT_WR);
	tls_peer_drain(peer->fd);
	gnutls_deinit(session);
}

static void credentials_init(const char *cert, const char *key)
{
	for (int i = 0; i < 2; i++)
		check(gnutls_certificate_allocate_credentials(&credentials[i]), "credentials");
	check(gnutls_certificate_set_x509_key_file(credentials[1], cert, key, GNUTLS_X509_FMT_PEM),
	      "the certificate");
}

int main(int argc, char **argv)
{
	struct tls_way way = {
		.open = way_open, .read = way_read, .write = way_write, .close = way_close};
	struct tls_plan plan;
	int option;

	tls_plan_init(&plan);
	while ((option = getopt(argc, argv, "N2pczf" TLS_PLAN_OPTIONS)) != -1) {
		switch (option) {
		case 'N':
			options.nonblocking = true;
			break;
		case '2':
			options.old = true;
			break;
		case 'p':
			options.padded = true;
			break;
		case 'c':
			options.corked = true;
			break;
		case 'z':
			options.empty_handed = true;
			break;
		case 'f':
			options.fail = true;
			break;
		default:
			tls_plan_option(&plan, option, optarg);
		}
	}
	if (argc - optind != 3)
		errx(2, "usage: tls-gnutls [OPTION]... TRUTH CERT KEY\n%s", TLS_PLAN_USAGE);
	tls_plan_complete(&plan, argv[optind]);
	if (options.fail)
		plan.rounds = 0;
	way.buffer = options.nonblocking ? 4096 : 0;
	credentials_init(argv[optind + 1], argv[optind + 2]);
	tls_peer_run(&plan, &way);
	if (options.nonblocking)
		printf("again %lu\n", again);
	return 0;
}
