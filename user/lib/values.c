// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "values.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *name;
	uint64_t factor;
};

static int parse(const char *text, const struct unit *units, size_t cnt, uint64_t min,
		 uint64_t *value)
{
	char *end;
	double number = strtod(text, &end);

	/* strtod() knows blanks, signs, exponents, "inf" and "0x" as well. */
	if (end == text || strspn(text, "0123456789.") != (size_t)(end - text))
		return -EINVAL;
	for (size_t i = 0; i < cnt; i++) {
		double total = number * units[i].factor + 0.5;

		if (strcmp(end, units[i].name))
			continue;
		if (!(total >= min && total < 9e18))
			return -EINVAL;
		*value = total;
		return 0;
	}
	return -EINVAL;
}

int parse_duration(const char *text, uint64_t *ns)
{
	static const struct unit units[] = {
		{"", 1000000000}, {"s", 1000000000},  {"ms", 1000000},
		{"us", 1000},     {"m", 60000000000}, {"h", 3600000000000},
	};

	return parse(text, units, sizeof(units) / sizeof(units[0]), 1000, ns);
}

int parse_size(const char *text, uint64_t *bytes)
{
	static const struct unit units[] = {
		{"", 1}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}};

	return parse(text, units, sizeof(units) / sizeof(units[0]), 1, bytes);
}

int parse_unsigned(const char *text, unsigned long min, unsigned long max, unsigned long *value)
{
	char *end;

	errno = 0;
	*value = strtoul(text, &end, 10);
	/* strtoul() knows blanks and signs as well. */
	if (errno || !isdigit((unsigned char)*text) || *end)
		return -EINVAL;
	return *value < min || *value > max ? -EINVAL : 0;
}

int parse_pid(const char *list, pid_t *pid, const char **rest)
{
	char *end;
	long number;

	if (!isdigit((unsigned char)*list))
		return -EINVAL;
	number = strtol(list, &end, 10);
	if (number <= 0 || number > INT_MAX || (*end && *end != ','))
		return -EINVAL;
	*pid = number;
	*rest = *end ? end + 1 : NULL;
	return 0;
}
