/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What --summary prints: of the maps of bpf/sslsniff.bpf.c, or of records. */
#ifndef WIRESCOPE_TLS_SUMMARY_H
#define WIRESCOPE_TLS_SUMMARY_H

#include <stddef.h>

#include "report.h"
#include "tls-output.h"

/* Histograms, then a line of rates for each direction, and one for handshakes. */
int tls_summary_report(struct report *r, tls_library_name_fn library_name);

/* Without maps: the same of what was added since the last report. -ENOMEM after a message. */
int tls_summary_add(struct report *r, const struct tls_record *record, size_t size);
int tls_summary_report_added(struct report *r, tls_library_name_fn library_name);

#endif
