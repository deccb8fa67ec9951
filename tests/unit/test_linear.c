/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "linear.h"
#include "output.h"

#define BAR52 "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@"
#define BAR0  "                                                    "

static void print(struct output *output, const struct linear *l, const uint64_t *counts)
{
	output_begin(output, STDOUT_FILENO);
	linear__print(stdout, l, counts);
	fflush(stdout);
	output_end(output, STDOUT_FILENO);
}

/* As bpftrace 0.23.2 printed lhist(v, 0, 30, 10) and lhist(v, 0, 3072, 1024). */
static void test_text(void **state)
{
	const struct linear tens = {0, 30, 10}, kilos = {0, 3072, 1024};
	const uint64_t outside[] = {1, 1, 0, 0, 1}, inside[] = {0, 0, 2, 1, 0}, none[5] = {0};
	struct output output;

	(void)state;
	assert_int_equal(linear__rows(&tens), 5);
	print(&output, &tens, outside);
	assert_string_equal(output.text, "(..., 0)               1 |" BAR52 "|\n"
					 "[0, 10)                1 |" BAR52 "|\n"
					 "[10, 20)               0 |" BAR0 "|\n"
					 "[20, 30)               0 |" BAR0 "|\n"
					 "[30, ...)              1 |" BAR52 "|\n");
	print(&output, &kilos, inside);
	assert_string_equal(output.text, "[1K, 2K)               2 |" BAR52 "|\n"
					 "[2K, 3K)               1 |@@@@@@@@@@@@@@@@@@@@@@@@@@"
					 "                          |\n");
	print(&output, &tens, none);
	assert_string_equal(output.text, "");
	assert_int_equal(linear__count(&tens, outside), 3);
}

static void test_bounds(void **state)
{
	const struct linear all = {INT64_MIN + 1, INT64_MAX, INT64_MAX};
	const struct linear tens = {-10, 10, 10};
	int64_t min, max;
	char label[64];

	(void)state;
	assert_int_equal(linear__rows(&all), 4);
	linear__bounds(&all, 1, &min, &max);
	assert_true(min == INT64_MIN + 1 && max == -1);
	linear__bounds(&all, 3, &min, &max);
	assert_true(min == INT64_MAX && max == INT64_MAX);
	linear__bounds(&tens, 0, &min, &max);
	assert_true(min == INT64_MIN && max == -11);
	linear__bounds(&tens, 2, &min, &max);
	assert_true(min == 0 && max == 9);
	linear__label(&tens, 1, label, sizeof(label));
	assert_string_equal(label, "[-10, 0)");
	linear__label(&all, 0, label, sizeof(label));
	assert_string_equal(label, "(..., -9223372036854775807)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
