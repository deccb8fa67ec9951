/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What offload-load sends: which messages, in which segments, and next to which control data. */
#ifndef WORKLOAD_OFFLOAD_SEND_H
#define WORKLOAD_OFFLOAD_SEND_H

#include <sys/socket.h>

#include "offload-cmsg.h"
#include "offload-truth.h"
#include "truth.h"
#include "udp-calls.h"

#define PAYLOAD_MAX     65507 /* of IPv4, and so of both */
#define TOO_LONG        66000
#define SEGMENTS_MAX    64
#define TOO_MANY        200 /* the limit is 128 from kernel 6.9 on */
#define PATTERN_SEGMENT 1200
/*
 * A device without segmentation hands on so many datagrams at once. Its peer's queue may have
 * room for 256, and those of the round before may still be there.
 */
#define ROUND_DATAGRAMS 192

struct outbox {
	struct batch batch;
	struct control controls[VLEN_MAX];
	unsigned int segments[VLEN_MAX]; /* bytes that the kernel is told to cut at, or 0 */
	unsigned int random;
	unsigned int limit;  /* bytes of payload that fit the MTU */
	unsigned int option; /* UDP_SEGMENT of the socket */
	unsigned int budget; /* datagrams left of this round */
	bool ipv6;
};

enum segment_by { BY_OPTION, BY_CMSG, BY_CMSG_OF_0 };

static inline unsigned int outbox_random(struct outbox *self, unsigned int below)
{
	return truth_random(&self->random) % below;
}

/* One that makes datagrams of the MTU is among them. */
static inline unsigned int outbox_random_size(struct outbox *self)
{
	static const unsigned int sizes[] = {1, 40, 100, 512, 1000, 1200, 1350, 1452, 4000, 8900};
	unsigned int size = sizes[outbox_random(self, sizeof(sizes) / sizeof(sizes[0]))];

	return size < self->limit ? size : self->limit;
}

/* A length that makes segments of that size, the last of them often shorter. */
static inline unsigned int outbox_random_length(struct outbox *self, unsigned int size)
{
	unsigned int most = self->budget < SEGMENTS_MAX ? self->budget : SEGMENTS_MAX;
	unsigned int length;

	if (most > PAYLOAD_MAX / size + 1)
		most = PAYLOAD_MAX / size + 1;
	length = size * (1 + outbox_random(self, most));
	if (size > 1 && outbox_random(self, 2))
		length -= outbox_random(self, size);
	return length < PAYLOAD_MAX ? length : PAYLOAD_MAX;
}

static inline unsigned int outbox_random_plain(struct outbox *self)
{
	unsigned int most = outbox_random(self, 32) ? 1400 : 9000;

	return outbox_random(self, 1 + (most < self->limit ? most : self->limit));
}

/* Segmentation may be the only control data, or the first, second or last of three. */
static inline void outbox_control(struct outbox *self, unsigned int i, enum segment_by by,
				  unsigned int size)
{
	struct control *control = &self->controls[i];
	unsigned int place = outbox_random(self, 4);

	control->len = 0;
	for (unsigned int at = 0; at < 3; at++) {
		if (by != BY_OPTION && place % 3 == at)
			control_add_segment(control, by == BY_CMSG ? size : 0);
		if (place == 3)
			continue;
		if (at == 0)
			control_add_pktinfo(control, self->ipv6);
		if (at == 1)
			control_add_ecn(control, self->ipv6);
	}
	self->batch.msgs[i].msg_hdr.msg_control = control->len ? control->bytes : NULL;
	self->batch.msgs[i].msg_hdr.msg_controllen = control->len;
}

static inline void outbox_length(struct outbox *self, unsigned int i, unsigned int length)
{
	self->batch.iovs[i].iov_len = length;
}

/* The message i, by a call that takes control data or one that does not. */
static inline void outbox_plan(struct outbox *self, unsigned int i, bool has_control,
			       bool may_segment)
{
	enum segment_by by = BY_OPTION;
	unsigned int size = self->option;

	if (has_control && may_segment && outbox_random(self, 2)) {
		by = self->option && !outbox_random(self, 8) ? BY_CMSG_OF_0 : BY_CMSG;
		size = by == BY_CMSG ? outbox_random_size(self) : 0;
	}
	self->segments[i] = size;
	outbox_length(self, i, size ? outbox_random_length(self, size) : outbox_random_plain(self));
	outbox_control(self, i, by, size);
	self->budget -= offload_segments(self->batch.iovs[i].iov_len, size);
}

/* Always the same: what a benchmark sends. */
static inline void outbox_pattern(struct outbox *self, unsigned int length)
{
	unsigned int size = self->limit < PATTERN_SEGMENT ? self->limit : PATTERN_SEGMENT;

	for (unsigned int i = 0; i < VLEN_MAX; i++) {
		struct control *control = &self->controls[i];

		control_add_pktinfo(control, self->ipv6);
		control_add_ecn(control, self->ipv6);
		control_add_segment(control, size);
		self->segments[i] = size;
		self->batch.msgs[i].msg_hdr.msg_control = control->bytes;
		self->batch.msgs[i].msg_hdr.msg_controllen = control->len;
		outbox_length(self, i, length);
	}
}

/* Sends that fail as a whole: a message with UDP_SEGMENT is one by its control data. */
static const struct mistake {
	unsigned int length;
	unsigned int size;       /* of a segment, 0: no control data */
	unsigned int size_bytes; /* of the control data: the kernel wants 2 */
} mistakes[] = {
	{TOO_LONG, 0, 0},
	{TOO_LONG, 1200, 2},
	{10 * TOO_MANY, 10, 2},
	{3000, 1200, 4},
};

#define MISTAKES (sizeof(mistakes) / sizeof(mistakes[0]))

static inline void outbox_mistake(struct outbox *self, unsigned int i,
				  const struct mistake *mistake)
{
	struct control *control = &self->controls[i];
	const uint32_t size =
		mistake->size; /* on a little-endian machine its head is 2 bytes too */

	control->len = 0;
	control_add_ecn(control, self->ipv6);
	if (mistake->size)
		control_add(control, SOL_UDP, UDP_SEGMENT, &size, mistake->size_bytes);
	self->segments[i] = mistake->size ? mistake->size : self->option;
	self->batch.msgs[i].msg_hdr.msg_control = control->bytes;
	self->batch.msgs[i].msg_hdr.msg_controllen = control->len;
	outbox_length(self, i, mistake->length);
}

#endif
