/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Lines below the histograms of UDP calls. */
#ifndef WIRESCOPE_UDP_REPORT_H
#define WIRESCOPE_UDP_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "report.h"

/*
 * Print the rates of a direction ("rx", "tx") from its results in this report: arg_counts,
 * ret_counts, bytes, errors. Returns its calls.
 */
uint64_t udp_report_rates(struct report *r, const char *direction, bool with_bytes);

/* Say how many calls still run, and for how long, if any does. 0 or a negative errno. */
int udp_report_running(struct report *r);

#endif
