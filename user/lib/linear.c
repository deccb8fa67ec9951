// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "linear.h"

#include "histogram.h"

size_t linear__rows(const struct linear *l)
{
	return ((uint64_t)l->max - (uint64_t)l->min) / (uint64_t)l->step + 2;
}

/* As bpftrace does since 0.21: K and M only where each bound is a multiple of 1024. */
static void number_label(const struct linear *l, int64_t number, char *buf, size_t size)
{
	long long n = number;

	if (l->step % 1024 || n == 0)
		snprintf(buf, size, "%lld", n);
	else if (n % (1024 * 1024) == 0)
		snprintf(buf, size, "%lldM", n / (1024 * 1024));
	else if (n % 1024 == 0)
		snprintf(buf, size, "%lldK", n / 1024);
	else
		snprintf(buf, size, "%lld", n);
}

/* In unsigned arithmetic, where it is defined that it wraps. */
static int64_t row_start(const struct linear *l, size_t row)
{
	return (int64_t)((uint64_t)l->min + (row - 1) * (uint64_t)l->step);
}

void linear__bounds(const struct linear *l, size_t row, int64_t *min, int64_t *max)
{
	size_t last = linear__rows(l) - 1;

	*min = row ? row_start(l, row) : INT64_MIN;
	*max = row < last ? row_start(l, row + 1) - 1 : INT64_MAX;
}

void linear__label(const struct linear *l, size_t row, char *buf, size_t size)
{
	char low[32], high[32];

	number_label(l, row ? row_start(l, row) : l->min, low, sizeof(low));
	number_label(l, row_start(l, row + 1), high, sizeof(high));
	if (!row)
		snprintf(buf, size, "(..., %s)", low);
	else if (row + 1 == linear__rows(l))
		snprintf(buf, size, "[%s, ...)", low);
	else
		snprintf(buf, size, "[%s, %s)", low, high);
}

uint64_t linear__count(const struct linear *l, const uint64_t *counts)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < linear__rows(l); i++)
		sum += counts[i];
	return sum;
}

void linear__print(FILE *out, const struct linear *l, const uint64_t *counts)
{
	size_t rows = linear__rows(l), first = rows, last = 0;
	uint64_t max = 0;

	for (size_t i = 0; i < rows; i++) {
		if (!counts[i])
			continue;
		if (first == rows)
			first = i;
		last = i;
		if (counts[i] > max)
			max = counts[i];
	}
	for (size_t i = first; i <= last; i++) {
		char label[64];

		linear__label(l, i, label, sizeof(label));
		histogram_print_row(out, label, counts[i], max);
	}
}
