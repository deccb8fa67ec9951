// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "ring.h"

#include <errno.h>

#include "log.h"

#define BATCH   4096
#define REST_MS 10 /* too short to be noticed, long enough to wake up 100 times a second only */

int ring_set_size(struct bpf_object *obj, uint64_t bytes)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, "ring");
	int err = bytes ? bpf_map__set_max_entries(map, bytes) : 0;

	return err ? fail(err, "failed to set the size of the buffer") : 0;
}

static int ring__take(void *ctx, void *data, size_t size)
{
	struct ring *r = ctx;

	r->err = r->fn(r->arg, data, size);
	/* libbpf stops after this record, which counts as read, and returns what is below 0. */
	return r->err || ++r->taken == BATCH ? -ECANCELED : 0;
}

int ring__open(struct ring *r, struct bpf_object *obj, ring_event_fn fn, void *arg)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, "ring");

	r->fn = fn;
	r->arg = arg;
	r->buffer = ring_buffer__new(bpf_map__fd(map), ring__take, r, NULL);
	return r->buffer ? 0 : fail(-errno, "failed to open the buffer of events");
}

int ring__fd(const struct ring *r)
{
	return r->buffer && !r->resting ? ring_buffer__epoll_fd(r->buffer) : -1;
}

int ring__timeout_ms(const struct ring *r)
{
	return r->resting ? REST_MS : -1;
}

int ring__read(struct ring *r)
{
	int err;

	r->taken = 0;
	if (!r->buffer)
		return 0;
	err = ring_buffer__consume(r->buffer);
	r->resting = r->taken && r->taken < BATCH;
	if (err >= 0 || r->err || r->taken == BATCH)
		return r->err;
	return fail(err, "failed to read the buffer of events");
}

int ring__drain(struct ring *r)
{
	int err;

	do
		err = ring__read(r);
	while (!err && r->taken);
	return err;
}

void ring__close(struct ring *r)
{
	ring_buffer__free(r->buffer);
	r->buffer = NULL;
}
