/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Feeds records to tls-output.h and keeps what it prints. Include after cmocka.h. */
#ifndef WIRESCOPE_TEST_TLS_FEED_H
#define WIRESCOPE_TEST_TLS_FEED_H

#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "tls-output.h"

static struct {
	struct report report;
	char *text;
	size_t len;
	uint64_t lost;
	struct output notes;
} feed;

static inline void feed_begin(enum report_format format, struct tls_output_options options)
{
	free(feed.text);
	memset(&feed, 0, sizeof(feed));
	feed.report.format = format;
	feed.report.out = open_memstream(&feed.text, &feed.len);
	tls_output_open(&options, NULL);
}

/* What was printed so far, as text. */
static inline const char *feed_text(void)
{
	fflush(feed.report.out);
	return feed.text;
}

static inline const char *feed_end(void)
{
	output_begin(&feed.notes, STDERR_FILENO);
	feed.lost = tls_output_close(&feed.report);
	output_end(&feed.notes, STDERR_FILENO);
	fclose(feed.report.out);
	return feed.text;
}

static inline struct tls_record feed_call(enum tls_what what, uint64_t len)
{
	return (struct tls_record){
		.what = what,
		.end_ns = 5000000000,
		.connection = 1,
		.len = len,
		.captured = len,
		.tgid = 42,
		.tid = 43,
		.uid = 1000,
		.fd = -1,
		.comm = "nginx",
	};
}

/* In memory of its own size: the sanitizer sees who reads too far. */
static inline void feed_record(const struct tls_record *record, const void *payload)
{
	size_t size = sizeof(*record) + record->size;
	char *buf = malloc(size);

	memcpy(buf, record, sizeof(*record));
	if (record->size)
		memcpy(buf + sizeof(*record), payload, record->size);
	assert_int_equal(tls_output_record(&feed.report, (void *)buf, size), 0);
	free(buf);
}

static inline void feed_piece(struct tls_record record, const char *payload, size_t piece)
{
	size_t left;

	record.offset = (uint64_t)piece * TLS_PAYLOAD_MAX;
	left = record.captured - record.offset;
	record.size = left < TLS_PAYLOAD_MAX ? left : TLS_PAYLOAD_MAX;
	feed_record(&record, payload + record.offset);
}

static inline size_t feed_pieces(const struct tls_record *record)
{
	return record->captured ? (record->captured - 1) / TLS_PAYLOAD_MAX + 1 : 1;
}

static inline void feed_payload(const struct tls_record *record, const char *payload)
{
	for (size_t i = 0; i < feed_pieces(record); i++)
		feed_piece(*record, payload, i);
}

#endif
