/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What generic-offload says below its histograms: rates, and what is wrong where that is plain. */
#ifndef WIRESCOPE_OFFLOAD_REPORT_H
#define WIRESCOPE_OFFLOAD_REPORT_H

#include <stdint.h>

#include "generic-offload.h"
#include "report.h"

/*
 * Of the time since the last report: a line for each direction, then one for each verdict that is
 * true. messages[OFFLOAD_DIRECTIONS] gets how many there were. 0 or a negative errno.
 */
int offload_report(struct report *r, uint64_t messages[]);

void offload_report_close(void);

#endif
