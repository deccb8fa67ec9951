// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tls-summary.h"

#include <errno.h>
#include <string.h>

#include "escape.h"
#include "grouped.h"
#include "histogram.h"
#include "log.h"
#include "render.h"
#include "tls-options.h"
#include "tls-part.h"

enum histogram { HANDSHAKE_LATENCIES, READ_BYTES, READ_LATENCIES, WRITE_BYTES, WRITE_LATENCIES };
#define HISTOGRAMS (WRITE_LATENCIES + 1)

/* As printed: by name. */
static const struct {
	const char *name;
	const char *unit;
} histograms[HISTOGRAMS] = {
	[HANDSHAKE_LATENCIES] = {"handshake_latencies", "ns"},
	[READ_BYTES] = {"read_bytes", "bytes"},
	[READ_LATENCIES] = {"read_latencies", "ns"},
	[WRITE_BYTES] = {"write_bytes", "bytes"},
	[WRITE_LATENCIES] = {"write_latencies", "ns"},
};

/* Of records, since the last report. */
static struct {
	struct table tables[HISTOGRAMS];
	uint64_t handshakes[TLS_COUNTS];
} added;

static tls_library_name_fn name_of;

static void format_library(const struct tls_key *key, char *buf, size_t size)
{
	const char *name = name_of(key->id) ?: "?";

	escape(buf, size, name, strlen(name), ESCAPE_TERMINAL);
}

static void format_key(const struct result *result, const void *data, char *buf, size_t size)
{
	char comm[sizeof(((struct tls_key *)0)->comm) * ESCAPE_GROWTH + 1];
	char local[TLS_ENDPOINT], remote[TLS_ENDPOINT];
	const struct tls_key *key = data;

	(void)result;
	escape(comm, sizeof(comm), key->comm, strnlen(key->comm, sizeof(key->comm)),
	       ESCAPE_TERMINAL);
	if (key_is_other(key, sizeof(*key)))
		snprintf(buf, size, "(other)");
	else if (tls_options.by == TLS_BY_LIBRARY)
		format_library(key, buf, size);
	else if (tls_options.by == TLS_BY_PROCESS)
		snprintf(buf, size, "%s, %llu", comm, (unsigned long long)key->id);
	else
		snprintf(buf, size, "%s, %llu, %s, %s", comm, (unsigned long long)key->id,
			 tls_endpoint(&key->local, local), tls_endpoint(&key->remote, remote));
}

static void print_histogram(struct report *r, enum histogram which, const struct table *t)
{
	struct result result = {
		.kind = RESULT_HIST,
		.keyed = tls_options.by,
		.unit = histograms[which].unit,
		.format_key = format_key,
	};

	snprintf(result.name, sizeof(result.name), "%s", histograms[which].name);
	if (r->format == REPORT_TEXT)
		render_text(r->out, &result, t);
	else
		report__json(r, render_json(&result, t));
}

static struct hist total_of(const struct table *t)
{
	struct hist total = {0};

	for (size_t i = 0; t && i < t->cnt; i++)
		histogram_add(&total, table__value(t, i));
	return total;
}

static uint64_t print_rates(struct report *r, const char *direction, const struct hist *bytes)
{
	uint64_t calls = histogram_count(bytes);
	double seconds = r->elapsed_ns / 1e9;

	if (r->format == REPORT_JSON) {
		report__json(r, json_pack("{s:s, s:s, s:I, s:I, s:f, s:f}", "type", "rates",
					  "direction", direction, "calls", (json_int_t)calls,
					  "bytes", (json_int_t)bytes->sum, "calls_per_s",
					  calls / seconds, "bytes_per_s", bytes->sum / seconds));
		return calls;
	}
	fprintf(r->out, "%s: %s calls, %s bytes; %.1f calls/s, %.3f MB/s\n", direction,
		GROUPED(calls), GROUPED(bytes->sum), calls / seconds, bytes->sum / seconds / 1e6);
	return calls;
}

static uint64_t print_handshakes(struct report *r, uint64_t completed, uint64_t failed)
{
	double seconds = r->elapsed_ns / 1e9;

	if (r->format == REPORT_JSON)
		report__json(r, json_pack("{s:s, s:I, s:I, s:f}", "type", "handshakes", "completed",
					  (json_int_t)completed, "failed", (json_int_t)failed,
					  "per_s", completed / seconds));
	else
		fprintf(r->out, "handshakes: %s; %.1f/s, %s failed\n", GROUPED(completed),
			completed / seconds, GROUPED(failed));
	return completed + failed;
}

