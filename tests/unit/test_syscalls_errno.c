/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The names of errors in syscalls.h. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "log.h" /* before cmocka.h, which makes a macro of fail() */
#include <cmocka.h>

#include "refused.h"
#include "syscalls.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct name {
	int nr;
	const char *name;
};

static void assert_names(const struct name *names, size_t cnt)
{
	size_t i;

	for (i = 0; i < cnt; i++)
		assert_string_equal(errno_name(names[i].nr), names[i].name);
}

static void test_names(void **state)
{
	static const struct name names[] = {
		{1, "EPERM"},       {11, "EAGAIN"},     {35, "EDEADLK"},
		{95, "EOPNOTSUPP"}, {133, "EHWPOISON"},
	};

	(void)state;
	assert_names(names, ARRAY_SIZE(names));
}

static void test_kernel_names(void **state)
{
	static const char *const names[] = {
		"ERESTARTSYS",
		"ERESTARTNOINTR",
		"ERESTARTNOHAND",
		"ENOIOCTLCMD",
		"ERESTART_RESTARTBLOCK",
		"EPROBE_DEFER",
		"EOPENSTALE",
		"ENOPARAM",
		"errno 520",
		"EBADHANDLE",
		"ENOTSYNC",
		"EBADCOOKIE",
		"ENOTSUPP",
		"ETOOSMALL",
		"ESERVERFAULT",
		"EBADTYPE",
		"EJUKEBOX",
		"EIOCBQUEUED",
		"ERECALLCONFLICT",
		"errno 531",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++)
		assert_string_equal(errno_name(512 + i), names[i]);
}

static void test_unknown_names(void **state)
{
	static const struct name names[] = {
		{0, "errno 0"},     {41, "errno 41"},       {511, "errno 511"},
		{999, "errno 999"}, {4095, "errno 4095"},   {4096, "[unknown]"},
		{-1, "[unknown]"},  {INT_MAX, "[unknown]"}, {INT_MIN, "[unknown]"},
	};

	(void)state;
	assert_names(names, ARRAY_SIZE(names));
}

static void test_names_stay(void **state)
{
	const char *first = errno_name(999);

	(void)state;
	assert_string_equal(errno_name(998), "errno 998");
	assert_ptr_equal(errno_name(999), first);
	assert_string_equal(first, "errno 999");
}

static void test_parse_each_name(void **state)
{
	size_t cnt = 0;
	char text[16];
	int nr;

	(void)state;
	for (nr = 1; nr < ERRNO_MAX; nr++) {
		if (strchr(errno_name(nr), ' '))
			continue;
		assert_int_equal(errno_parse(errno_name(nr)), nr);
		snprintf(text, sizeof(text), "%d", nr);
		assert_int_equal(errno_parse(text), nr);
		cnt++;
	}
	/* 1 to 133 but for 41 and 58, 512 to 530 but for 520. */
	assert_int_equal(cnt, 131 + 18);
}

static void test_parse(void **state)
{
	(void)state;
	assert_int_equal(errno_parse("eagain"), EAGAIN);
	assert_int_equal(errno_parse("eRestartSys"), 512);
	assert_int_equal(errno_parse("EWOULDBLOCK"), EAGAIN);
	assert_int_equal(errno_parse("ewouldblock"), EAGAIN);
	assert_int_equal(errno_parse("EDEADLOCK"), EDEADLK);
	assert_int_equal(errno_parse("ENOTSUP"), EOPNOTSUPP);
}

static void test_refused(void **state)
{
	static const struct refusal refusals[] = {
		{"EAGIN", "tool: unknown error 'EAGIN'\ntry: EAGAIN\n"},
		{"econnrefusd", "tool: unknown error 'econnrefusd'\ntry: ECONNREFUSED\n"},
		{"", "tool: unknown error ''\ntry: a name such as EAGAIN, or its number\n"},
		{"0", "tool: unknown error '0'\ntry: a name such as EAGAIN, or its number\n"},
		{"41", "tool: unknown error '41'\ntry: a name such as EAGAIN, or its number\n"},
		{"520", "tool: unknown error '520'\ntry: a name such as EAGAIN, or its number\n"},
		{"531", "tool: unknown error '531'\ntry: a name such as EAGAIN, or its number\n"},
		{"-11", "tool: unknown error '-11'\ntry: a name such as EAGAIN, or its number\n"},
		{" 11", "tool: unknown error ' 11'\ntry: a name such as EAGAIN, or its number\n"},
		{"11x", "tool: unknown error '11x'\ntry: a name such as EAGAIN, or its number\n"},
		{"4294967307", "tool: unknown error '4294967307'\n"
			       "try: a name such as EAGAIN, or its number\n"},
	};

	(void)state;
	assert_refused(errno_parse, refusals, ARRAY_SIZE(refusals));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),           cmocka_unit_test(test_kernel_names),
		cmocka_unit_test(test_unknown_names),   cmocka_unit_test(test_names_stay),
		cmocka_unit_test(test_parse_each_name), cmocka_unit_test(test_parse),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
