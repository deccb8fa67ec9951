/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include "escape.h"
#include "tls-feed.h"

#define HEADER      "FUNC         TIME(s)            COMM             PID     LEN    \n"
#define ROW_OF(len) "READ/RECV    0.000000000        nginx            42      " len
#define BLOCK(text) "----- DATA -----\n" text "\n----- END DATA -----\n\n\n"

static void feed_string(const char *payload, size_t len)
{
	const struct tls_record record = feed_call(TLS_READ, len);

	feed_payload(&record, payload);
}

#define FEED(text) feed_string(text, sizeof(text) - 1)

/* tests/golden/sslsniff was printed by the formats of bcc's tools/sslsniff.py. */
static void feed_golden(struct tls_output_options options)
{
	static const struct {
		enum tls_what what;
		uint64_t end_ns, latency_ns;
		const char *payload;
	} calls[] = {
		{TLS_WRITE, 5000000000, 0,
		 "GET / HTTP/1.1\r\nHost: localhost:4043\r\nUser-Agent: curl/7.88.1\r\n"
		 "Accept: */*\r\n\r\n"},
		{TLS_READ, 5001234567, 987654,
		 "HTTP/1.1 200 OK\nContent-Length: 6\n\n\tgr\xc3\xbc\xc3\x9f"},
		{TLS_READ, 1705003000000, 12345678901, "0123456789abcdef0123456789abcdefend"},
	};

	feed_begin(REPORT_TEXT, options);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		struct tls_record record = feed_call(calls[i].what, strlen(calls[i].payload));

		record.end_ns = calls[i].end_ns;
		record.latency_ns = calls[i].latency_ns;
		record.tgid = 12915;
		record.tid = 12916;
		memcpy(record.comm, "curl", sizeof("curl"));
		feed_payload(&record, calls[i].payload);
	}
	feed_end();
}

static void test_golden(void **state)
{
	static const struct {
		const char *name;
		struct tls_output_options options;
	} cases[] = {
		{"plain", {0}},
		{"plain", {.raw = true}},
		{"extra", {.extra = true}},
		{"latency", {.latency = true}},
		{"both", {.extra = true, .latency = true}},
		{"hexdump", {.hexdump = true}},
		{"cut", {.max_bytes = 20}},
	};
	char path[64], text[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		FILE *f;

		snprintf(path, sizeof(path), "tests/golden/sslsniff/%s.txt", cases[i].name);
		f = fopen(path, "re");
		assert_non_null(f);
		text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
		fclose(f);
		feed_golden(cases[i].options);
		assert_string_equal(feed.text, text);
		assert_int_equal(feed.lost, 0);
	}
}

static void test_escaped(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"a\033[2J\033]0;t\007", "a\\x1b[2J\\x1b]0;t\\x07"},
		{"\302\233[1A \177\b", "\\xc2\\x9b[1A \\x7f\\x08"},
		{"over\rwritten", "over\\rwritten"},
		{"line\r\nline\r", "line\r\nline\r"},
		{"a\\x1b", "a\\\\x1b"},
		{"\xff\xfe\xe2\x82", "\\xff\\xfe\\xe2\\x82"},
		{"\xe2\x80\xae", "\\xe2\\x80\\xae"},
		{"\t\xe2\x82\xac\n", "\t\xe2\x82\xac\n"},
		{"----- END DATA -----\n", "\\x2d---- END DATA -----\n"},
		{"x\n----- DATA -----", "x\n\\x2d---- DATA -----"},
		{"x\r\n----- LOST", "x\r\n\\x2d---- LOST"},
		{"x ----- DATA -----", "x ----- DATA -----"},
		{"-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----"},
	};
	char expected[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		feed_begin(REPORT_TEXT, (struct tls_output_options){0});
		feed_string(cases[i].in, strlen(cases[i].in));
		snprintf(expected, sizeof(expected), HEADER ROW_OF("%-6zu") "\n" BLOCK("%s"),
			 strlen(cases[i].in), cases[i].out);
		assert_string_equal(feed_end(), expected);
	}
}

static void test_escaped_row(void **state)
{
	struct tls_record record = feed_call(TLS_HANDSHAKE, 0);
	static const char name[] = "a\033[H\n----- END";

	(void)state;
	memcpy(record.comm, "\033]2;x\007\n89abcdef", 16); /* without a NUL */
	record.flags = TLS_FAILED;
	record.size = sizeof(name) - 1;
	feed_begin(REPORT_TEXT, (struct tls_output_options){0});
	feed_record(&record, name);
	assert_string_equal(feed_end(),
			    HEADER "HANDSHAKE    0.000000000        "
				   "\\x1b]2;x\\x07\\n89abcdef 42      0       failed: closed "
				   "before it was complete, name a\\x1b[H\\n----- END\n");
}

