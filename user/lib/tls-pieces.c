// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tls-pieces.h"

#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "log.h"

#define BUCKETS 1024 /* of threads that wait at once; more only make it slower */
#define CUT_MAX 3    /* of a character's bytes, kept for the part that has the others */

struct calls {
	struct call *oldest, *newest;
};

/* A call of which more pieces should come. */
struct call {
	struct call *next;  /* in its bucket */
	struct calls *list; /* by whether it has room */
	struct call *older, *newer;
	struct tls_record record; /* its last one */
	unsigned char *data;
	size_t size, room;
	uint64_t offset; /* of data */
	uint64_t lost_calls, lost_bytes;
	bool printed; /* parts of it */
	bool cut;     /* one of which lacked something */
};

static struct {
	size_t limit, total;
	uint64_t keep;
	tls_part_fn fn;
	void *arg;
	bool told;
	struct call *buckets[BUCKETS];
	struct calls waiting; /* calls with room for what has come */
	struct calls begun;   /* those without: all that came is printed */
} pieces;

static struct call **bucket_of(uint32_t tid)
{
	return &pieces.buckets[tid % BUCKETS];
}

static struct call *find(uint32_t tgid, uint32_t tid)
{
	struct call *c = *bucket_of(tid);

	while (c && (c->record.tid != tid || c->record.tgid != tgid))
		c = c->next;
	return c;
}

static void call__unlink(struct call *c)
{
	*(c->older ? &c->older->newer : &c->list->oldest) = c->newer;
	*(c->newer ? &c->newer->older : &c->list->newest) = c->older;
}

static void call__link(struct call *c, struct calls *list)
{
	c->list = list;
	c->older = list->newest;
	c->newer = NULL;
	*(list->newest ? &list->newest->newer : &list->oldest) = c;
	list->newest = c;
}

static void call__free(struct call *c)
{
	struct call **at = bucket_of(c->record.tid);

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	call__unlink(c);
	pieces.total -= sizeof(*c) + c->room;
	free(c->data);
	free(c);
}

static uint64_t wanted(uint64_t offset)
{
	return offset < pieces.keep ? offset : pieces.keep;
}

static uint64_t call__end(const struct call *c)
{
	return c->offset + c->size;
}

