/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "histogram.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum {
	SLOT_NEGATIVE,
	SLOT_ZERO,
	SLOT_POWERS, /* slot of 2^0; each later slot is the next power of two */
};

static const char full_bar[] = "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@";
#define BAR_WIDTH ((int)sizeof(full_bar) - 1)

unsigned int histogram_slot(int64_t value)
{
	if (value < 0)
		return SLOT_NEGATIVE;
	if (value == 0)
		return SLOT_ZERO;
	return SLOT_POWERS + 63 - __builtin_clzll(value);
}

void histogram_bounds(unsigned int slot, int64_t *min, int64_t *max)
{
	if (slot == SLOT_NEGATIVE) {
		*min = INT64_MIN;
		*max = -1;
		return;
	}
	if (slot == SLOT_ZERO) {
		*min = 0;
		*max = 0;
		return;
	}
	*min = INT64_C(1) << (slot - SLOT_POWERS);
	/* Not 2 * min - 1: that overflows in the last slot. */
	*max = *min + (*min - 1);
}

void histogram_label(unsigned int slot, char *buf, size_t size)
{
	static const char *const plain[] = {"(..., 0)", "[0]", "[1]"};
	static const char *const suffixes[] = {"", "K", "M", "G", "T", "P", "E"};
	unsigned int low, high;

	if (slot < ARRAY_SIZE(plain)) {
		snprintf(buf, size, "%s", plain[slot]);
		return;
	}
	low = slot - SLOT_POWERS;
	high = low + 1;
	snprintf(buf, size, "[%u%s, %u%s)", 1U << low % 10, suffixes[low / 10], 1U << high % 10,
		 suffixes[high / 10]);
}

uint64_t histogram_count(const struct hist *h)
{
	uint64_t count = 0;

	for (unsigned int i = 0; i < HIST_SLOTS; i++)
		count += h->slots[i];
	return count;
}

/* Sums wrap, as they do on the BPF side; in unsigned arithmetic, where that is defined. */
void histogram_add(struct hist *to, const struct hist *what)
{
	to->sum = (__s64)((__u64)to->sum + (__u64)what->sum);
	for (unsigned int i = 0; i < HIST_SLOTS; i++)
		to->slots[i] += what->slots[i];
}

/*
 * Single precision because bpftrace computes so: exact arithmetic gives another length for
 * some large counts.
 */
static int bar_length(__u64 count, __u64 max)
{
	return (int)((float)count / (float)max * (float)BAR_WIDTH);
}

void histogram_print_row(FILE *out, const char *label, uint64_t count, uint64_t max)
{
	fprintf(out, "%-16s%8llu |%-*.*s|\n", label, (unsigned long long)count, BAR_WIDTH,
		bar_length(count, max), full_bar);
}

void histogram_print(FILE *out, const struct hist *h)
{
	unsigned int first = HIST_SLOTS, last = 0;
	__u64 max = 0;

	for (unsigned int i = 0; i < HIST_SLOTS; i++) {
		if (!h->slots[i])
			continue;
		if (first == HIST_SLOTS)
			first = i;
		last = i;
		if (h->slots[i] > max)
			max = h->slots[i];
	}
	for (unsigned int i = first; i <= last; i++) {
		char label[32];

		histogram_label(i, label, sizeof(label));
		histogram_print_row(out, label, h->slots[i], max);
	}
}