/* Eight bytes are looked at together: each byte at each place, as it is by itself. */
static void test_words(void **state)
{
	char in[24], out[256], part[300], expected[256];

	(void)state;
	for (unsigned int i = 0; i < 256 * sizeof(in); i++) {
		unsigned char byte = i / sizeof(in), place = i % sizeof(in);
		char *at = expected;

		memset(in, '~', sizeof(in));
		in[place] = (char)byte;
		for (size_t n = 0; n < sizeof(in); n++)
			at += escape(at, 16, in + n, 1, ESCAPE_TERMINAL);
		escape(out, sizeof(out), in, sizeof(in), ESCAPE_TERMINAL);
		assert_string_equal(out, expected);

		feed_begin(REPORT_TEXT, (struct tls_output_options){0});
		feed_string(in, sizeof(in));
		if (byte == '\n' || byte == '\t' || (byte == '\r' && place == sizeof(in) - 1))
			snprintf(part, sizeof(part), "\n%.*s\n-----", (int)sizeof(in), in);
		else
			snprintf(part, sizeof(part), "\n%s\n-----", expected);
		assert_contains(feed_end(), part);
	}
}

static void test_long_runs(void **state)
{
	/* Longer than what is escaped at once, with a character across each edge. */
	size_t len = 3 * 50000 + 1;
	char *payload = malloc(len), *text = malloc(len + 1000);

	(void)state;
	payload[0] = '\001';
	for (size_t i = 1; i < len; i += 3)
		memcpy(payload + i, "\xe2\x82\xac", 3);
	feed_begin(REPORT_TEXT, (struct tls_output_options){0});
	feed_string(payload, len);
	snprintf(text, len + 1000, HEADER ROW_OF("150001") "\n" BLOCK("\\x01%.*s"), (int)len - 1,
		 payload + 1);
	assert_string_equal(feed_end(), text);
	free(payload);
	free(text);
}

static void test_no_payload(void **state)
{
	struct tls_record record = feed_call(TLS_READ, 75);

	(void)state;
	feed_begin(REPORT_TEXT, (struct tls_output_options){.no_data = true});
	FEED("secret");
	record.captured = 0;
	feed_record(&record, NULL);
	record.flags = TLS_FILE;
	feed_record(&record, NULL);
	record.flags = TLS_UNREADABLE;
	feed_record(&record, NULL);
	record.len = 0; /* bcc prints nothing for it */
	feed_record(&record, NULL);
	assert_string_equal(feed_end(), HEADER ROW_OF("6     ") "\n" ROW_OF("75    ") "\n" ROW_OF(
						"75    ") "  from a file\n" ROW_OF("75    ") "\n");
	assert_int_equal(feed.lost, 0);
}

#define ROW_75 ROW_OF("75    ")

static void test_cut(void **state)
{
	struct tls_record record = feed_call(TLS_READ, 75);

	(void)state;
	feed_begin(REPORT_TEXT, (struct tls_output_options){0});
	record.captured = record.size = 5;
	record.flags = TLS_SPENT | TLS_EARLY;
	feed_record(&record, "hello");
	record.captured = 75;
	record.flags = TLS_UNREADABLE;
	feed_record(&record, "hello");
	record.size = 0;
	feed_record(&record, NULL);
	record.captured = 0;
	record.flags = TLS_SPENT;
	feed_record(&record, NULL);
	assert_string_equal(feed_end(), HEADER ROW_75 "  early data\n"
						      "----- DATA -----\nhello\n"
						      "----- END DATA (TRUNCATED, 70 bytes lost) "
						      "-----\n\n\n" ROW_75 "\n"
						      "----- DATA -----\nhello\n"
						      "----- END DATA (TRUNCATED, 70 bytes lost) "
						      "(NOT READABLE) -----\n\n\n" ROW_75 "\n"
						      "----- DATA -----\n"
						      "----- END DATA (TRUNCATED, 75 bytes lost) "
						      "(NOT READABLE) -----\n\n\n" ROW_75 "\n"
						      "----- DATA -----\n"
						      "----- END DATA (TRUNCATED, 75 bytes lost) "
						      "-----\n\n\n");
	assert_int_equal(feed.lost, 2);
	assert_contains(feed.notes.text,
			"lost 2 calls, 145 bytes of 'nginx' (PID 42), connection 1");
}

static struct endpoint end_of(int family, const char *address, uint16_t port)
{
	struct endpoint end = {.family = family, .port = htons(port)};

	assert_int_equal(inet_pton(family, address, end.addr), 1);
	return end;
}

static void test_addresses(void **state)
{
	struct tls_record record = feed_call(TLS_READ, 1);

	(void)state;
	record.captured = 0;
	feed_begin(REPORT_TEXT, (struct tls_output_options){.addresses = true});
	feed_record(&record, NULL);
	record.fd = 7;
	record.local = end_of(AF_INET, "127.0.0.1", 443);
	record.remote = end_of(AF_INET, "192.0.2.100", 54321);
	feed_record(&record, NULL);
	record.local = end_of(AF_INET6, "::1", 443);
	record.remote = end_of(AF_INET6, "::ffff:192.0.2.1", 5);
	feed_record(&record, NULL);
#define HERE ROW_OF("1     ")
	assert_string_equal(
		feed_end(),
		"FUNC         TIME(s)            COMM             PID     LEN     FD    "
		"LOCAL                 REMOTE               \n" HERE
		" -     -                     -                    \n" HERE
		" 7     127.0.0.1:443         192.0.2.100:54321    \n" HERE
		" 7     [::1]:443             192.0.2.1:5          \n");
}