static uint64_t above(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* Bytes that nobody asked to leave out of what comes after `end` and before `to`. */
static uint64_t cut_after(const struct tls_record *record, uint64_t end, uint64_t to,
			  bool incomplete)
{
	uint64_t most = to < record->captured ? to : record->captured;

	if (record->flags & TLS_UNREADABLE)
		most = to;
	else if (!incomplete)
		return 0;
	return above(wanted(most), end);
}

/* Print `size` of what has come; `to`: where in the call the next part begins, or it ends. */
static void call__emit(struct call *c, size_t size, uint64_t to, bool more, bool incomplete)
{
	uint64_t end = c->offset + size;
	struct tls_part part = {
		.record = &c->record,
		.data = c->data,
		.size = size,
		.offset = c->offset,
		.missing = above(to, end),
		.continued = c->printed,
		.more = more,
		.incomplete = incomplete,
		.cut = cut_after(&c->record, end, to, incomplete) + (c->printed ? 0 : c->offset),
		.cut_before = c->cut,
		.lost_calls = c->lost_calls,
		.lost_bytes = c->lost_bytes,
	};

	c->cut = c->cut || part.cut;
	pieces.fn(pieces.arg, &part);
	c->lost_calls = c->lost_bytes = 0;
	c->printed = true;
	c->offset += size;
	c->size -= size;
	if (c->size)
		memmove(c->data, c->data + size, c->size);
}

static void call__finish(struct call *c, bool incomplete)
{
	/* What nobody wants is not missed. */
	incomplete = incomplete && call__end(c) < wanted(c->record.captured);
	call__emit(c, c->size, c->record.len, false, incomplete);
	call__free(c);
}

/* Print what has come, and give up its room; the call may still go on. */
static void call__shrink(struct call *c)
{
	size_t cut = escape_cut(c->data, c->size);
	unsigned char *smaller;

	if (c->size > cut)
		call__emit(c, c->size - cut, call__end(c) - cut, true, false);
	smaller = realloc(c->data, CUT_MAX);
	c->data = smaller ?: c->data;
	pieces.total -= c->room - CUT_MAX;
	c->room = CUT_MAX;
	call__unlink(c);
	call__link(c, &pieces.begun);
}

static void make_room(size_t size, const struct call *not_this)
{
	while (pieces.total + size > pieces.limit) {
		if (!pieces.told)
			note("more than %zu MiB of unfinished calls: they are printed in parts",
			     pieces.limit >> 20);
		pieces.told = true;
		if (pieces.waiting.oldest)
			call__shrink(pieces.waiting.oldest);
		else if (pieces.begun.oldest && pieces.begun.oldest != not_this)
			call__finish(pieces.begun.oldest, true);
		else
			return;
	}
}

static struct call *call__new(const struct tls_record *record)
{
	struct call **bucket = bucket_of(record->tid), *c;

	make_room(sizeof(*c), NULL);
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->record = *record;
	c->next = *bucket;
	*bucket = c;
	call__link(c, &pieces.begun);
	pieces.total += sizeof(*c);
	return c;
}

/* Twice as much as it had, but not more than the call needs. */
static size_t call__next_room(const struct call *c, size_t size)
{
	uint64_t most = wanted(c->record.captured) - c->offset;
	size_t room = c->room > CUT_MAX ? 2 * c->room : 4 * (size_t)TLS_PAYLOAD_MAX;

	room = room > most ? most : room;
	return room < c->size + size ? c->size + size : room;
}

static bool call__grow(struct call *c, size_t size)
{
	size_t room = call__next_room(c, size), had = c->room;
	unsigned char *data;

	make_room(room - had, c);
	if (c->room != had) /* which is printed now */
		room = call__next_room(c, size);
	data = realloc(c->data, room);
	if (!data)
		return false;
	pieces.total += room - c->room;
	c->data = data;
	c->room = room;
	call__unlink(c);
	call__link(c, &pieces.waiting);
	return true;
}

/* Without memory what comes is printed as it comes. */
static void call__append(struct call *c, const unsigned char *data, size_t size)
{
	unsigned char *own;

	if (!size)
		return;
	if (c->room - c->size >= size || call__grow(c, size)) {
		memcpy(c->data + c->size, data, size);
		c->size += size;
		return;
	}
	if (c->size)
		call__emit(c, c->size, call__end(c), true, false);
	own = c->data;
	c->data = (unsigned char *)data;
	c->size = size;
	call__emit(c, size, call__end(c), true, false);
	c->data = own;
}

static bool is_last(const struct tls_record *record)
{
	return record->offset + record->size >= record->captured ||
	       (record->flags & TLS_UNREADABLE);
}

static bool call__goes_on(const struct call *c, const struct tls_record *record)
{
	return record->end_ns == c->record.end_ns && record->connection == c->record.connection &&
	       record->what == c->record.what && wanted(record->offset) >= call__end(c);
}

static void pass(const struct tls_record *record, const unsigned char *data)
{
	size_t size = wanted(record->size);

	pieces.fn(pieces.arg, &(struct tls_part){
				      .record = record,
				      .data = data,
				      .size = size,
				      .offset = record->offset,
				      .missing = above(record->len, size),
				      .cut = cut_after(record, size, record->len, false),
				      .lost_calls = record->lost_calls,
				      .lost_bytes = record->lost_bytes,
			      });
}

static void call__add(struct call *c, const struct tls_record *record, const unsigned char *data)
{
	uint64_t from = wanted(record->offset), to = wanted(record->offset + record->size);

	/* What was before the hole is printed as it is; losses before that are not of this one. */
	if (from > call__end(c) && (c->size || c->printed))
		call__emit(c, c->size, from, true, true);
	if (from > call__end(c))
		c->offset = from;
	c->record = *record;
	c->lost_calls += record->lost_calls;
	c->lost_bytes += record->lost_bytes;
	call__append(c, data, to - from);
	if (is_last(record))
		call__finish(c, false);
}

void tls_pieces_add(const struct tls_record *record, const unsigned char *data)
{
	struct call *c = find(record->tgid, record->tid);

	if (c && !call__goes_on(c, record)) {
		call__finish(c, true);
		c = NULL;
	}
	if (!c && !record->offset && is_last(record)) {
		pass(record, data);
		return;
	}
	c = c ?: call__new(record);
	if (c)
		call__add(c, record, data);
	else
		pass(record, data);
}

void tls_pieces_end_thread(uint32_t tgid, uint32_t tid)
{
	struct call *c = find(tgid, tid);

	if (c)
		call__finish(c, true);
}

void tls_pieces_open(size_t limit, uint64_t keep, tls_part_fn fn, void *arg)
{
	pieces.limit = limit;
	pieces.keep = keep;
	pieces.fn = fn;
	pieces.arg = arg;
	pieces.told = false;
}

void tls_pieces_close(void)
{
	struct call *c;

	while ((c = pieces.waiting.oldest ?: pieces.begun.oldest))
		call__finish(c, true);
}
