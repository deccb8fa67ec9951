// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One object for each call, written straight: jansson takes 20 times as long for the payload
 * alone. What is not known is left out. Payload is there twice: as text, in which bytes that are
 * no UTF-8 are U+FFFD, and in hex, which is exact.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "envelope.h"
#include "tls-calls.h"
#include "tls-names.h"
#include "tls-part.h"
#include "tls-payload.h"

#define NS_PER_S 1000000000

static const char *const whats[TLS_WHATS] = {
	[TLS_READ] = "read",
	[TLS_WRITE] = "write",
	[TLS_HANDSHAKE] = "handshake",
};

static void put_string(struct sink *s, const void *text, size_t size)
{
	sink__char(s, '"');
	tls_payload_json(s, text, size);
	sink__char(s, '"');
}

static void key(struct sink *s, const char *name)
{
	sink__text(s, ",\"");
	sink__text(s, name);
	sink__text(s, "\":");
}

static void key_number(struct sink *s, const char *name, uint64_t n)
{
	key(s, name);
	sink__number(s, n);
}

static void key_string(struct sink *s, const char *name, const char *text)
{
	key(s, name);
	put_string(s, text, strlen(text));
}

static void key_flag(struct sink *s, const char *name, bool set)
{
	if (!set)
		return;
	key(s, name);
	sink__text(s, "true");
}

/* As envelope_time() has it, but asked only once a second. */
static void put_time(struct tls_printer *p, uint64_t ns)
{
	static char text[ENVELOPE_TIME];
	static uint64_t begin_ns; /* of the second that text is of */
	struct sink *s = &p->sink;
	size_t point;

	if (!text[0] || ns < begin_ns || ns - begin_ns >= NS_PER_S) {
		envelope_time(p->report, ns, text);
		point = strcspn(text, ".");
		begin_ns = ns - strtoul(text + point + 1, NULL, 10) * 1000000;
		text[point + 1] = '\0';
	}
	key(s, "time");
	sink__char(s, '"');
	sink__text(s, text);
	sink__padded(s, (ns - begin_ns) / 1000000, 3);
	sink__text(s, "Z\"");
}

static void put_end(struct sink *s, const char *name, const struct endpoint *end)
{
	char address[TLS_ADDRESS];

	tls_address(end, address);
	if (!address[0])
		return;
	key(s, name);
	sink__text(s, "{\"addr\":\"");
	sink__text(s, address);
	sink__text(s, "\",\"port\":");
	sink__number(s, ntohs(end->port));
	sink__char(s, '}');
}

static void put_who(struct tls_printer *p, const struct tls_record *record)
{
	const char *library = p->library_name ? p->library_name(record->lib) : NULL;
	struct sink *s = &p->sink;

	key_number(s, "pid", record->tgid);
	key_number(s, "tid", record->tid);
	key_number(s, "uid", record->uid);
	key(s, "comm");
	put_string(s, record->comm, strnlen(record->comm, sizeof(record->comm)));
	if (record->fd >= 0)
		key_number(s, "fd", record->fd);
	if (record->connection)
		key_number(s, "connection", record->connection);
	put_end(s, "local", &record->local);
	put_end(s, "remote", &record->remote);
	if (library)
		key_string(s, "library", library);
	key_string(s, "api", tls_api_name(record->api));
}

static void put_handshake(struct sink *s, const struct tls_part *part)
{
	const struct tls_record *record = part->record;
	bool failed = record->flags & TLS_FAILED;
	char text[TLS_TEXT];

	key(s, "ok");
	sink__text(s, failed ? "false" : "true");
	if (record->version)
		key_string(s, "version", tls_version_name(record->version, text));
	if (record->cipher)
		key_string(s, "cipher", tls_cipher_name(record->cipher, text));
	if (record->flags & (TLS_SERVER | TLS_CLIENT))
		key_string(s, "role", record->flags & TLS_SERVER ? "server" : "client");
	if (part->size) {
		key(s, "server_name");
		put_string(s, part->data, part->size);
	}
	key_number(s, "calls", record->calls);
	key_flag(s, "begin_unseen", record->flags & TLS_UNSEEN);
	if (!failed)
		return;
	key_string(s, "error", tls_error_text(record, text));
	key(s, "error_code");
	sink__signed(s, record->error);
	if (record->error_library)
		key_number(s, "error_library", record->error_library);
}

static void put_payload(struct tls_printer *p, const struct tls_part *part)
{
	uint16_t flags = part->record->flags;
	struct sink *s = &p->sink;

	key_number(s, "len", part->record->len);
	if (part->offset || part->continued)
		key_number(s, "offset", part->offset);
	key_flag(s, "continued", part->continued);
	key_flag(s, "continues", part->more);
	key_flag(s, "file", flags & TLS_FILE);
	if (p->options.no_data || (flags & TLS_FILE))
		return;
	if (part->missing)
		key_number(s, "truncated", part->missing);
	key_flag(s, "incomplete", part->incomplete);
	key_flag(s, "unreadable", flags & TLS_UNREADABLE);
	key_flag(s, "budget_spent", flags & TLS_SPENT);
	key(s, "data");
	put_string(s, part->data, part->size);
	key(s, "data_hex");
	sink__char(s, '"');
	sink__hex(s, part->data, part->size);
	sink__char(s, '"');
}

static void put_lost(struct sink *s, const struct tls_part *part)
{
	key(s, "lost");
	sink__text(s, "{\"calls\":");
	sink__number(s, part->lost_calls);
	sink__text(s, ",\"bytes\":");
	sink__number(s, part->lost_bytes);
	sink__char(s, '}');
}

void tls_json_print(struct tls_printer *p, const struct tls_part *part)
{
	const struct tls_record *record = part->record;
	bool lost = part->lost_calls || part->lost_bytes;
	struct sink *s = &p->sink;

	if (record->what == TLS_HANDSHAKE && !p->options.handshakes && !lost &&
	    !(record->flags & TLS_FAILED))
		return;
	sink__text(s, "{\"type\":\"tls\"");
	key_string(s, "what", whats[record->what]);
	put_time(p, record->end_ns);
	key_number(s, "time_ns", record->end_ns);
	if (record->latency_ns)
		key_number(s, "latency_ns", record->latency_ns);
	put_who(p, record);
	if (lost)
		put_lost(s, part);
	key_flag(s, "early", record->flags & TLS_EARLY);
	if (record->what == TLS_HANDSHAKE)
		put_handshake(s, part);
	else
		put_payload(p, part);
	sink__text(s, "}\n");
}
