// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "grouped.h"

#include <stdio.h>

const char *grouped(uint64_t n, char buf[GROUPED_SIZE])
{
	char digits[GROUPED_SIZE];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n), to = 0;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			buf[to++] = ',';
		buf[to++] = digits[i];
	}
	buf[to] = '\0';
	return buf;
}