/* Returns how many calls there were. */
static uint64_t print_all(struct report *r, const struct table *const tables[HISTOGRAMS],
			  const uint64_t handshakes[TLS_COUNTS])
{
	struct hist reads = total_of(tables[READ_BYTES]), writes = total_of(tables[WRITE_BYTES]);
	uint64_t calls = 0;

	for (enum histogram i = 0; i < HISTOGRAMS; i++) {
		if (tables[i])
			print_histogram(r, i, tables[i]);
	}
	calls += print_rates(r, "read", &reads);
	calls += print_rates(r, "write", &writes);
	calls += print_handshakes(r, handshakes[TLS_COUNT_HANDSHAKES],
				  handshakes[TLS_COUNT_FAILURES]);
	return calls;
}

int tls_summary_report(struct report *r, tls_library_name_fn library_name)
{
	const struct table *tables[HISTOGRAMS] = {NULL};
	uint64_t handshakes[TLS_COUNTS];

	name_of = library_name;
	for (size_t i = 0; i < r->results_cnt; i++) {
		for (enum histogram h = 0; h < HISTOGRAMS; h++) {
			if (!strcmp(r->results[i].name, histograms[h].name))
				tables[h] = &r->deltas[i];
		}
	}
	for (enum tls_count i = 0; i < TLS_COUNTS; i++)
		handshakes[i] = report__count(r, "handshakes", i);
	print_all(r, tables, handshakes);
	if (r->final && !r->events)
		report__say_idle(r);
	return 0;
}

/* ---- of records --------------------------------------------------------------------------- */

static struct tls_key key_of(const struct tls_record *record)
{
	struct tls_key key = {0};

	if (tls_options.by == TLS_BY_LIBRARY)
		key.id = record->lib;
	if (tls_options.by != TLS_BY_PROCESS && tls_options.by != TLS_BY_CONNECTION)
		return key;
	memcpy(key.comm, record->comm, sizeof(key.comm));
	key.id = record->tgid;
	if (tls_options.by == TLS_BY_CONNECTION) {
		key.id = record->connection;
		key.local = record->local;
		key.remote = record->remote;
	}
	return key;
}

static int add(enum histogram which, const struct tls_key *key, uint64_t value)
{
	struct table *t = &added.tables[which];
	struct hist *h;

	t->key_size = sizeof(*key);
	t->value_size = sizeof(*h);
	h = table__get(t, key);
	if (!h)
		return fail(-ENOMEM, "failed to sum up");
	h->slots[histogram_slot(value)]++;
	h->sum += value;
	return 0;
}

int tls_summary_add(struct report *r, const struct tls_record *record, size_t size)
{
	struct tls_key key;
	int err = 0;

	(void)r;
	if (size < sizeof(*record) || record->offset)
		return 0;
	key = key_of(record);
	if (record->what == TLS_HANDSHAKE) {
		added.handshakes[record->flags & TLS_FAILED ? TLS_COUNT_FAILURES
							    : TLS_COUNT_HANDSHAKES]++;
		if (!(record->flags & TLS_FAILED))
			err = add(HANDSHAKE_LATENCIES, &key, record->latency_ns);
	} else if (record->what == TLS_READ) {
		err = add(READ_BYTES, &key, record->len);
		err = err ?: add(READ_LATENCIES, &key, record->latency_ns);
	} else {
		err = add(WRITE_BYTES, &key, record->len);
		err = err ?: add(WRITE_LATENCIES, &key, record->latency_ns);
	}
	return err;
}

int tls_summary_report_added(struct report *r, tls_library_name_fn library_name)
{
	const struct table *tables[HISTOGRAMS];
	size_t i;

	for (i = 0; i < HISTOGRAMS; i++)
		tables[i] = &added.tables[i];
	name_of = library_name;
	print_all(r, tables, added.handshakes);
	for (i = 0; i < HISTOGRAMS; i++)
		table__free(&added.tables[i]);
	memset(&added, 0, sizeof(added));
	return 0;
}
