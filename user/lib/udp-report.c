// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "udp-report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "histogram.h"

struct rates {
	double calls_per_s;
	double messages_per_call;
	double bytes_per_s;
	double eagain_share;
	uint64_t calls;
};

static struct rates make_rates(const struct report *r, const char *direction)
{
	static const char *const parts[] = {"arg_counts", "ret_counts", "bytes"};
	double seconds = r->elapsed_ns / 1e9;
	struct hist h[3];
	struct rates rates;
	uint64_t ok, again;
	char name[64];

	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s_%s", direction, parts[i]);
		h[i] = report__total(r, name);
	}
	snprintf(name, sizeof(name), "%s_errors", direction);
	again = report__count(r, name, EAGAIN);
	ok = histogram_count(&h[1]);
	rates.calls = histogram_count(&h[0]);
	rates.calls_per_s = rates.calls / seconds;
	rates.messages_per_call = ok ? (double)h[1].sum / ok : 0;
	rates.bytes_per_s = h[2].sum / seconds;
	rates.eagain_share = rates.calls ? (double)again / rates.calls : 0;
	return rates;
}

uint64_t udp_report_rates(struct report *r, const char *direction, bool with_bytes)
{
	struct rates rates = make_rates(r, direction);

	if (r->format == REPORT_JSON) {
		report__json(r, json_pack("{s:s, s:s, s:I, s:f, s:f, s:f, s:f}", "type", "rates",
					  "direction", direction, "calls", (json_int_t)rates.calls,
					  "calls_per_s", rates.calls_per_s, "messages_per_call",
					  rates.messages_per_call, "bytes_per_s", rates.bytes_per_s,
					  "eagain_share", rates.eagain_share));
		return rates.calls;
	}
	fprintf(r->out, "%s: %.1f calls/s, %.2f messages per call", direction, rates.calls_per_s,
		rates.messages_per_call);
	if (with_bytes)
		fprintf(r->out, ", %.3f MB/s", rates.bytes_per_s / 1e6);
	fprintf(r->out, ", %.1f %% of calls returned EAGAIN\n", rates.eagain_share * 100);
	return rates.calls;
}

int udp_report_running(struct report *r)
{
	struct in_flight *calls;
	uint64_t oldest_ns = 0;
	size_t cnt;
	int err = report__in_flight(r, &calls, &cnt);

	for (size_t i = 0; !err && i < cnt; i++)
		oldest_ns = calls[i].age_ns > oldest_ns ? calls[i].age_ns : oldest_ns;
	free(calls);
	if (err || !cnt)
		return err;
	if (r->format == REPORT_JSON)
		report__json(r, json_pack("{s:s, s:I, s:I}", "type", "running", "calls",
					  (json_int_t)cnt, "oldest_ns", (json_int_t)oldest_ns));
	else
		fprintf(r->out, "still running: %zu calls, the oldest for %.3f s\n", cnt,
			oldest_ns / 1e9);
	return 0;
}
