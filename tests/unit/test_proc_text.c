/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Texts that no kernel writes; those that it does are in test_process.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "proc-text.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static void test_status(void **state)
{
	struct proc_status status;

	(void)state;
	proc_parse_status("Name:\tTgid:\t9\nState:\tZ (zombie)\nTgid:\t7\nThreads:\t2\n", &status);
	assert_int_equal(status.state, 'Z');
	assert_int_equal(status.tgid, 7);
	assert_int_equal(status.threads, 2);
	proc_parse_status("State:\nTgid:\t-1\nThreads:\t4294967297", &status);
	assert_int_equal(status.tgid, 0);
	assert_int_equal(status.threads, 0);
	proc_parse_status("", &status);
	assert_int_equal(status.state, 0);
}

static void test_stat(void **state)
{
	static const char *const bad[] = {"", ")", "7 (a) S", "7 (a) S 1 2 3 4 5 x", "7 (a S 1"};
	struct proc_stat stat;

	(void)state;
	assert_int_equal(proc_parse_stat("7 (a) S 1) S 3 0 0 0 -1 64 0", &stat), 0);
	assert_int_equal(stat.parent, 3);
	assert_int_equal(stat.flags, 64);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(proc_parse_stat(bad[i], &stat), -EPROTO);
}

static void check_comm(const char *text, size_t len, const char *expected)
{
	/* Exactly so long, for the sanitizer. */
	char *copy = calloc(1, len), comm[16];

	if (len)
		memcpy(copy, text, len);
	proc_parse_comm(copy, len, comm, sizeof(comm));
	assert_string_equal(comm, expected);
	free(copy);
}

static void test_comm(void **state)
{
	(void)state;
	check_comm("", 0, "?");
	check_comm("\n", 1, "");
	check_comm("a\n\n", 3, "a\n");
	check_comm("kworker/u8:3-events_unbound\n", 28, "kworker/u8:3-ev");
	check_comm("abc", 3, "abc");
}

static void test_numbers(void **state)
{
	(void)state;
	assert_int_equal(proc_parse_syscall("202 0x7f"), 202);
	assert_int_equal(proc_parse_syscall("running"), -EAGAIN);
	assert_int_equal(proc_parse_syscall("-1 0x7f 0x55"), -EAGAIN);
	assert_int_equal(proc_parse_syscall(""), -EAGAIN);
	assert_int_equal(proc_parse_pid("4194304"), 4194304);
	assert_int_equal(proc_parse_pid("0"), 0);
	assert_int_equal(proc_parse_pid("self"), 0);
	assert_int_equal(proc_parse_pid("+1"), 0);
	assert_int_equal(proc_parse_pid("1x"), 0);
	assert_int_equal(proc_parse_pid("99999999999"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_stat),
		cmocka_unit_test(test_comm),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
