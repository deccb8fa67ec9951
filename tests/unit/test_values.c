/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "values.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static void test_unsigned(void **state)
{
	static const char *const bad[] = {
		"", " 5", "+5", "-5", "5 ", "0x5", "1", "11", "99999999999999999999", "5.0",
	};
	unsigned long value;

	(void)state;
	assert_int_equal(parse_unsigned("2", 2, 10, &value), 0);
	assert_int_equal(value, 2);
	assert_int_equal(parse_unsigned("010", 2, 10, &value), 0);
	assert_int_equal(value, 10);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse_unsigned(bad[i], 2, 10, &value), -EINVAL);
}

static void test_pids(void **state)
{
	static const char *const bad[] = {
		"", ",", "0", "-1", "+1", " 1", "1 ", "1;2", "2147483648", "99999999999999999999",
	};
	const char *rest;
	pid_t pid;

	(void)state;
	assert_int_equal(parse_pid("2147483647,7", &pid, &rest), 0);
	assert_int_equal(pid, INT_MAX);
	assert_string_equal(rest, "7");
	assert_int_equal(parse_pid(rest, &pid, &rest), 0);
	assert_int_equal(pid, 7);
	assert_null(rest);
	/* The comma promises another one. */
	assert_int_equal(parse_pid("8,", &pid, &rest), 0);
	assert_string_equal(rest, "");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse_pid(bad[i], &pid, &rest), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unsigned),
		cmocka_unit_test(test_pids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
