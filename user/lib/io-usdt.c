// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "io-usdt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "probe-set.h"
#include "usdt.h"

#define PREFIX "s2n_quic_platform__socket__"

enum { TX_BEGIN, TX_END, RX_BEGIN, RX_END, PROBES };

/* s2n-quic's names (pull request 1866 of 2023); --probe overrides. */
static struct usdt_name probes[PROBES] = {
	[TX_BEGIN] = {"tx-begin", "s2n_quic", PREFIX "io__tx__write"},
	[TX_END] = {"tx-end", "s2n_quic", PREFIX "task__tx__finish"},
	[RX_BEGIN] = {"rx-begin", "s2n_quic", PREFIX "task__rx__finish"},
	[RX_END] = {"rx-end", "s2n_quic", PREFIX "io__rx__finish_read"},
};

int io_usdt_rename(char *text)
{
	return usdt_rename(probes, PROBES, text);
}

/* A message is known by its channel and its index there, the first arguments of all probes. */
static int add_pair(const char *result, const struct usdt_name *begin, bool first_segment)
{
	struct probe_spec spec = {
		.name = result,
		.is_latency = true,
		.optional = true,
		.unit = "ns",
		.places_cnt = 2,
		.matches = {{.kind = TERM_ARG, .arg = 0, .text = "arg0"},
			    {.kind = TERM_ARG, .arg = 1, .text = "arg1"}},
		.matches_cnt = 2,
		.filters = {{.term = {.kind = TERM_ARG, .arg = 2, .text = "arg2"}}},
		.filters_cnt = first_segment,
	};

	for (int i = 0; i < 2; i++)
		spec.place[i] = (struct probe_place){
			.source = PROBE_USDT,
			.group = begin[i].provider,
			.name = begin[i].name,
		};
	return probe_set_add(&spec);
}

int io_usdt_setup(void *skel, const struct target *target)
{
	int err = add_pair("rx_latencies", &probes[RX_BEGIN], false);

	err = err ?: add_pair("tx_latencies", &probes[TX_BEGIN], true);
	return err ?: probe_set_setup(skel, target);
}

/* The script's text has an empty line between its results, for a map that it has cleared. */
static void print_parted(FILE *out, const char *text)
{
	const char *tx = strstr(text, "@tx_latencies");
	size_t len = tx ? (size_t)(tx - text) : strlen(text);

	fprintf(out, "%.*s\n%s", (int)len, text, text + len);
}

int io_usdt_report(void *skel, struct report *r)
{
	FILE *out = r->out;
	char *text = NULL;
	size_t size = 0;
	int err;

	if (r->format != REPORT_TEXT)
		return probe_set_report(skel, r);
	r->out = open_memstream(&text, &size);
	if (!r->out) {
		r->out = out;
		return fail(-errno, "failed to prepare the report");
	}
	err = probe_set_report(skel, r);
	fclose(r->out);
	r->out = out;
	print_parted(out, text);
	free(text);
	return err;
}
