/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The same times by s2n-quic's probes, between the application and its socket tasks. */
#ifndef WIRESCOPE_IO_USDT_H
#define WIRESCOPE_IO_USDT_H

#include "report.h"
#include "target.h"

/* "tx-begin=PROVIDER:NAME", kept by reference. 0, or -EINVAL after a message. */
int io_usdt_rename(char *text);

/* In place of probe_set_setup() and probe_set_report(). */
int io_usdt_setup(void *skel, const struct target *target);
int io_usdt_report(void *skel, struct report *r);

#endif
