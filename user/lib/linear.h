/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The text form of histograms with rows of equal width, as bpftrace's lhist() prints them. */
#ifndef WIRESCOPE_LINEAR_H
#define WIRESCOPE_LINEAR_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "probe-point.h"

/* How many rows: below min, from min to max, max and above. */
size_t linear__rows(const struct linear *l);

/* Label of a row, "(..., 0)", "[10, 20)", "[100, ...)"; size >= 64 holds each of them. */
void linear__label(const struct linear *l, size_t row, char *buf, size_t size);

/* Bounds of a row, both inclusive; the first has no lower one, the last no upper one. */
void linear__bounds(const struct linear *l, size_t row, int64_t *min, int64_t *max);

uint64_t linear__count(const struct linear *l, const uint64_t *counts);

/* The rows from the first to the last that is not empty, one line each. */
void linear__print(FILE *out, const struct linear *l, const uint64_t *counts);

#endif
