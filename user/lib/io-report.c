// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "io-report.h"

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "histogram.h"
#include "io-latencies.h"
#include "log.h"

/* What a user is told; each is derived from the program's sums. */
enum unseen {
	UNSEEN_RX,
	UNSEEN_STAGES,
	UNSEEN_TX,
	UNSEEN_OUTSIDE,
	UNSEEN_LATER,
	UNSEEN_SEGMENTED,
	UNSEEN_KINDS,
};

static const struct {
	const char *name; /* in JSON */
	const char *text;
} kinds[UNSEEN_KINDS] = {
	[UNSEEN_RX] = {"rx_untimed",
		       "datagrams were read whose arrival is not known: they came before the run, "
		       "several threads read one socket at once, or the clock was set"},
	[UNSEEN_STAGES] = {"rx_unstaged",
			   "datagrams are in @rx_latencies only: when they came into "
			   "their queue was not seen"},
	[UNSEEN_TX] = {"tx_not_sent", "packets were queued, and not seen to reach a driver"},
	[UNSEEN_OUTSIDE] = {"tx_outside",
			    "packets were sent in no call that was seen, and are not in "
			    "@tx_latencies: by io_uring, in calls that had begun before the "
			    "run, or try --rw, --compat"},
	[UNSEEN_LATER] = {"tx_later", "messages were sent of which no packet was queued in their "
				      "call: it waits for more (MSG_MORE) or for an address (ARP)"},
	[UNSEEN_SEGMENTED] = {"tx_segmented", "packets were cut into segments in front of their "
					      "driver: there the time ends"},
};

static int read_sums(const struct report *r, uint64_t sums[IO_COUNTS])
{
	struct bpf_map *map = bpf_object__find_map_by_name(r->obj, "io_counts");
	int cpus = libbpf_num_possible_cpus();

	for (uint32_t i = 0; i < IO_COUNTS; i++) {
		uint64_t values[cpus];

		if (bpf_map_lookup_elem(bpf_map__fd(map), &i, values))
			return fail(-errno, "failed to read what was not seen");
		sums[i] = 0;
		for (int cpu = 0; cpu < cpus; cpu++)
			sums[i] += values[cpu];
	}
	return 0;
}

/* Of the whole run, where report__total() is of an interval. */
static uint64_t samples(const struct report *r, const char *name)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < r->results_cnt; i++) {
		if (strcmp(r->results[i].name, name))
			continue;
		for (size_t row = 0; row < r->seen[i].cnt; row++)
			sum += histogram_count(table__value(&r->seen[i], row));
	}
	return sum;
}

static uint64_t minus(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static void derive(const struct report *r, bool stages, const uint64_t sums[IO_COUNTS],
		   uint64_t unseen[UNSEEN_KINDS])
{
	uint64_t sent = samples(r, "tx_latencies") + sums[IO_TX_DROPPED];

	unseen[UNSEEN_RX] = minus(sums[IO_RX_UNTIMED], sums[IO_RX_LATE]);
	unseen[UNSEEN_STAGES] = stages ? sums[IO_RX_UNSTAGED] + sums[IO_RX_LATE] : 0;
	unseen[UNSEEN_TX] = minus(sums[IO_TX_PACKETS], sent);
	unseen[UNSEEN_OUTSIDE] = sums[IO_TX_OUTSIDE];
	unseen[UNSEEN_LATER] = sums[IO_TX_LATER];
	unseen[UNSEEN_SEGMENTED] = sums[IO_TX_SEGMENTED];
}

int io_report_unseen(struct report *r, bool stages)
{
	uint64_t sums[IO_COUNTS], unseen[UNSEEN_KINDS], any = 0;
	json_t *line;
	int err = read_sums(r, sums);

	if (err)
		return err;
	derive(r, stages, sums, unseen);
	for (int i = 0; i < UNSEEN_KINDS; i++) {
		any += unseen[i];
		if (unseen[i])
			note("%llu %s", (unsigned long long)unseen[i], kinds[i].text);
	}
	if (!any && !r->events)
		report__say_idle(r);
	if (r->format != REPORT_JSON)
		return 0;
	line = json_pack("{s:s}", "type", "unseen");
	for (int i = 0; i < UNSEEN_KINDS; i++)
		json_object_set_new(line, kinds[i].name, json_integer(unseen[i]));
	report__json(r, line);
	return 0;
}
