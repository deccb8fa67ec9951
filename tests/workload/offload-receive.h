/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How offload-load receives: buffers of one part or two, with room for control data or without. */
#ifndef WORKLOAD_OFFLOAD_RECEIVE_H
#define WORKLOAD_OFFLOAD_RECEIVE_H

#include "offload-cmsg.h"
#include "offload-truth.h"
#include "truth.h"
#include "udp-calls.h"

#define MESSAGE_MAX 65536

/* All messages go to the same bytes: nobody looks at any but the last. */
struct inbox {
	struct batch batch;
	struct iovec halves[VLEN_MAX][2];
	struct control controls[VLEN_MAX];
	unsigned int rooms[VLEN_MAX];
	unsigned int small; /* room that is too small, by design; 0: always enough */
	unsigned int random;
	bool always_control;
	char sink[MESSAGE_MAX];
};

static inline void inbox_room(struct inbox *self, unsigned int i, unsigned int room, bool in_two)
{
	struct msghdr *msg = &self->batch.msgs[i].msg_hdr;

	self->rooms[i] = room;
	self->batch.iovs[i].iov_len = room;
	self->halves[i][0] = (struct iovec){.iov_base = self->sink, .iov_len = room / 2};
	self->halves[i][1] = (struct iovec){.iov_base = self->sink + room / 2,
					    .iov_len = room - room / 2};
	msg->msg_iov = in_two ? self->halves[i] : &self->batch.iovs[i];
	msg->msg_iovlen = in_two ? 2 : 1;
}

static inline unsigned int inbox_random_room(const struct inbox *self, unsigned int dice)
{
	return self->small ? self->small * (1 + dice % OFFLOAD_ROOMS) : MESSAGE_MAX;
}

static inline void inbox_prepare(struct inbox *self, unsigned int vlen)
{
	for (unsigned int i = 0; i < vlen; i++) {
		struct msghdr *msg = &self->batch.msgs[i].msg_hdr;
		unsigned int dice = truth_random(&self->random);
		bool has_control = self->always_control || dice & 7;

		inbox_room(self, i, inbox_random_room(self, dice >> 3), dice >> 4 & 1);
		msg->msg_control = has_control ? self->controls[i].bytes : NULL;
		msg->msg_controllen = has_control ? CONTROL_BYTES : 0;
		msg->msg_flags = 0;
	}
}

/* The message i of len bytes; call: how it came. */
static inline void inbox_note(struct inbox *self, struct offload_truth *truth, enum truth_call call,
			      unsigned int i, unsigned long len)
{
	struct msghdr *msg = &self->batch.msgs[i].msg_hdr;

	/* Such a call tells no more than the length. */
	if (call == TRUTH_RECVFROM) {
		offload_message(truth, TRUTH_RX, len, 0);
		return;
	}
	offload_message(truth, TRUTH_RX, len, control_gro_size(msg));
	if (msg->msg_flags & MSG_TRUNC)
		truth_add(&truth->truncated[self->rooms[i] > self->small], 1);
}

static inline void inbox_note_all(struct inbox *self, struct offload_truth *truth,
				  enum truth_call call, long messages, unsigned long bytes)
{
	if (call != TRUTH_RECVMMSG) {
		inbox_note(self, truth, call, 0, bytes);
		return;
	}
	if (messages > 0)
		truth_add(&truth->recvmmsg_ok, 1);
	if (messages == 1)
		truth_add(&truth->recvmmsg_one, 1);
	for (long i = 0; i < messages; i++)
		inbox_note(self, truth, call, i, self->batch.msgs[i].msg_len);
}

#endif
