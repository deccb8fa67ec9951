/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The text form of log2 histograms, byte for byte as bpftrace's hist() prints them
 * (bpftrace 0.23.2; the rules were checked by running it, see tests/golden/hist).
 */
#ifndef WIRESCOPE_HISTOGRAM_H
#define WIRESCOPE_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "hist.h"

/* Slot of a value; the same function as the BPF side's hist_slot(). */
unsigned int histogram_slot(int64_t value);

/* Bounds of a slot, both inclusive; slot 0 has no lower bound (min is INT64_MIN). */
void histogram_bounds(unsigned int slot, int64_t *min, int64_t *max);

/* Label of a slot, "(..., 0)", "[0]", "[512, 1K)"; size >= 32 holds each of them. */
void histogram_label(unsigned int slot, char *buf, size_t size);

uint64_t histogram_count(const struct hist *h);
void histogram_add(struct hist *to, const struct hist *what);

/* One line, with a bar of count's part of max. */
void histogram_print_row(FILE *out, const char *label, uint64_t count, uint64_t max);

/*
 * Print the rows from the first to the last slot that is not empty, one line each; nothing
 * if all are empty. No title and no empty line: these belong to the caller.
 */
void histogram_print(FILE *out, const struct hist *h);

#endif
