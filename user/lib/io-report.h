/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the histograms of io-latencies do not show, by the sums of its BPF program. */
#ifndef WIRESCOPE_IO_REPORT_H
#define WIRESCOPE_IO_REPORT_H

#include <stdbool.h>

#include "report.h"

/* At the end of a run: a note for each sum above 0, as JSON a line of all. 0 or an error. */
int io_report_unseen(struct report *r, bool stages);

#endif
