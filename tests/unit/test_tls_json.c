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

#include "tls-feed.h"

/* The one object of the output, as another parser reads it. */
static json_t *parse(const char *text)
{
	json_error_t error;
	json_t *object = json_loads(text, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);

	if (!object)
		fail_msg("%s at %d: %.100s", error.text, error.position, text);
	assert_int_equal(strchr(text, '\n') - text, strlen(text) - 1);
	return object;
}

static json_t *one(struct tls_output_options options, const struct tls_record *record,
		   const char *payload)
{
	feed_begin(REPORT_JSON, options);
	if (record->what == TLS_HANDSHAKE)
		feed_record(record, payload);
	else
		feed_payload(record, payload);
	return parse(feed_end());
}

static json_t *expect(const char *text)
{
	json_t *object = json_loads(text, 0, NULL);

	assert_non_null(object);
	return object;
}

/* But "time", which is that of the wall. */
static void assert_object(json_t *object, const char *expected)
{
	json_t *other = expect(expected);
	const char *time = json_string_value(json_object_get(object, "time"));
	int year, rest;

	assert_non_null(time);
	assert_int_equal(sscanf(time, "%4d-%*2d-%*2dT%*2d:%*2d:%*2d.%3dZ", &year, &rest), 2);
	assert_int_equal(strlen(time), strlen("2026-11-20T20:57:09.110Z"));
	json_object_del(object, "time");
	if (!json_equal(object, other)) {
		char *text = json_dumps(object, JSON_COMPACT);

		fail_msg("%s\nis not\n%s", text, expected);
	}
	json_decref(other);
	json_decref(object);
}

#define WHO                                                                             \
	"\"time_ns\":5000000000,\"pid\":42,\"tid\":43,\"uid\":1000,\"comm\":\"nginx\"," \
	"\"connection\":1,\"api\":\"OpenSSL\""

static void test_call(void **state)
{
	struct tls_record record = feed_call(TLS_WRITE, 5);

	(void)state;
	assert_object(one((struct tls_output_options){0}, &record, "a\"b\\c"),
		      "{\"type\":\"tls\",\"what\":\"write\"," WHO ",\"len\":5,"
		      "\"data\":\"a\\\"b\\\\c\",\"data_hex\":\"6122625c63\"}");
	record.latency_ns = 12;
	record.fd = 7;
	record.local.family = AF_INET;
	record.local.port = htons(443);
	memcpy(record.local.addr, "\x7f\0\0\1", 4);
	record.remote.family = AF_INET6;
	record.remote.addr[15] = 1;
	record.lost_calls = 3;
	record.lost_bytes = 4;
	record.flags = TLS_EARLY | TLS_UNREADABLE;
	record.captured = 2;
	assert_object(one((struct tls_output_options){.max_bytes = 1}, &record, "ab"),
		      "{\"type\":\"tls\",\"what\":\"write\"," WHO ",\"len\":5,\"latency_ns\":12,"
		      "\"fd\":7,\"local\":{\"addr\":\"127.0.0.1\",\"port\":443},"
		      "\"remote\":{\"addr\":\"::1\",\"port\":0},"
		      "\"lost\":{\"calls\":3,\"bytes\":4},\"early\":true,\"truncated\":4,"
		      "\"unreadable\":true,\"data\":\"a\",\"data_hex\":\"61\"}");
	record = feed_call(TLS_READ, 5);
	record.flags = TLS_FILE;
	record.captured = 0;
	assert_object(one((struct tls_output_options){0}, &record, NULL),
		      "{\"type\":\"tls\",\"what\":\"read\"," WHO ",\"len\":5,\"file\":true}");
	assert_object(one((struct tls_output_options){.no_data = true}, &record, NULL),
		      "{\"type\":\"tls\",\"what\":\"read\"," WHO ",\"len\":5,\"file\":true}");
}

