// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "offload-report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grouped.h"
#include "log.h"
#include "object.h"
#include "syscalls.h"

#define LAYER "socket calls" /* what the numbers are of */

/* From how many on a habit shows, of messages, calls; and in which share of them. */
#define ENOUGH       100
#define MOSTLY       0.9
#define BULK_BYTES   1000 /* datagrams that are larger on average carry a stream of data */
#define VERDICTS_MAX 5    /* of one kind: the ports with most messages, the sizes met most */

static struct table ports_seen;

struct port {
	uint32_t nr;
	const struct offload_port *stats;
};

struct ports {
	struct table table;
	struct port *list; /* most messages first */
	size_t cnt;
};

static uint64_t messages_of(const struct port *p)
{
	return p->stats->flow[OFFLOAD_TX].messages + p->stats->flow[OFFLOAD_RX].messages;
}

static int compare_ports(const void *a, const void *b)
{
	uint64_t left = messages_of(a), right = messages_of(b);

	return left < right ? 1 : left > right ? -1 : 0;
}

static int ports__read(struct ports *ports, const struct report *r)
{
	struct bpf_map *map = bpf_object__find_map_by_name(r->obj, "ports");
	int err = table__read(&ports->table, map, merge_u64);

	err = err ?: table__take_delta(&ports->table, &ports_seen);
	if (err)
		return err;
	ports->list = calloc(ports->table.cnt + 1, sizeof(*ports->list));
	if (!ports->list)
		return fail(-ENOMEM, "failed to list ports");
	for (size_t i = 0; i < ports->table.cnt; i++) {
		struct port *p = &ports->list[ports->cnt++];

		memcpy(&p->nr, table__key(&ports->table, i), sizeof(p->nr));
		p->stats = table__value(&ports->table, i);
	}
	qsort(ports->list, ports->cnt, sizeof(*ports->list), compare_ports);
	return 0;
}

static void ports__free(struct ports *ports)
{
	table__free(&ports->table);
	free(ports->list);
}

static struct offload_flow sum_of(const struct ports *ports, enum offload_direction direction)
{
	struct offload_flow sum = {0};

	for (size_t i = 0; i < ports->cnt; i++)
		merge_u64(&sum, &ports->list[i].stats->flow[direction], sizeof(sum));
	return sum;
}

static void say_rates(struct report *r, enum offload_direction direction,
		      const struct offload_flow *f)
{
	static const char *const names[] = {"tx", "rx"}, *const how[] = {"GSO", "GRO"};
	double seconds = r->elapsed_ns / 1e9, messages = f->messages ?: 1;

	if (r->format == REPORT_JSON) {
		report__json(r, json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "type",
					  "offload", "layer", LAYER, "direction", names[direction],
					  "calls", (json_int_t)f->calls, "messages",
					  (json_int_t)f->messages, "datagrams",
					  (json_int_t)f->datagrams, "bytes", (json_int_t)f->bytes,
					  "offloaded", (json_int_t)f->offloaded));
		return;
	}
	fprintf(r->out,
		"%s " LAYER ": %.1f messages/s, %.2f datagrams per message, %.3f MB/s, "
		"%.1f %% of messages by %s\n",
		names[direction], f->messages / seconds, f->datagrams / messages,
		f->bytes / seconds / 1e6, f->offloaded / messages * 100, how[direction]);
}

/* A port that is not told. */
#define NO_PORT 0

/* kind, port and count (of what it is about) are for programs, the text is for people. */
static __attribute__((format(printf, 5, 6))) void
verdict(struct report *r, const char *kind, uint32_t port, uint64_t count, const char *fmt, ...)
{
	char text[256];
	va_list args;
	json_t *json;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (r->format == REPORT_TEXT) {
		fprintf(r->out, "verdict: %s\n", text);
		return;
	}
	json = json_pack("{s:s, s:s, s:I, s:s}", "type", "verdict", "kind", kind, "count",
			 (json_int_t)count, "text", text);
	if (port != NO_PORT)
		json_object_set_new(json, "port", json_integer(port));
	report__json(r, json);
}

typedef bool say_fn(struct report *r, const struct port *p);

#define RATE_SIZE 64

/* "38 sends/ms", or by the second what is rarer. */
static const char *rate_text(const struct report *r, uint64_t n, const char *what,
			     char buf[RATE_SIZE])
{
	double per_ms = n / (r->elapsed_ns / 1e6);
	bool is_fast = per_ms >= 1;

	snprintf(buf, RATE_SIZE, "%.*f %s/%s", is_fast && per_ms >= 10 ? 0 : 1,
		 is_fast ? per_ms : per_ms * 1e3, what, is_fast ? "ms" : "s");
	return buf;
}

/* Small datagrams of many peers could not be put together: of these "never" would be no news. */
static bool is_in_pieces(const struct offload_flow *f)
{
	return f->messages >= ENOUGH && !f->offloaded && f->bytes / f->messages >= BULK_BYTES;
}

static bool say_gso_unused(struct report *r, const struct port *p)
{
	const struct offload_flow *f = &p->stats->flow[OFFLOAD_TX];
	char rate[RATE_SIZE];

	if (!is_in_pieces(f))
		return false;
	verdict(r, "gso-unused", p->nr, f->messages,
		"GSO is never used on port %u (%s of one datagram, %s in all)", p->nr,
		rate_text(r, f->messages, "sends", rate), GROUPED(f->messages));
	return true;
}