static void test_handshakes(void **state)
{
	struct tls_record record = feed_call(TLS_HANDSHAKE, 0);

	(void)state;
	record.version = 0x0304;
	record.cipher = 0x1301;
	record.flags = TLS_CLIENT;
	record.size = strlen("example.org");
	feed_begin(REPORT_TEXT, (struct tls_output_options){0});
	feed_record(&record, "example.org");
	assert_string_equal(feed_end() ?: "", ""); /* not asked for */

	feed_begin(REPORT_TEXT, (struct tls_output_options){.handshakes = true, .latency = true});
	record.latency_ns = 1234567;
	feed_record(&record, "example.org");
	record.end_ns -= 2500000000; /* ended before, and came later */
	record.flags = TLS_SERVER | TLS_FAILED | TLS_UNSEEN | TLS_EARLY;
	record.cipher = record.size = 0;
	record.error_library = 20;
	record.error = 1048;
	feed_record(&record, NULL);
	assert_string_equal(
		feed_end(),
		"FUNC         TIME(s)            COMM             PID     LEN     LAT(ms)\n"
		"HANDSHAKE    0.000000000        nginx            42      0      1.235  "
		"  done, TLSv1.3, TLS_AES_128_GCM_SHA256, client, name example.org\n"
		"HANDSHAKE    -2.500000000       nginx            42      0      1.235  "
		"  failed: tlsv1 alert unknown ca, TLSv1.3, server, early data, begin not seen\n");
}

static void test_lost_before(void **state)
{
	struct tls_record record = feed_call(TLS_READ, 1);

	(void)state;
	feed_begin(REPORT_TEXT, (struct tls_output_options){0});
	feed_payload(&record, "a");
	record.lost_calls = 12;
	record.lost_bytes = 12288;
	feed_payload(&record, "b");
	record.what = TLS_HANDSHAKE; /* which has no row */
	feed_record(&record, NULL);
#define LOST "----- LOST (12 calls, 12288 bytes of PID 42, connection 1) -----\n"
	assert_string_equal(feed_end(), HEADER HERE "\n" BLOCK("a") LOST HERE "\n" BLOCK("b") LOST);
	assert_int_equal(feed.lost, 24);
	assert_contains(feed.notes.text,
			"lost 24 calls, 24576 bytes of 'nginx' (PID 42), connection 1: - to -");
}

static void test_many_losers(void **state)
{
	struct tls_record record = feed_call(TLS_READ, 1);
	size_t lines = 0;

	(void)state;
	feed_begin(REPORT_TEXT, (struct tls_output_options){0});
	for (unsigned int i = 1; i <= 100; i++) {
		record.connection = i;
		record.lost_calls = i;
		record.lost_bytes = 10;
		feed_payload(&record, "a");
	}
	feed_end();
	for (const char *at = feed.notes.text; (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(feed.lost, 5050);
	assert_int_equal(lines, 21);
	assert_contains(feed.notes.text,
			"lost 100 calls, 10 bytes of 'nginx' (PID 42), connection 100");
	assert_contains(feed.notes.text, "lost 3240 calls, 800 bytes of other connections");
}

/* A record out of memory that its target can write. */
static void test_malformed(void **state)
{
	struct tls_record good = feed_call(TLS_READ, 4), bad[8];

	(void)state;
	good.size = 4;
	for (size_t i = 0; i < 8; i++)
		bad[i] = good;
	bad[0].what = TLS_WHATS;
	bad[1].api = TLS_APIS;
	bad[2].captured = 5;
	bad[3].offset = 1;
	bad[4].offset = UINT64_MAX;
	bad[5].captured = 3;
	bad[6].len = bad[6].captured = UINT64_MAX;
	bad[7].size = TLS_PAYLOAD_MAX + 1;
	feed_begin(REPORT_TEXT, (struct tls_output_options){0});
	for (size_t i = 0; i < 7; i++)
		feed_record(&bad[i], "text");
	assert_int_equal(tls_output_record(&feed.report, &bad[7], sizeof(good) + bad[7].size), 0);
	assert_int_equal(tls_output_record(&feed.report, &good, sizeof(good) + 3), 0);
	assert_int_equal(tls_output_record(&feed.report, &good, sizeof(good) - 1), 0);
	assert_string_equal(feed_end() ?: "", "");
	assert_int_equal(feed.lost, 10);
	assert_contains(feed.notes.text, "left out 10 records");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),      cmocka_unit_test(test_escaped),
		cmocka_unit_test(test_escaped_row), cmocka_unit_test(test_words),
		cmocka_unit_test(test_long_runs),   cmocka_unit_test(test_no_payload),
		cmocka_unit_test(test_cut),         cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_handshakes),  cmocka_unit_test(test_lost_before),
		cmocka_unit_test(test_many_losers), cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
