// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tls-losses.h"

#include <stdint.h>
#include <string.h>

#include "process.h"
#include "table.h"
#include "tls-connection.h"
#include "tls-loss.h"

static void add_loss(const struct tls_loss *loss, uint64_t number)
{
	struct tls_record record = {
		.connection = number,
		.tgid = loss->tgid,
		.fd = -1,
		.local = loss->local,
		.remote = loss->remote,
	};

	memcpy(record.comm, loss->comm, sizeof(record.comm));
	tls_loss_add(&(struct tls_part){
		.record = &record,
		.lost_calls = loss->calls,
		.lost_bytes = loss->bytes,
	});
}

/* What was lost behind the last record of a connection that has ended. */
static int add_losses_of_closed(const struct bpf_map *map)
{
	struct table t;
	int err = table__read(&t, map, merge_u64);

	for (size_t i = 0; !err && i < t.cnt; i++)
		add_loss(table__value(&t, i), *(uint64_t *)table__key(&t, i));
	table__free(&t);
	return err;
}

/* The same of one that has not. */
static int add_losses_of_open(const struct bpf_map *map)
{
	struct table t;
	int err = table__read(&t, map, merge_u64);

	for (size_t i = 0; !err && i < t.cnt; i++) {
		const struct tls_connection *c = table__value(&t, i);
		struct tls_loss loss = {
			.calls = c->lost_calls,
			.bytes = c->lost_bytes,
			.tgid = c->tgid,
			.local = c->local,
			.remote = c->remote,
		};

		process_comm(c->tgid, loss.comm);
		if (loss.calls || loss.bytes)
			add_loss(&loss, c->number);
	}
	table__free(&t);
	return err;
}

int tls_losses_add(const struct bpf_map *of_closed, const struct bpf_map *connections)
{
	int err = add_losses_of_closed(of_closed);

	return err ?: add_losses_of_open(connections);
}
