// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The layout is that of bcc's sslsniff (tools/sslsniff.py), byte for byte where it has the same
 * to say: widths of columns, marks around the payload, two empty lines behind it.
 */
#include <string.h>

#include "escape.h"
#include "tls-names.h"
#include "tls-part.h"
#include "tls-payload.h"

#define HEX_COLUMNS 16 /* bytes; 32 digits, as textwrap does it for bcc */

static const char *const functions[TLS_WHATS] = {
	[TLS_READ] = "READ/RECV",
	[TLS_WRITE] = "WRITE/SEND",
	[TLS_HANDSHAKE] = "HANDSHAKE",
};

static void put_escaped(struct sink *s, const char *text, size_t len)
{
	size_t room = len * ESCAPE_GROWTH + 1;

	s->len += escape(sink__room(s, room), room, text, len, ESCAPE_TERMINAL);
}

static void print_header(struct tls_printer *p)
{
	const struct tls_output_options *o = &p->options;
	char line[256];
	int len = snprintf(line, sizeof(line), "%-12s %-18s %-16s %-7s %-7s", "FUNC", "TIME(s)",
			   "COMM", "PID", "LEN");

	if (o->extra)
		len += snprintf(line + len, sizeof(line) - len, " %-7s %-7s", "UID", "TID");
	if (o->latency)
		len += snprintf(line + len, sizeof(line) - len, " %-7s", "LAT(ms)");
	if (o->addresses)
		len += snprintf(line + len, sizeof(line) - len, " %-5s %-21s %-21s", "FD", "LOCAL",
				"REMOTE");
	sink__bytes(&p->sink, line, len);
	sink__char(&p->sink, '\n');
}

static void put_time(struct tls_printer *p, uint64_t ns)
{
	/* Threads end their calls side by side: one that is printed later may be older. */
	if (ns < p->first_ns)
		sink__char(&p->sink, '-');
	sink__fraction(&p->sink, ns < p->first_ns ? p->first_ns - ns : ns - p->first_ns, 9, 9);
}

static void column(struct sink *s, const char *text, size_t width)
{
	sink__next_column(s);
	sink__text(s, text);
	sink__end_column(s, width);
}

static void column_number(struct sink *s, uint64_t n, size_t width)
{
	sink__next_column(s);
	sink__number(s, n);
	sink__end_column(s, width);
}

static void put_latency(struct sink *s, uint64_t ns)
{
	sink__next_column(s);
	if (ns)
		sink__fraction(s, ns, 6, 3);
	else
		sink__text(s, "N/A");
	sink__end_column(s, 7);
}

static void put_addresses(struct sink *s, const struct tls_record *record)
{
	char end[TLS_ENDPOINT];

	if (record->fd >= 0)
		column_number(s, record->fd, 5);
	else
		column(s, "-", 5);
	column(s, tls_endpoint(&record->local, end), 21);
	column(s, tls_endpoint(&record->remote, end), 21);
}

static void put_columns(struct tls_printer *p, const struct tls_record *record)
{
	const struct tls_output_options *o = &p->options;
	struct sink *s = &p->sink;

	sink__begin_row(s);
	sink__text(s, functions[record->what]);
	sink__end_column(s, 12);
	sink__next_column(s);
	put_time(p, record->end_ns);
	sink__end_column(s, 18);
	sink__next_column(s);
	put_escaped(s, record->comm, strnlen(record->comm, sizeof(record->comm)));
	sink__end_column(s, 16);
	column_number(s, record->tgid, 7);
	column_number(s, record->len, 6);
	if (o->extra) {
		column_number(s, record->uid, 7);
		column_number(s, record->tid, 7);
	}
	if (o->latency)
		put_latency(s, record->latency_ns);
	if (o->addresses)
		put_addresses(s, record);
}

/*
 * Behind the columns, where scripts that count those do not look. The name comes last: it is the
 * other side's choice, and what it pretends to be ends with it.
 */
static void put_handshake(struct sink *s, const struct tls_part *part)
{
	const struct tls_record *record = part->record;
	char text[TLS_TEXT];

	sink__text(s, record->flags & TLS_FAILED ? "  failed: " : "  done");
	if (record->flags & TLS_FAILED)
		sink__text(s, tls_error_text(record, text));
	if (record->version) {
		sink__text(s, ", ");
		sink__text(s, tls_version_name(record->version, text));
	}
	if (record->cipher) {
		sink__text(s, ", ");
		sink__text(s, tls_cipher_name(record->cipher, text));
	}
	if (record->flags & (TLS_SERVER | TLS_CLIENT))
		sink__text(s, record->flags & TLS_SERVER ? ", server" : ", client");
	if (record->flags & TLS_EARLY)
		sink__text(s, ", early data");
	if (record->flags & TLS_UNSEEN)
		sink__text(s, ", begin not seen");
	if (part->size) {
		sink__text(s, ", name ");
		put_escaped(s, (const char *)part->data, part->size);
	}
}

