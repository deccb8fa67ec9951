/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <glob.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "histogram.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define GOLDEN_MIN 40

#define BAR_26 "@@@@@@@@@@@@@@@@@@@@@@@@@@"
#define BAR_51 BAR_26 "@@@@@@@@@@@@@@@@@@@@@@@@@"
#define BAR_52 BAR_26 BAR_26
#define BLANKS "                                                    "

static char *print_to_string(const struct hist *h)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	histogram_print(out, h);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void assert_prints(const struct hist *h, const char *expected)
{
	char *text = print_to_string(h);

	assert_string_equal(text, expected);
	free(text);
}

static void read_golden_input(const char *path, struct hist *h)
{
	FILE *in = fopen(path, "r");
	int64_t value;
	uint64_t count;
	int n;

	assert_non_null(in);
	while ((n = fscanf(in, "%" SCNd64 " %" SCNu64, &value, &count)) == 2)
		h->slots[histogram_slot(value)] += count;
	assert_int_equal(n, EOF);
	fclose(in);
}

/* Returns the rows: without the name line, which must be there, and the final empty line. */
static char *read_golden_output(const char *path)
{
	static char text[16384];
	FILE *in = fopen(path, "r");
	size_t len;
	char *rows;

	assert_non_null(in);
	len = fread(text, 1, sizeof(text) - 1, in);
	assert_true(feof(in));
	fclose(in);
	text[len] = '\0';
	if (len >= 2 && !strcmp(text + len - 2, "\n\n"))
		text[len - 1] = '\0';

	rows = strstr(text, ":\n");
	assert_int_equal(text[0], '@');
	assert_non_null(rows);
	return rows + 2;
}

static void test_golden(void **state)
{
	glob_t found;

	(void)state;
	assert_int_equal(glob("tests/golden/hist/*.in", 0, NULL, &found), 0);
	assert_true(found.gl_pathc >= GOLDEN_MIN);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *path = found.gl_pathv[i];
		int stem = (int)(strrchr(path, '.') - path);
		struct hist h = {0};
		char output[256];

		read_golden_input(path, &h);
		assert_true(histogram_count(&h) > 0);
		snprintf(output, sizeof(output), "%.*s.out", stem, path);
		assert_prints(&h, read_golden_output(output));
	}
	globfree(&found);
}

struct sample {
	int64_t value;
	uint64_t count;
};

struct print_case {
	struct sample samples[4]; /* those with a count of 0 change nothing */
	const char *rows;
};

static const struct print_case print_cases[] = {
	{{{0, 0}}, ""},
	{{{-1, 3}}, "(..., 0)               3 |" BAR_52 "|\n"},
	{{{INT64_MIN, 1}}, "(..., 0)               1 |" BAR_52 "|\n"},
	{{{0, 7}}, "[0]                    7 |" BAR_52 "|\n"},
	{{{1, 1}}, "[1]                    1 |" BAR_52 "|\n"},
	/* gap, equal counts */
	{{{1, 2}, {8, 2}},
	 "[1]                    2 |" BAR_52 "|\n"
	 "[2, 4)                 0 |" BLANKS "|\n"
	 "[4, 8)                 0 |" BLANKS "|\n"
	 "[8, 16)                2 |" BAR_52 "|\n"},
	{{{-5, 4}, {1, 4}},
	 "(..., 0)               4 |" BAR_52 "|\n"
	 "[0]                    0 |" BLANKS "|\n"
	 "[1]                    4 |" BAR_52 "|\n"},
	/* nearly full, nearly empty */
	{{{2, 52}, {4, 51}},
	 "[2, 4)                52 |" BAR_52 "|\n"
	 "[4, 8)                51 |" BAR_51 " |\n"},
	{{{1, 1}, {2, 53}, {4, 52}},
	 "[1]                    1 |" BLANKS "|\n"
	 "[2, 4)                53 |" BAR_52 "|\n"
	 "[4, 8)                52 |" BAR_51 " |\n"},
	{{{1, 1}, {2, 52}, {4, 26}},
	 "[1]                    1 |@                                                   |\n"
	 "[2, 4)                52 |" BAR_52 "|\n"
	 "[4, 8)                26 |" BAR_26 "                          |\n"},
	/* wide counts push right */
	{{{1, 99999999}, {2, 100000000}},
	 "[1]             99999999 |" BAR_52 "|\n"
	 "[2, 4)          100000000 |" BAR_52 "|\n"},
	{{{512, UINT64_MAX}}, "[512, 1K)       18446744073709551615 |" BAR_52 "|\n"},
	/* single precision: exact arithmetic would give 51 and 40 */
	{{{1, 16777217}, {2, 16777216}},
	 "[1]             16777217 |" BAR_52 "|\n"
	 "[2, 4)          16777216 |" BAR_52 "|\n"},
	{{{1, 12548160}, {2, 9893741}},
	 "[1]             12548160 |" BAR_52 "|\n"
	 "[2, 4)           9893741 |" BAR_26 "@@@@@@@@@@@@@@@           |\n"},
	/* suffixes and large values */
	{{{512, 1}, {1024, 1}},
	 "[512, 1K)              1 |" BAR_52 "|\n"
	 "[1K, 2K)               1 |" BAR_52 "|\n"},
	{{{524288, 1}, {1048576, 1}},
	 "[512K, 1M)             1 |" BAR_52 "|\n"
	 "[1M, 2M)               1 |" BAR_52 "|\n"},
	{{{536870912, 1}, {1073741824, 1}},
	 "[512M, 1G)             1 |" BAR_52 "|\n"
	 "[1G, 2G)               1 |" BAR_52 "|\n"},
	{{{549755813888, 1}, {1099511627776, 1}},
	 "[512G, 1T)             1 |" BAR_52 "|\n"
	 "[1T, 2T)               1 |" BAR_52 "|\n"},
	{{{INT32_MAX, 1}}, "[1G, 2G)               1 |" BAR_52 "|\n"},
	{{{INT64_C(1) << 32, 1}}, "[4G, 8G)               1 |" BAR_52 "|\n"},
	{{{INT64_C(1) << 40, 1}}, "[1T, 2T)               1 |" BAR_52 "|\n"},
	{{{INT64_C(1) << 62, 1}}, "[4E, 8E)               1 |" BAR_52 "|\n"},
	{{{INT64_MAX, 1}}, "[4E, 8E)               1 |" BAR_52 "|\n"},
};

