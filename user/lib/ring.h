/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The reading end of bpf/lib/ring.bpf.h. */
#ifndef WIRESCOPE_RING_H
#define WIRESCOPE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/libbpf.h>

#define RING_BYTES_MIN 4096
#define RING_BYTES_MAX (1UL << 30)

/* A negative error (after a message) ends the reading. */
typedef int (*ring_event_fn)(void *arg, const void *data, size_t size);

struct ring {
	struct ring_buffer *buffer; /* NULL: the tool has none */
	ring_event_fn fn;
	void *arg;
	unsigned int taken; /* records, by one ring__read() */
	bool resting;       /* all was read just now: let some more come */
	int err;            /* of fn */
};

/* Before loading: bytes, of which the kernel side takes the next power of two; 0: default. */
int ring_set_size(struct bpf_object *obj, uint64_t bytes);

/* After loading. */
int ring__open(struct ring *r, struct bpf_object *obj, ring_event_fn fn, void *arg);

/* What to poll for, and for how long at most: -1 is none, and for ever. */
int ring__fd(const struct ring *r);
int ring__timeout_ms(const struct ring *r);

/* Hand over what has come, but not more than a batch: others have to be heard too. */
int ring__read(struct ring *r);

/* Hand over all; for when nothing is recorded any more. */
int ring__drain(struct ring *r);

void ring__close(struct ring *r);

#endif