static bool say_gro_unused(struct report *r, const struct port *p)
{
	const struct offload_flow *f = &p->stats->flow[OFFLOAD_RX];
	char rate[RATE_SIZE];

	if (!is_in_pieces(f))
		return false;
	verdict(r, "gro-unused", p->nr, f->messages,
		"GRO is never used on port %u (%s of one datagram, %s in all): is UDP_GRO set on "
		"the socket?",
		p->nr, rate_text(r, f->messages, "receives", rate), GROUPED(f->messages));
	return true;
}

static bool say_batches_of_one(struct report *r, const struct port *p)
{
	const struct offload_flow *f = &p->stats->flow[OFFLOAD_RX];

	if (f->batches < ENOUGH || f->batches_of_one < MOSTLY * f->batches)
		return false;
	verdict(r, "recvmmsg-of-one", p->nr, f->batches_of_one,
		"recvmmsg returned 1 message in %u %% of calls on port %u (%s of %s)",
		(unsigned int)(100 * f->batches_of_one / f->batches), p->nr,
		GROUPED(f->batches_of_one), GROUPED(f->batches));
	return true;
}

static bool say_partial(struct report *r, const struct port *p)
{
	const struct offload_flow *f = &p->stats->flow[OFFLOAD_TX];

	if (!f->partial)
		return false;
	verdict(r, "sendmmsg-partial", p->nr, f->partial,
		"sendmmsg sent fewer messages than it was given in %s of %s calls on port %u",
		GROUPED(f->partial), GROUPED(f->batches), p->nr);
	return true;
}

static void say_of_ports(struct report *r, const struct ports *ports, say_fn *say)
{
	unsigned int said = 0;

	for (size_t i = 0; i < ports->cnt && said < VERDICTS_MAX; i++)
		said += say(r, &ports->list[i]);
}

/* "EMSGSIZE 3, EINVAL 9": what is told of these is that the sizes or the device do not fit. */
static void say_errors(struct report *r)
{
	static const int errors[] = {EIO, EINVAL, EMSGSIZE};
	char names[64] = "";
	uint64_t sum = 0;
	size_t used = 0;

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		uint64_t cnt = report__count(r, "gso_errors", errors[i]);

		if (!cnt)
			continue;
		used += snprintf(names + used, sizeof(names) - used, "%s%s", used ? "/" : "",
				 strerrorname_np(errors[i]));
		sum += cnt;
	}
	if (sum)
		verdict(r, "gso-errors", NO_PORT, sum, "%s on GSO sends: %s", names, GROUPED(sum));
}

struct truncated {
	uint32_t room;
	uint64_t times;
};

static int compare_truncated(const void *a, const void *b)
{
	const struct truncated *left = a, *right = b;

	if (left->times != right->times)
		return left->times < right->times ? 1 : -1;
	return left->room < right->room ? -1 : left->room > right->room;
}

static int say_truncated(struct report *r)
{
	const struct table *t = report__counts(r, "rx_truncated");
	struct truncated *list;
	size_t cnt = t ? t->cnt : 0;

	list = calloc(cnt + 1, sizeof(*list));
	if (!list)
		return fail(-ENOMEM, "failed to list truncated messages");
	for (size_t i = 0; i < cnt; i++) {
		const struct count *times = table__value(t, i);

		memcpy(&list[i].room, table__key(t, i), sizeof(list[i].room));
		list[i].times = times->n;
	}
	qsort(list, cnt, sizeof(*list), compare_truncated);
	for (size_t i = 0; i < cnt && i < VERDICTS_MAX && list[i].times; i++)
		verdict(r, "truncated", NO_PORT, list[i].times,
			"receive buffers of %s bytes truncated %s time%s (MSG_TRUNC)",
			GROUPED(list[i].room), GROUPED(list[i].times),
			list[i].times == 1 ? "" : "s");
	free(list);
	return 0;
}

static int say_verdicts(struct report *r, const struct ports *ports)
{
	int err;

	say_of_ports(r, ports, say_gso_unused);
	say_of_ports(r, ports, say_gro_unused);
	err = say_truncated(r);
	say_errors(r);
	say_of_ports(r, ports, say_batches_of_one);
	say_of_ports(r, ports, say_partial);
	return err;
}

static void say_left_out(const struct report *r)
{
	const uint64_t *n = object__variable(r->obj, "ports_left_out", sizeof(*n));

	if (r->final && n && *n)
		note("rates and verdicts are of %d ports; %llu calls on others are in the "
		     "histograms only",
		     OFFLOAD_PORTS, (unsigned long long)*n);
}

int offload_report(struct report *r, uint64_t messages[])
{
	struct ports ports = {0};
	int err = ports__read(&ports, r);

	for (int d = 0; !err && d < OFFLOAD_DIRECTIONS; d++) {
		struct offload_flow sum = sum_of(&ports, d);

		say_rates(r, d, &sum);
		messages[d] = sum.messages;
	}
	if (!err) {
		err = say_verdicts(r, &ports);
		say_left_out(r);
	}
	ports__free(&ports);
	return err;
}

void offload_report_close(void)
{
	table__free(&ports_seen);
}
