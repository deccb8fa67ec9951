/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "grouped.h"

static void test_groups_of_three(void **state)
{
	static const struct {
		uint64_t n;
		const char *text;
	} cases[] = {
		{0, "0"},
		{12, "12"},
		{999, "999"},
		{1000, "1,000"},
		{1204, "1,204"},
		{65535, "65,535"},
		{123456, "123,456"},
		{1000000, "1,000,000"},
		{UINT64_MAX, "18,446,744,073,709,551,615"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(GROUPED(cases[i].n), cases[i].text);
}

static void test_two_in_one_call(void **state)
{
	const char *texts[] = {GROUPED(1000), GROUPED(2000)};

	(void)state;
	assert_string_equal(texts[0], "1,000");
	assert_string_equal(texts[1], "2,000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_groups_of_three),
		cmocka_unit_test(test_two_in_one_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
