/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the results of a tool leave out because it went by io_uring (bpf/lib/uring.bpf.h). */
#ifndef WIRESCOPE_URING_REPORT_H
#define WIRESCOPE_URING_REPORT_H

#include <bpf/libbpf.h>

#include "report.h"

/*
 * Before loading: switch on the programs that fit this kernel's io_uring, and tell them where its
 * fields are. 0 or a negative errno; that io_uring cannot be read is none, but said by verbose().
 */
int uring_report_setup(struct bpf_object *obj);

/*
 * Below the results, if there is something to say. messages: how many datagrams the results of
 * this report stand for. Returns how many went by io_uring, as far as that is sure. Failed ones
 * are results of their own: uring_tx_errors, uring_rx_errors.
 */
uint64_t uring_report(struct report *r, uint64_t messages);

#endif
