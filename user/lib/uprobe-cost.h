/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What probes cost on this machine: measured, with an empty program, on functions of our own. */
#ifndef WIRESCOPE_UPROBE_COST_H
#define WIRESCOPE_UPROBE_COST_H

#include <stdint.h>

struct uprobe_costs {
	uint32_t emulated_ns; /* on an instruction that the kernel emulates */
	uint32_t stepped_ns;  /* on one that it single-steps */
	uint32_t return_ns;   /* a return probe, of a function that begins with the former */
};

/* Takes a quarter of a second. 0, or a negative error without a message. */
int uprobe_calibrate(struct uprobe_costs *costs);

/* For --doctor: a line on stdout. */
void uprobe_print_costs(void);

#endif