static void test_handshake(void **state)
{
	struct tls_record record = feed_call(TLS_HANDSHAKE, 0);
	static const char name[] = "a\"\n\xff";

	(void)state;
	record.version = 0x0303;
	record.cipher = 0xc02f;
	record.calls = 2;
	record.flags = TLS_SERVER;
	record.size = sizeof(name) - 1;
	assert_object(one((struct tls_output_options){.handshakes = true}, &record, name),
		      "{\"type\":\"tls\",\"what\":\"handshake\"," WHO ",\"ok\":true,\"version\":"
		      "\"TLSv1.2\",\"cipher\":\"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\","
		      "\"role\":\"server\",\"calls\":2,\"server_name\":\"a\\\"\\n\xef\xbf\xbd\"}");
	record = feed_call(TLS_HANDSHAKE, 0);
	record.calls = 1;
	record.flags = TLS_CLIENT | TLS_FAILED | TLS_UNSEEN;
	record.error = 134;
	record.error_library = 20;
	assert_object(one((struct tls_output_options){0}, &record, NULL),
		      "{\"type\":\"tls\",\"what\":\"handshake\"," WHO ",\"ok\":false,"
		      "\"role\":\"client\",\"calls\":1,\"begin_unseen\":true,"
		      "\"error\":\"certificate verify failed\",\"error_code\":134,"
		      "\"error_library\":20}");
}

static unsigned int hex_digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static void assert_hex(const json_t *object, const char *payload, size_t len)
{
	const char *hex = json_string_value(json_object_get(object, "data_hex"));

	assert_int_equal(strlen(hex), 2 * len);
	for (size_t i = 0; i < len; i++) {
		if ((hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1])) !=
		    (unsigned char)payload[i])
			fail_msg("byte %zu of %zu is not %02x", i, len, (unsigned char)payload[i]);
	}
}

static const size_t sizes[] = {0, 1, 3, 4095, 4096, 8191, 8192, 8193, 16383, 16384, 16385, 65536};

/* Each byte is there, whatever it is: the parser reads back what was sent. */
static void test_sizes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct tls_record record = feed_call(TLS_READ, sizes[i]);
		char *payload = malloc(sizes[i] + 1);
		const json_t *data;
		json_t *object;

		for (size_t n = 0; n < sizes[i]; n++)
			payload[n] = (char)((n * 7 + n / 256) & 0x7f); /* NULs, too */
		object = one((struct tls_output_options){0}, &record, payload);
		data = json_object_get(object, "data");
		assert_int_equal(json_string_length(data), sizes[i]);
		assert_memory_equal(json_string_value(data), payload, sizes[i]);
		assert_hex(object, payload, sizes[i]);
		json_decref(object);
		free(payload);
	}
}

/* jansson refuses what is not UTF-8. */
static void test_binary(void **state)
{
	size_t len = 40000;
	struct tls_record record = feed_call(TLS_READ, len);
	char *payload = malloc(len);
	uint32_t seed = 1;
	json_t *object;

	(void)state;
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525 + 1013904223;
		payload[i] = (char)(seed >> 24);
	}
	object = one((struct tls_output_options){0}, &record, payload);
	assert_hex(object, payload, len);
	json_decref(object);
	free(payload);
}

/* Characters lie across the edges of pieces, and of what is written at once. */
static void test_wide(void **state)
{
	static const char euro[] = "\xe2\x82\xac";

	(void)state;
	for (size_t shift = 0; shift < 3; shift++) {
		size_t len = shift + 3 * 20000;
		struct tls_record record = feed_call(TLS_READ, len);
		char *payload = malloc(len);
		json_t *object;

		memset(payload, 'x', shift);
		for (size_t i = shift; i < len; i += 3)
			memcpy(payload + i, euro, 3);
		object = one((struct tls_output_options){0}, &record, payload);
		assert_memory_equal(json_string_value(json_object_get(object, "data")), payload,
				    len);
		json_decref(object);
		free(payload);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call),  cmocka_unit_test(test_handshake),
		cmocka_unit_test(test_sizes), cmocka_unit_test(test_binary),
		cmocka_unit_test(test_wide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
