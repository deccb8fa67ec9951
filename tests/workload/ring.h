/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* io_uring by its three system calls, for workloads: no library, one request at a time. */
#ifndef WORKLOAD_RING_H
#define WORKLOAD_RING_H

#include <err.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RING_ENTRIES  64
#define RING_NOT_HERE 77 /* exit status: this kernel, or its settings, cannot do it */

struct ring_result {
	unsigned long long user_data;
	int res;
	unsigned int flags;
};

struct ring {
	int fd;
	unsigned int features;
	bool polled;
	unsigned int *sq_tail, *sq_flags, *sq_mask, *sq_array;
	unsigned int *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

static inline void ring_not_here(const char *what)
{
	fprintf(stderr, "not here: %s\n", what);
	exit(RING_NOT_HERE);
}

static inline void *ring_map(const struct ring *ring, size_t size, off_t offset)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd,
			 offset);

	if (mem == MAP_FAILED)
		err(1, "failed to map the ring");
	return mem;
}

static inline void ring_open(struct ring *ring, unsigned int flags)
{
	struct io_uring_params p = {.flags = flags, .sq_thread_idle = 1000};
	char *sq, *cq;

	ring->fd = syscall(__NR_io_uring_setup, RING_ENTRIES, &p);
	if (ring->fd < 0 && (errno == ENOSYS || errno == EPERM))
		ring_not_here("io_uring is disabled");
	if (ring->fd < 0)
		err(1, "failed to set up a ring");
	sq = ring_map(ring, p.sq_off.array + p.sq_entries * sizeof(unsigned int),
		      IORING_OFF_SQ_RING);
	cq = ring_map(ring, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe),
		      IORING_OFF_CQ_RING);
	ring->sqes = ring_map(ring, p.sq_entries * sizeof(*ring->sqes), IORING_OFF_SQES);
	ring->features = p.features;
	ring->polled = flags & IORING_SETUP_SQPOLL;
	ring->sq_tail = (unsigned int *)(sq + p.sq_off.tail);
	ring->sq_flags = (unsigned int *)(sq + p.sq_off.flags);
	ring->sq_mask = (unsigned int *)(sq + p.sq_off.ring_mask);
	ring->sq_array = (unsigned int *)(sq + p.sq_off.array);
	ring->cq_head = (unsigned int *)(cq + p.cq_off.head);
	ring->cq_tail = (unsigned int *)(cq + p.cq_off.tail);
	ring->cq_mask = (unsigned int *)(cq + p.cq_off.ring_mask);
	ring->cqes = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
}

static inline void ring_register(const struct ring *ring, unsigned int what, void *arg,
				 unsigned int cnt)
{
	if (syscall(__NR_io_uring_register, ring->fd, what, arg, cnt))
		err(1, "failed to register with the ring");
}

static inline void ring_need_op(const struct ring *ring, unsigned int op)
{
	const unsigned int ops = 256;
	struct io_uring_probe *probe = calloc(1, sizeof(*probe) + ops * sizeof(probe->ops[0]));
	bool supported;

	if (!probe)
		err(1, "no memory");
	ring_register(ring, IORING_REGISTER_PROBE, probe, ops);
	supported = op <= probe->last_op && probe->ops[op].flags & IO_URING_OP_SUPPORTED;
	free(probe);
	if (!supported)
		ring_not_here("this kernel has no such operation");
}

static inline void ring_enter(const struct ring *ring, unsigned int submit, unsigned int complete,
			      unsigned int flags)
{
	while (syscall(__NR_io_uring_enter, ring->fd, submit, complete, flags, NULL, 0) < 0) {
		if (errno != EINTR && errno != EAGAIN)
			err(1, "failed to enter the ring");
	}
}

static inline void ring_submit(struct ring *ring, const struct io_uring_sqe *sqe)
{
	unsigned int tail = *ring->sq_tail, slot = tail & *ring->sq_mask;

	ring->sqes[slot] = *sqe;
	ring->sq_array[slot] = slot;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_SEQ_CST);
	if (!ring->polled)
		ring_enter(ring, 1, 0, 0);
	else if (__atomic_load_n(ring->sq_flags, __ATOMIC_SEQ_CST) & IORING_SQ_NEED_WAKEUP)
		ring_enter(ring, 1, 0, IORING_ENTER_SQ_WAKEUP);
}

static inline struct ring_result ring_wait(struct ring *ring)
{
	unsigned int head = *ring->cq_head;
	const struct io_uring_cqe *cqe;
	struct ring_result result;

	while (head == __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE))
		ring_enter(ring, 0, 1, IORING_ENTER_GETEVENTS);
	cqe = &ring->cqes[head & *ring->cq_mask];
	result = (struct ring_result){cqe->user_data, cqe->res, cqe->flags};
	__atomic_store_n(ring->cq_head, head + 1, __ATOMIC_RELEASE);
	return result;
}

#endif
