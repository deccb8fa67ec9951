// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tls-output.h"

#include "log.h"
#include "tls-loss.h"
#include "tls-part.h"
#include "tls-pieces.h"

#define WAITING_MAX (64 << 20) /* bytes of calls that are not whole yet */

static struct tls_printer printer;
static uint64_t malformed;

static void print(void *arg, const struct tls_part *part)
{
	struct tls_printer *p = arg;

	tls_loss_add(part);
	if (p->report->format == REPORT_JSON)
		tls_json_print(p, part);
	else
		tls_text_print(p, part);
}

void tls_output_open(const struct tls_output_options *options, tls_library_name_fn library_name)
{
	uint64_t keep = options->max_bytes ?: UINT64_MAX;

	printer.options = *options;
	printer.library_name = library_name;
	printer.begun = false;
	malformed = 0;
	tls_pieces_open(WAITING_MAX, options->no_data ? 0 : keep, print, &printer);
}

/* They may come out of memory that the target can write. */
static bool is_sound(const struct tls_record *record, size_t size)
{
	return size >= sizeof(*record) && record->size <= size - sizeof(*record) &&
	       record->size <= TLS_PAYLOAD_MAX && record->what < TLS_WHATS &&
	       record->api < TLS_APIS && record->len <= INT64_MAX &&
	       (record->what == TLS_HANDSHAKE ||
		(record->captured <= record->len && record->size <= record->captured &&
		 record->offset <= record->captured - record->size));
}

static void use(struct report *r)
{
	printer.report = r;
	printer.sink.out = r->out;
}

int tls_output_record(struct report *r, const struct tls_record *record, size_t size)
{
	const unsigned char *data = (const unsigned char *)(record + 1);

	if (!is_sound(record, size)) {
		malformed++;
		return 0;
	}
	use(r);
	if (record->what == TLS_HANDSHAKE) {
		tls_pieces_end_thread(record->tgid, record->tid);
		print(&printer, &(struct tls_part){.record = record,
						   .data = data,
						   .size = record->size,
						   .lost_calls = record->lost_calls,
						   .lost_bytes = record->lost_bytes});
	} else {
		tls_pieces_add(record, data);
	}
	sink__flush(&printer.sink);
	return 0;
}

uint64_t tls_output_close(struct report *r)
{
	use(r);
	tls_pieces_close();
	sink__flush(&printer.sink);
	if (malformed)
		note("left out %llu records that cannot be right", (unsigned long long)malformed);
	return tls_loss_close() + malformed;
}
