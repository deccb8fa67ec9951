/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * usage: tls-load [QUESTIONS ANSWERS]
 *
 * Makes SSL_write() calls at a steady rate, within one process: what is sent ends in a memory BIO
 * that is emptied. Each line "CALLS RATE BYTES text" (or binary) on stdin, or the FIFO
 * QUESTIONS, makes that many calls, RATE in a second (0: as fast as possible), in bursts of a
 * millisecond. The answer is how many calls a second it came to, and the CPU time of one, in ns,
 * which includes what a tracer adds. The first answer, before any question, is "ready".
 */
#include <err.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define BYTES_MAX    16384
#define BURSTS_PER_S 1000
#define NS_PER_S     1000000000ULL

static char payload[BYTES_MAX];
static BIO *wire;

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void *must(void *object, const char *what)
{
	if (!object)
		errx(1, "failed to make %s", what);
	return object;
}

static X509 *certify(EVP_PKEY *key)
{
	X509 *cert = must(X509_new(), "a certificate");

	if (!X509_gmtime_adj(X509_getm_notBefore(cert), 0) ||
	    !X509_gmtime_adj(X509_getm_notAfter(cert), 86400) || !X509_set_pubkey(cert, key) ||
	    !X509_sign(cert, key, EVP_sha256()))
		errx(1, "failed to sign the certificate");
	return cert;
}

static SSL *make_end(const SSL_METHOD *method, BIO *in, BIO *out)
{
	SSL_CTX *context = must(SSL_CTX_new(method), "a context");
	SSL *ssl = must(SSL_new(context), "a connection");

	SSL_set_bio(ssl, in, out);
	return ssl;
}

/* Returns the server's end, whose messages go to the wire. */
static SSL *connect_ends(void)
{
	EVP_PKEY *key = must(EVP_EC_gen("P-256"), "a key");
	BIO *to_server = must(BIO_new(BIO_s_mem()), "a BIO");
	SSL *server, *client;

	wire = must(BIO_new(BIO_s_mem()), "a BIO");
	BIO_up_ref(to_server);
	BIO_up_ref(wire);
	server = make_end(TLS_server_method(), to_server, wire);
	client = make_end(TLS_client_method(), wire, to_server);
	if (!SSL_use_PrivateKey(server, key) || !SSL_use_certificate(server, certify(key)))
		errx(1, "failed to use the certificate");
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	while (!SSL_is_init_finished(server) || !SSL_is_init_finished(client)) {
		int wait_client = SSL_get_error(client, SSL_do_handshake(client));
		int wait_server = SSL_get_error(server, SSL_do_handshake(server));

		if (wait_client == SSL_ERROR_SSL || wait_server == SSL_ERROR_SSL)
			errx(1, "failed to shake hands");
	}
	return server;
}

/* Bytes in 'binary' are of any value, and each of about as many. */
static void fill_payload(bool binary)
{
	static const char line[] = "the quick brown fox jumps over the lazy dog\r\n";

	for (uint32_t i = 0; i < BYTES_MAX; i++) {
		uint8_t mixed = (i * 2654435761u) >> 24;

		payload[i] = binary ? (char)mixed : line[i % (sizeof(line) - 1)];
	}
}

static void write_burst(SSL *server, uint64_t calls, int bytes)
{
	while (calls--)
		if (SSL_write(server, payload, bytes) != bytes)
			errx(1, "failed to write %d bytes", bytes);
	if (BIO_reset(wire) != 1)
		errx(1, "failed to empty the wire");
}

static void sleep_until(uint64_t ns)
{
	struct timespec t = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
		;
}

static void answer(SSL *server, uint64_t calls, uint64_t rate, int bytes)
{
	uint64_t start = clock_ns(CLOCK_MONOTONIC), cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	uint64_t done = 0, burst = rate ? (rate + BURSTS_PER_S - 1) / BURSTS_PER_S : 100;
	uint64_t elapsed;

	while (done < calls) {
		if (rate)
			sleep_until(start + done * NS_PER_S / rate);
		if (burst > calls - done)
			burst = calls - done;
		write_burst(server, burst, bytes);
		done += burst;
	}
	elapsed = clock_ns(CLOCK_MONOTONIC) - start;
	cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
	printf("%.0f %.1f\n", calls * (double)NS_PER_S / elapsed, (double)cpu / calls);
}

int main(int argc, char **argv)
{
	unsigned long long calls, rate;
	char kind[8];
	SSL *server = connect_ends();
	int bytes;

	if (argc == 3 && (!freopen(argv[1], "r", stdin) || !freopen(argv[2], "w", stdout)))
		err(1, "failed to open '%s' and '%s'", argv[1], argv[2]);
	setlinebuf(stdout);
	printf("ready\n");
	while (scanf("%llu %llu %d %7s", &calls, &rate, &bytes, kind) == 4) {
		if (!calls || bytes < 1 || bytes > BYTES_MAX)
			errx(2, "not a number of calls and bytes: %llu, %d", calls, bytes);
		fill_payload(!strcmp(kind, "binary"));
		answer(server, calls, rate, bytes);
	}
	return 0;
}
