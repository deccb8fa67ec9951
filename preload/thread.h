/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A thread of somebody else's process, which we are in, and its ring. Nothing here blocks for
 * longer than a system call, allocates with malloc(), or leaves errno changed.
 */
#ifndef WIRESCOPE_PRELOAD_THREAD_H
#define WIRESCOPE_PRELOAD_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload-region.h"

/*
 * What a child of fork does not have: the kernel gives it a page of zeros instead, however it
 * was forked. So no lock stays taken that another thread held, and no ring has two writers.
 */
struct process {
	uint64_t generation; /* 0: not connected yet */
	struct preload_region *region;
	uint32_t nonce;
	uint32_t connections; /* so many were numbered */
	uint32_t attempts;    /* to connect */
	uint32_t slots;       /* that the region has */
	uint64_t network;     /* that the tool is in; 0: not known */
	uint32_t connecting;  /* a lock */
	uint32_t tabling;     /* another one, of connection.c */
	uint32_t adding;      /* another one, of library.c */
};

struct thread {
	uint64_t generation; /* of the process; another: it is for another process */
	struct preload_slot *slot;
	char *ring;
	uint64_t head;
	uint64_t tail;     /* of what was read, when it was last looked at */
	uint64_t woken_at; /* tail, when the tool was last told to hurry */
	uint32_t tid;
	uint32_t tgid;
	uint32_t uid;
	bool passes; /* the filters of processes and threads */
	char comm[16];
};

extern struct process *process;

/* Of what is behind the name of the run in the environment; 0 if it cannot be used. */
struct thread_settings {
	const char *text;
	uint8_t ring_bits;
};

/*
 * Called once, for the settings, before anything else: false if they are not for us. And
 * whenever a region is new, for what is written into it.
 */
bool thread_on_start(const char *settings, uint8_t *ring_bits);
void thread_on_connect(struct preload_region *region);
/* The name, user or id of a thread may be another one than before. */
void thread_on_change(struct thread *t);

/* At least once, in the constructor. */
void thread_start(void);

/* Connect the process now, while it still may: it can be denied that later. */
void thread_connect(void);

/* Ask the kernel again who we are. */
void thread_identify(struct thread *t);

/* The slow part of thread_self(). */
struct thread *thread_attach(struct thread *t);

extern __thread struct thread thread_state __attribute__((tls_model("initial-exec")));

/* NULL: the tool is not there. Without a slot (none is free), slot is NULL. */
static inline struct thread *thread_self(void)
{
	struct thread *t = &thread_state;

	if (__builtin_expect(t->slot && t->generation == process->generation, true))
		return t;
	return thread_attach(t);
}

/* Is a record still wanted? */
static inline bool thread_is_heard(void)
{
	return !__atomic_load_n(&process->region->stopped, __ATOMIC_RELAXED);
}

/* A record and its payload, or false: there is no room. */
bool thread_put(struct thread *t, uint64_t ns, const void *record, size_t size, const void *payload,
		size_t payload_size);

/* Count what found no room. cut: the first bytes did. */
void thread_lose(struct thread *t, uint64_t bytes, bool cut);

void spin_lock(uint32_t *lock);
void spin_unlock(uint32_t *lock);

#endif
