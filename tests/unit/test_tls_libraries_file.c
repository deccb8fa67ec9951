// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tls-file.h"
#include "tls-libraries-file.h"
#include "tls-libraries-seen.h"

static bool has_calls(const struct file *f)
{
	int fd = write_file(f, sizeof(*f));
	bool has = tls_file_has_calls(fd);

	close(fd);
	return has;
}

static void test_has_calls(void **state)
{
	static const struct {
		const char *first, *second;
		bool has;
	} examples[] = {
		{"SSL_write", "SSL_do_handshake", true},
		{"gnutls_record_send", "gnutls_handshake", true},
		{"SSL_ForceHandshake", "main", true},
		{"SSL_write", "gnutls_handshake", false}, /* GnuTLS's wrapper is like that */
		{"SSL_write", "main", false},
		{"ERR_vset_error", "ERR_put_error", false}, /* libcrypto */
		{"PR_Read", "PR_Write", false},             /* libnspr4 */
		{"SSL_write2", "SSL_do_handshake", false},
	};
	struct file f;

	(void)state;
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		make_file(&f);
		add_dynamic(&f, examples[i].first, CODE_AT, 1);
		add_dynamic(&f, examples[i].second, CODE_AT + 16, 1);
		assert_int_equal(has_calls(&f), examples[i].has);
		make_file(&f);
		add_local(&f, examples[i].first, CODE_AT);
		add_local(&f, examples[i].second, CODE_AT + 16);
		/* NSS is never linked into a program. */
		if (strcmp(examples[i].first, "SSL_ForceHandshake"))
			assert_int_equal(has_calls(&f), examples[i].has);
	}
}

/* A program that calls a library's functions has their names too. */
static void test_imported(void **state)
{
	struct file f;

	(void)state;
	make_library(&f);
	f.dynsym[0].st_shndx = SHN_UNDEF;
	assert_false(has_calls(&f));
	make_file(&f);
	add_local(&f, "SSL_write", CODE_AT)->st_shndx = SHN_UNDEF;
	add_local(&f, "SSL_do_handshake", CODE_AT)->st_shndx = SHN_UNDEF;
	assert_false(has_calls(&f));
}

/* Why there is nothing to trace: by texts in its constants, whose section has a name. */
static void test_hint(void **state)
{
	struct file f;
	const char *hint;
	int fd;

	(void)state;
	make_file(&f);
	f.ehdr.e_shstrndx = NAMES;
	f.sections[VERSIONS].sh_type = SHT_PROGBITS;
	f.sections[VERSIONS].sh_name = add_name(&f, ".rodata");
	memcpy(f.versions, "../ssl/ssl_lib.c", 16);
	fd = write_file(&f, sizeof(f));
	hint = tls_file_hint(fd);
	close(fd);
	assert_non_null(hint);
	assert_non_null(strstr(hint, "OpenSSL in it"));
	memcpy(f.versions, "with OpenSSL 3.0", 16);
	fd = write_file(&f, sizeof(f));
	assert_null(tls_file_hint(fd));
	close(fd);
}

/* What is read of a file must be there, whatever it says: sanitizers watch. */
static void test_damage(void **state)
{
	struct tls_library library;
	struct file f;

	(void)state;
	for (size_t at = 0; at < sizeof(f); at++) {
		make_library(&f);
		((char *)&f)[at] ^= 0xff;
		library = (struct tls_library){.binary.fd = write_file(&f, sizeof(f))};
		tls_file_has_calls(library.binary.fd);
		tls_file_hint(library.binary.fd);
		tls_file_read(&library, library.binary.fd);
		assert_true(library.functions_cnt <= 3);
		free(library.functions);
		close(library.binary.fd);
	}
}

static void test_seen(void **state)
{
	struct tls_seen seen = {0};
	uint64_t key;

	(void)state;
	for (int64_t i = 0; i < 2000; i++) {
		key = tls_seen_key(0, &i, sizeof(i));
		assert_null(tls_seen__get(&seen, key));
		tls_seen__set(&seen, key, i);
	}
	for (int64_t i = 0; i < 2000; i++) {
		key = tls_seen_key(0, &i, sizeof(i));
		assert_int_equal(*tls_seen__get(&seen, key), i);
	}
	tls_seen__set(&seen, key, -1);
	assert_int_equal(*tls_seen__get(&seen, key), -1);
	tls_seen__free(&seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_has_calls), cmocka_unit_test(test_imported),
		cmocka_unit_test(test_hint),      cmocka_unit_test(test_damage),
		cmocka_unit_test(test_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
