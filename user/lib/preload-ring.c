// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "preload-ring.h"

#include <string.h>

static void copy_out(const struct preload_ring *r, uint64_t position, void *to, size_t len)
{
	size_t at = position & (r->size - 1);
	size_t first = len < r->size - at ? len : r->size - at;

	memcpy(to, r->bytes + at, first);
	memcpy((char *)to + first, r->bytes, len - first);
}

static void advance(struct preload_ring *r, uint64_t tail)
{
	r->tail = tail;
	__atomic_store_n(&r->slot->tail, tail, __ATOMIC_RELEASE);
}

/* What follows cannot be found: all that there is now is left out. */
static void give_up(struct preload_ring *r)
{
	r->damaged++;
	r->next.size = 0;
	advance(r, r->head);
}

static void find_next(struct preload_ring *r)
{
	uint64_t there = r->head - r->tail;

	r->next.size = 0;
	if (!there)
		return;
	if (there > r->size || there < sizeof(r->next)) {
		give_up(r);
		return;
	}
	copy_out(r, r->tail, &r->next, sizeof(r->next));
	if (!r->next.size || r->next.size > PRELOAD_RECORD_MAX ||
	    PRELOAD_ALIGN(sizeof(r->next) + r->next.size) > there)
		give_up(r);
}

bool preload_ring__look(struct preload_ring *r)
{
	uint64_t head = __atomic_load_n(&r->slot->head, __ATOMIC_ACQUIRE);

	if (head == r->head)
		return r->next.size;
	r->head = head;
	if (!r->next.size)
		find_next(r);
	else if (head - r->tail > r->size)
		give_up(r);
	return r->next.size;
}

void preload_ring__take(struct preload_ring *r, void *record)
{
	copy_out(r, r->tail + sizeof(r->next), record, r->next.size);
	advance(r, r->tail + PRELOAD_ALIGN(sizeof(r->next) + r->next.size));
	find_next(r);
}
