/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tls-names.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define ASKED_MAX     1024

static const char *error_text(enum tls_api api, uint32_t library, int error)
{
	const struct tls_record record = {.api = api, .error_library = library, .error = error};
	static char buf[TLS_TEXT];

	return tls_error_text(&record, buf);
}

static void test_versions(void **state)
{
	char buf[TLS_TEXT];

	(void)state;
	assert_string_equal(tls_version_name(0x0300, buf), "SSLv3");
	assert_string_equal(tls_version_name(0x0301, buf), "TLSv1");
	assert_string_equal(tls_version_name(0x0303, buf), "TLSv1.2");
	assert_string_equal(tls_version_name(0x0304, buf), "TLSv1.3");
	assert_string_equal(tls_version_name(0xfefd, buf), "DTLSv1.2");
	assert_string_equal(tls_version_name(0xfeff, buf), "DTLSv1");
	assert_string_equal(tls_version_name(0x7f1c, buf), "0x7f1c");
}

static void test_ciphers(void **state)
{
	char buf[TLS_TEXT];

	(void)state;
	assert_string_equal(tls_cipher_name(0x1301, buf), "TLS_AES_128_GCM_SHA256");
	assert_string_equal(tls_cipher_name(0xc02f, buf), "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
	assert_string_equal(tls_cipher_name(0xc08a, buf),
			    "TLS_ECDHE_RSA_WITH_CAMELLIA_128_GCM_SHA256");
	assert_string_equal(tls_cipher_name(0x0a0a, buf), "0x0a0a");
	assert_string_equal(tls_cipher_name(0x00011301, buf), "0x11301");
}

static void test_errors(void **state)
{
	static const struct {
		enum tls_api api;
		uint32_t lib;
		int error;
		const char *text;
	} cases[] = {
		{TLS_OPENSSL, 20, 0, "closed before it was complete"},
		{TLS_OPENSSL, 20, 134, "certificate verify failed"},
		{TLS_OPENSSL, 0, 156, "http request"},
		{TLS_OPENSSL, 20, 258, "unsupported protocol"},
		{TLS_OPENSSL, 16, 1048, "tlsv1 alert unknown ca"}, /* BoringSSL's part */
		{TLS_OPENSSL, 16, 134, "EC reason 134"},
		{TLS_OPENSSL, 20, 99, "SSL reason 99"},
		{TLS_OPENSSL, 11, 101, "x509 reason 101"},
		{TLS_OPENSSL, 99, 101, "library 99 reason 101"},
		{TLS_OPENSSL, 2, 104, "Connection reset by peer"},
		{TLS_OPENSSL, 20, -5, "SSL reason -5"},
		{TLS_OPENSSL, 6, 0xc0100, "malloc failure"},
		{TLS_GNUTLS, 0, -12, "fatal alert received"},
		{TLS_GNUTLS, 0, -348, "certificate verification error"},
		{TLS_GNUTLS, 0, -9999, "GnuTLS error -9999"},
		{TLS_GNUTLS, 0, 12, "GnuTLS error 12"},
		{TLS_NSS, 0, -12286, "no cipher overlap"},
		{TLS_NSS, 0, -8179, "unknown issuer"},
		{TLS_NSS, 0, -5961, "connect reset"},
		{TLS_NSS, 0, -1, "NSS error -1"},
		{TLS_NSS, 0, INT32_MIN, "NSS error -2147483648"},
		{TLS_APIS, 0, 7, "error 7"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(error_text(cases[i].api, cases[i].lib, cases[i].error),
				    cases[i].text);
}

/* Every number has an answer that ends, whatever a record says. */
static void test_any_number(void **state)
{
	char buf[TLS_TEXT];

	(void)state;
	for (int i = -20000; i < 20000; i += 7) {
		for (uint32_t library = 0; library < 65; library++) {
			const char *text = error_text(i & 1 ? TLS_OPENSSL : TLS_NSS, library, i);

			assert_in_range(strlen(text), 1, TLS_TEXT - 1);
		}
	}
	for (uint32_t i = 0; i < 0x20000; i++)
		assert_in_range(strlen(tls_cipher_name(i, buf)), 5, TLS_TEXT - 1);
}

/* What a command prints; NULL where it is not there. */
static FILE *run(char *const argv[])
{
	FILE *out = tmpfile();
	int status;
	pid_t pid;

	assert_non_null(out);
	pid = fork();
	if (!pid) {
		dup2(fileno(out), STDOUT_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	rewind(out);
	if (!WIFEXITED(status) || WEXITSTATUS(status) == 127) {
		fclose(out);
		return NULL;
	}
	return out;
}

/* "0xC0,0x2F - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 - ECDHE-RSA-..." of each suite. */
static void test_against_openssl_ciphers(void **state)
{
	char *argv[] = {"openssl", "ciphers", "-V", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0",
			NULL};
	FILE *out = run(argv);
	char line[512], name[TLS_TEXT], buf[TLS_TEXT];
	unsigned int high, low, cnt = 0;

	(void)state;
	if (!out)
		skip();
	while (fgets(line, sizeof(line), out)) {
		if (sscanf(line, " 0x%x,0x%x - %95s", &high, &low, name) != 3)
			continue;
		assert_string_equal(tls_cipher_name(high << 8 | low, buf), name);
		cnt++;
	}
	fclose(out);
	assert_in_range(cnt, 30, 1000);
}

/* "error:0A000086:SSL routines::certificate verify failed" of each reason that it knows. */
static void test_against_openssl_errors(void **state)
{
	static char codes[ASKED_MAX][16];
	char *argv[ASKED_MAX + 3] = {"openssl", "errstr"};
	char line[512], *text;
	unsigned int cnt = 0, code;
	FILE *out;

	(void)state;
	for (int reason = 0; reason < ASKED_MAX; reason++) {
		snprintf(codes[reason], sizeof(codes[0]), "%X", 20 << 23 | (reason + 100));
		argv[2 + reason] = codes[reason];
	}
	out = run(argv);
	if (!out)
		skip();
	while (fgets(line, sizeof(line), out)) {
		line[strcspn(line, "\n")] = '\0';
		text = strstr(line, "::");
		if (sscanf(line, "error:%x", &code) != 1 || !text || strstr(text, "reason("))
			continue;
		assert_string_equal(error_text(TLS_OPENSSL, 20, code & 0x7fffff), text + 2);
		cnt++;
	}
	fclose(out);
	assert_in_range(cnt, 200, ASKED_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_ciphers),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_any_number),
		cmocka_unit_test(test_against_openssl_ciphers),
		cmocka_unit_test(test_against_openssl_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
