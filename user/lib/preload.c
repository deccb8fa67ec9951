// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "preload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "preload-processes.h"
#include "preload-ring.h"

#define BATCH    4096
#define REST_MS  4   /* while records come: a ring that is half full wakes us before */
#define DOZE_MS  10  /* what a process wrote when we fell asleep is there by then */
#define SLEEP_MS 250 /* for processes that can no longer make a socket to wake us */

enum depth { AWAKE, DOZING, ASLEEP };

static struct {
	char ticket[PRELOAD_TICKET];
	bool is_open;
	unsigned int taken; /* by the last read */
	enum depth depth;
} run;

static struct source {
	struct preload_ring *ring;
	const struct process_entry *process;
} * active; /* that have a record, in the read that goes on */
static size_t active_size;

const char *preload_ticket(void)
{
	return run.ticket;
}

int preload_open(const struct target *target, unsigned int ring_bits, preload_loss_fn on_loss)
{
	char name[PRELOAD_NAME];
	uint64_t random[3];
	int err;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return fail(-errno, "failed to get random bytes");
	random[2] |= 1; /* 0 is nobody's */
	snprintf(name, sizeof(name), "%016llx%08x", (unsigned long long)random[0],
		 (unsigned int)random[1]);
	snprintf(run.ticket, sizeof(run.ticket), "%s:%016llx:%x", name,
		 (unsigned long long)random[2], geteuid());
	err = processes_open(target, name, random[2], ring_bits, on_loss);
	run.is_open = !err;
	return err;
}

int preload_fd(void)
{
	return run.is_open ? processes_fd() : -1;
}

int preload_timeout_ms(void)
{
	static const int sleeps_ms[] = {[AWAKE] = REST_MS, [DOZING] = DOZE_MS, [ASLEEP] = SLEEP_MS};

	return run.taken >= BATCH ? 0 : sleeps_ms[run.depth];
}

bool preload_took(void)
{
	return run.taken;
}

static int add_active(struct preload_ring *ring, const struct process_entry *process, size_t cnt)
{
	struct source *more;

	if (cnt == active_size) {
		more = reallocarray(active, 2 * cnt + 64, sizeof(*active));
		if (!more)
			return fail(-ENOMEM, "failed to read what the command did");
		active = more;
		active_size = 2 * cnt + 64;
	}
	active[cnt] = (struct source){ring, process};
	return 0;
}

/* All rings that have a record, from whichever process: *cnt of active. */
static int find_active(size_t *cnt)
{
	struct process_entry *p;
	int err = 0;

	*cnt = 0;
	for (p = processes_first(); p; p = p->next) {
		for (unsigned int i = 0; !err && i < processes_slots(p); i++) {
			if (!preload_ring__look(&p->rings[i]))
				continue;
			err = add_active(&p->rings[i], p, *cnt);
			*cnt += !err;
		}
	}
	return err;
}

static size_t find_earliest(size_t cnt)
{
	size_t earliest = 0;

	for (size_t i = 1; i < cnt; i++) {
		if (active[i].ring->next.ns < active[earliest].ring->next.ns)
			earliest = i;
	}
	return earliest;
}

/* As the processes have it, which are of our time namespace. */
static uint64_t clock_monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

static void settle(bool all)
{
	enum depth deeper = run.depth == AWAKE ? DOZING : ASLEEP;

	run.depth = run.taken || all ? AWAKE : deeper;
	processes_tell_asleep(run.depth != AWAKE);
}

/*
 * A call that another thread makes on the same connection begins after the record of the one
 * before it was written: what has ended when the rings are looked at is there, with all that was
 * before it. Later records wait for the next time.
 */
int preload_read(preload_record_fn fn, void *arg, bool all)
{
	static char record[PRELOAD_RECORD_MAX] __attribute__((aligned(8)));
	uint64_t limit_ns = all ? UINT64_MAX : clock_monotonic_ns();
	unsigned int most = all ? UINT32_MAX : BATCH;
	size_t cnt, at, size;
	int err;

	run.taken = 0;
	if (all)
		processes_stop();
	processes_accept();
	err = find_active(&cnt);
	while (!err && cnt && run.taken < most) {
		struct preload_ring *ring;

		at = find_earliest(cnt);
		ring = active[at].ring;
		if (ring->next.ns > limit_ns)
			break;
		size = ring->next.size;
		preload_ring__take(ring, record);
		run.taken++;
		err = fn(arg, &active[at].process->shown, record, size);
		if (!ring->next.size)
			active[at] = active[--cnt];
	}
	processes_forget_ended();
	settle(all);
	return err;
}

void preload_tell_losses(void)
{
	for (struct process_entry *p = processes_first(); p; p = p->next)
		processes_tell_losses(p);
}

size_t preload_running(void)
{
	return processes_running();
}

struct preload_lost preload_lost(void)
{
	return processes_lost();
}

void preload_close(void)
{
	if (run.is_open)
		processes_close();
	free(active);
	active = NULL;
	active_size = 0;
	run.is_open = false;
}