static void test_print(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(print_cases); i++) {
		const struct print_case *c = &print_cases[i];
		struct hist h = {0};

		for (size_t j = 0; j < ARRAY_SIZE(c->samples); j++)
			h.slots[histogram_slot(c->samples[j].value)] += c->samples[j].count;
		assert_prints(&h, c->rows);
	}
}

/* All rows at once: the first and the last slot, and none left out. */
static void test_print_every_slot(void **state)
{
	struct hist h = {0};
	size_t lines = 0;
	char *text;

	(void)state;
	h.slots[0] = 1;
	h.slots[HIST_SLOTS - 1] = 1;
	text = print_to_string(&h);
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, HIST_SLOTS);
	assert_non_null(strstr(text, "(..., 0)               1 |"));
	assert_non_null(strstr(text, "\n[4E, 8E)               1 |"));
	free(text);
}

static void test_slot(void **state)
{
	static const struct {
		int64_t value;
		unsigned int slot;
	} cases[] = {
		{INT64_MIN, 0},
		{-1, 0},
		{0, 1},
		{1, 2},
		{2, 3},
		{3, 3},
		{4, 4},
		{1023, 11},
		{1024, 12},
		{INT32_MAX, 32},
		{INT64_C(1) << 31, 33},
		{(INT64_C(1) << 32) - 1, 33},
		{INT64_C(1) << 32, 34},
		{INT64_C(1) << 40, 42},
		{(INT64_C(1) << 62) - 1, 63},
		{INT64_C(1) << 62, 64},
		{INT64_MAX, 64},
		{(int64_t)UINT64_MAX, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(histogram_slot(cases[i].value), cases[i].slot);
}

static void test_bounds(void **state)
{
	int64_t min, max, previous;

	(void)state;
	histogram_bounds(0, &min, &previous);
	assert_true(min == INT64_MIN);
	assert_true(previous == -1);
	for (unsigned int slot = 1; slot < HIST_SLOTS; slot++) {
		histogram_bounds(slot, &min, &max);
		assert_true(min == previous + 1);
		assert_true(max >= min);
		assert_int_equal(histogram_slot(min), slot);
		assert_int_equal(histogram_slot(max), slot);
		previous = max;
	}
	assert_true(previous == INT64_MAX);
}

static void test_label(void **state)
{
	static const struct {
		unsigned int slot;
		const char *label;
	} cases[] = {
		{0, "(..., 0)"},      {1, "[0]"},         {2, "[1]"},         {3, "[2, 4)"},
		{10, "[256, 512)"},   {11, "[512, 1K)"},  {12, "[1K, 2K)"},   {20, "[256K, 512K)"},
		{21, "[512K, 1M)"},   {22, "[1M, 2M)"},   {31, "[512M, 1G)"}, {32, "[1G, 2G)"},
		{41, "[512G, 1T)"},   {42, "[1T, 2T)"},   {51, "[512T, 1P)"}, {52, "[1P, 2P)"},
		{60, "[256P, 512P)"}, {61, "[512P, 1E)"}, {62, "[1E, 2E)"},   {64, "[4E, 8E)"},
	};
	char label[32];
	char cut[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		histogram_label(cases[i].slot, label, sizeof(label));
		assert_string_equal(label, cases[i].label);
	}
	histogram_label(3, cut, sizeof(cut));
	assert_string_equal(cut, "[2,");
}

static void test_count(void **state)
{
	struct hist h = {.sum = -9};

	(void)state;
	assert_true(histogram_count(&h) == 0);
	h.slots[0] = 1;
	h.slots[7] = UINT64_C(1) << 40;
	h.slots[HIST_SLOTS - 1] = 2;
	assert_true(histogram_count(&h) == (UINT64_C(1) << 40) + 3);
}

static void test_add(void **state)
{
	struct hist to = {.sum = -7}, what = {.sum = 10};

	(void)state;
	to.slots[0] = 1;
	to.slots[5] = 2;
	what.slots[0] = 6;
	what.slots[5] = 3;
	what.slots[HIST_SLOTS - 1] = 4;
	histogram_add(&to, &what);
	assert_true(to.sum == 3);
	assert_int_equal(to.slots[0], 7);
	assert_int_equal(to.slots[5], 5);
	assert_int_equal(to.slots[HIST_SLOTS - 1], 4);
	assert_true(histogram_count(&to) == 16);
	assert_int_equal(what.slots[5], 3);

	to.sum = INT64_MAX;
	what.sum = 1;
	histogram_add(&to, &what);
	assert_true(to.sum == INT64_MIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_print_every_slot),
		cmocka_unit_test(test_slot),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_label),
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_add),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