static void print_row(struct tls_printer *p, const struct tls_part *part)
{
	uint16_t flags = part->record->flags;

	put_columns(p, part->record);
	if (part->record->what == TLS_HANDSHAKE) {
		put_handshake(&p->sink, part);
	} else {
		if (flags & TLS_EARLY)
			sink__text(&p->sink, "  early data");
		if (flags & TLS_FILE)
			sink__text(&p->sink, "  from a file");
	}
	sink__char(&p->sink, '\n');
}

static void put_text(struct sink *s, const unsigned char *data, size_t size)
{
	tls_payload_text(s, data, size);
	sink__char(s, '\n');
}

static void put_raw(struct sink *s, const unsigned char *data, size_t size)
{
	for (size_t n; size; data += n, size -= n) {
		n = size < SINK_SIZE ? size : SINK_SIZE;
		sink__bytes(s, data, n);
	}
	sink__char(s, '\n');
}

static void put_hex(struct sink *s, const unsigned char *data, size_t size)
{
	for (size_t i = 0; i < size; i += HEX_COLUMNS) {
		sink__hex(s, data + i, size - i < HEX_COLUMNS ? size - i : HEX_COLUMNS);
		sink__char(s, '\n');
	}
}

static void put_begin(struct sink *s, const struct tls_part *part)
{
	sink__text(s, TLS_MARK "DATA ");
	if (part->continued) {
		sink__text(s, "(OF PID ");
		sink__number(s, part->record->tgid);
		sink__text(s, ", TID ");
		sink__number(s, part->record->tid);
		sink__text(s, ", FROM BYTE ");
		sink__number(s, part->offset);
		sink__text(s, ") ");
	} else if (part->offset) {
		sink__text(s, "(FROM BYTE ");
		sink__number(s, part->offset);
		sink__text(s, ") ");
	}
	sink__text(s, "-----\n");
}

/* As bcc's, and behind that what bcc has not. */
static void put_end(struct sink *s, const struct tls_part *part)
{
	sink__text(s, TLS_MARK "END DATA ");
	if (part->missing) {
		sink__text(s, "(TRUNCATED, ");
		sink__number(s, part->missing);
		sink__text(s, " bytes lost) ");
	}
	if (part->incomplete)
		sink__text(s, "(NO ROOM IN THE BUFFER) ");
	else if (part->missing && (part->record->flags & TLS_UNREADABLE))
		sink__text(s, "(NOT READABLE) ");
	if (part->more)
		sink__text(s, "(CONTINUES) ");
	sink__text(s, "-----\n\n\n");
}

static bool has_block(const struct tls_printer *p, const struct tls_part *part)
{
	const struct tls_record *record = part->record;

	if (record->what == TLS_HANDSHAKE || (p->options.no_data && !part->size))
		return false;
	return part->size || part->continued || part->incomplete ||
	       (part->missing && (record->flags & (TLS_UNREADABLE | TLS_SPENT)));
}

static void print_block(struct tls_printer *p, const struct tls_part *part)
{
	struct sink *s = &p->sink;

	put_begin(s, part);
	if (part->size && p->options.hexdump)
		put_hex(s, part->data, part->size);
	else if (part->size && p->options.raw)
		put_raw(s, part->data, part->size);
	else if (part->size)
		put_text(s, part->data, part->size);
	put_end(s, part);
}

/* It says itself whose it is: what it stands before may have no row. */
static void print_lost(struct tls_printer *p, const struct tls_part *part)
{
	struct sink *s = &p->sink;

	sink__text(s, TLS_MARK "LOST (");
	sink__number(s, part->lost_calls);
	sink__text(s, " calls, ");
	sink__number(s, part->lost_bytes);
	sink__text(s, " bytes of PID ");
	sink__number(s, part->record->tgid);
	if (part->record->connection) {
		sink__text(s, ", connection ");
		sink__number(s, part->record->connection);
	}
	sink__text(s, ") -----\n");
}

static bool is_shown(const struct tls_printer *p, const struct tls_record *record)
{
	if (record->what == TLS_HANDSHAKE)
		return p->options.handshakes || (record->flags & TLS_FAILED);
	return record->len; /* as bcc */
}

void tls_text_print(struct tls_printer *p, const struct tls_part *part)
{
	bool shown = is_shown(p, part->record), lost = part->lost_calls || part->lost_bytes;

	if (!shown && !lost)
		return;
	if (!p->begun)
		print_header(p);
	if (!p->begun)
		p->first_ns = part->record->end_ns;
	p->begun = true;
	if (lost)
		print_lost(p, part);
	if (shown && !part->continued)
		print_row(p, part);
	if (shown && has_block(p, part))
		print_block(p, part);
}
