// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tls-loss.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"

#define BUCKETS     1024
#define CONNECTIONS 16384 /* that are told apart; others are told together */
#define SHOWN       20

struct losses {
	uint64_t calls; /* of which whoever recorded says that they are lost */
	uint64_t bytes;
	/* Those that came without all of their bytes, and of which that was not said yet. */
	uint64_t cut_calls;
	uint64_t cut_bytes;
};

struct loser {
	struct loser *next;
	uint64_t connection; /* 0: not known; one for each process, then */
	uint32_t tgid;
	char comm[16];
	struct endpoint local, remote;
	struct losses losses;
};

static struct {
	struct loser *buckets[BUCKETS];
	size_t cnt;
	struct losses others;
} loss;

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t losses__calls(const struct losses *l)
{
	return l->calls + l->cut_calls;
}

static uint64_t losses__bytes(const struct losses *l)
{
	return l->bytes + l->cut_bytes;
}

/*
 * A piece that found no room is told twice: the call has a hole, or no end, and the next record
 * of its connection counts it. The latter comes with the former, or after it.
 */
static void losses__add(struct losses *l, const struct tls_part *part)
{
	l->cut_calls += part->cut && !part->cut_before;
	l->cut_bytes += part->cut;
	l->cut_calls -= least(l->cut_calls, part->lost_calls);
	l->cut_bytes -= least(l->cut_bytes, part->lost_bytes);
	l->calls += part->lost_calls;
	l->bytes += part->lost_bytes;
}

static struct losses *losses_of(const struct tls_record *record)
{
	struct loser **bucket = &loss.buckets[(record->connection ?: record->tgid) % BUCKETS];
	struct loser *l = *bucket;

	while (l &&
	       (l->connection != record->connection || (!l->connection && l->tgid != record->tgid)))
		l = l->next;
	if (!l && loss.cnt < CONNECTIONS) {
		l = calloc(1, sizeof(*l));
		if (!l)
			return &loss.others;
		l->next = *bucket;
		l->connection = record->connection;
		*bucket = l;
		loss.cnt++;
	}
	if (!l)
		return &loss.others;
	l->tgid = record->tgid;
	l->local = record->local;
	l->remote = record->remote;
	memcpy(l->comm, record->comm, sizeof(l->comm));
	return &l->losses;
}

void tls_loss_add(const struct tls_part *part)
{
	if (part->lost_calls || part->lost_bytes || part->cut)
		losses__add(losses_of(part->record), part);
}

static int compare(const void *a, const void *b)
{
	const struct loser *x = *(struct loser *const *)a, *y = *(struct loser *const *)b;
	uint64_t of_x = losses__calls(&x->losses), of_y = losses__calls(&y->losses);

	if (of_x != of_y)
		return of_x < of_y ? 1 : -1;
	return x->connection > y->connection ? 1 : -1;
}

static void say(const struct loser *l)
{
	char local[TLS_ENDPOINT], remote[TLS_ENDPOINT];

	tls_endpoint(&l->local, local);
	tls_endpoint(&l->remote, remote);
	note("lost %llu calls, %llu bytes of '%.*s' (PID %u), connection %llu: %s to %s",
	     (unsigned long long)losses__calls(&l->losses),
	     (unsigned long long)losses__bytes(&l->losses), (int)sizeof(l->comm), l->comm, l->tgid,
	     (unsigned long long)l->connection, local, remote);
}

static void losses__merge(struct losses *l, const struct losses *other)
{
	l->calls += losses__calls(other);
	l->bytes += losses__bytes(other);
}

static void say_all(struct loser **all, struct losses *sum)
{
	struct losses rest = {0};
	size_t shown = 0;

	for (size_t i = 0; i < loss.cnt; i++) {
		losses__merge(sum, &all[i]->losses);
		if (losses__calls(&all[i]->losses) + losses__bytes(&all[i]->losses) == 0)
			continue;
		if (shown++ < SHOWN)
			say(all[i]);
		else
			losses__merge(&rest, &all[i]->losses);
	}
	losses__merge(&rest, &loss.others);
	losses__merge(sum, &loss.others);
	if (losses__calls(&rest) || losses__bytes(&rest))
		note("lost %llu calls, %llu bytes of other connections",
		     (unsigned long long)losses__calls(&rest),
		     (unsigned long long)losses__bytes(&rest));
}

uint64_t tls_loss_close(void)
{
	struct loser **all = calloc(loss.cnt + 1, sizeof(*all));
	struct losses sum = {0};
	size_t cnt = 0;

	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct loser *l = loss.buckets[i]; all && l; l = l->next)
			all[cnt++] = l;
	}
	if (all) {
		qsort(all, cnt, sizeof(struct loser *), compare);
		say_all(all, &sum);
	}
	for (size_t i = 0; i < cnt; i++)
		free(all[i]);
	free(all);
	memset(&loss, 0, sizeof(loss));
	return losses__calls(&sum);
}
