/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sets of system calls in syscalls.h. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "log.h" /* before cmocka.h, which makes a macro of fail() */
#include <cmocka.h>

#include "refused.h"
#include "syscall-groups.h"
#include "syscalls.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static bool has_name(syscall_id id)
{
	return syscall_name(id)[0] != '[';
}

static void parse(struct syscall_set *set, const char *text)
{
	memset(set, 0xaa, sizeof(*set));
	assert_int_equal(syscall_set__parse(set, text), 0);
}

static void assert_same_sets(const char *a, const char *b)
{
	struct syscall_set set_a, set_b;

	parse(&set_a, a);
	parse(&set_b, b);
	assert_memory_equal(&set_a, &set_b, sizeof(set_a));
}

static void test_parse_each_name(void **state)
{
	struct syscall_set set;
	syscall_id id, other;

	(void)state;
	for (id = 0; id < SYSCALL_UNKNOWN; id++) {
		if (!has_name(id))
			continue;
		parse(&set, syscall_name(id));
		for (other = 0; other < SYSCALL_IDS; other++)
			assert_int_equal(set.in[other],
					 !strcmp(syscall_name(id), syscall_name(other)));
	}
}

static void test_parse_list(void **state)
{
	struct syscall_set set;
	syscall_id id;

	(void)state;
	parse(&set, "read,sendmmsg,read");
	for (id = 0; id < SYSCALL_IDS; id++) {
		const char *name = syscall_name(id);

		assert_int_equal(set.in[id], !strcmp(name, "read") || !strcmp(name, "sendmmsg"));
	}
}

static void test_parse_numbers(void **state)
{
	struct syscall_set set;
	char text[16];
	syscall_id id;

	(void)state;
	for (id = 0; id < SYSCALL_COMPAT; id++) {
		snprintf(text, sizeof(text), "%u", id);
		if (has_name(id))
			assert_same_sets(text, syscall_name(id));
	}
	parse(&set, "500");
	for (id = 0; id < SYSCALL_IDS; id++)
		assert_int_equal(set.in[id], id == 500);
}

static void test_parse_all_but(void **state)
{
	static const char *const texts[] = {"read", "read,write,%net", "500"};
	struct syscall_set set, all_but;
	char text[64];
	size_t i;
	syscall_id id;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		parse(&set, texts[i]);
		snprintf(text, sizeof(text), "!%s", texts[i]);
		parse(&all_but, text);
		for (id = 0; id < SYSCALL_IDS; id++)
			assert_int_equal(set.in[id] + all_but.in[id], 1);
		assert_int_equal(all_but.in[SYSCALL_UNKNOWN], 1);
	}
}

static void assert_in_class(const char *class, const char *name, bool expected)
{
	struct syscall_set set;
	syscall_id id;
	size_t seen = 0;

	parse(&set, class);
	for (id = 0; id < SYSCALL_UNKNOWN; id++) {
		if (strcmp(syscall_name(id), name))
			continue;
		seen++;
		if (set.in[id] != expected)
			fail_msg("%s (%u) in %s: %d", name, id, class, set.in[id]);
	}
	assert_true(seen > 0);
}

/* Those with strace at hand are compared as a whole in tests/tool/syscall-groups.sh. */
static void test_classes(void **state)
{
	static const struct {
		const char *class, *in, *out;
	} cases[] = {
		{"%file", "openat", "read"},
		{"%desc", "read", "socket"},
		{"%net", "sendmmsg", "read"},
		{"%process", "clone3", "getpid"},
		{"%signal", "rt_sigaction", "read"},
		{"%ipc", "semtimedop", "mq_open"},
		{"%memory", "mmap", "read"},
		{"%creds", "getuid", "getpid"},
		{"%clock", "clock_gettime", "nanosleep"},
		{"%fstat", "statx", "statfs"},
		{"%statfs", "statfs", "fstatfs"},
		{"%fstatfs", "fstatfs", "statfs"},
		{"%pure", "getpid", "read"},
		{"%file", "fchmodat2", "mseal"},
		{"%memory", "mseal", "cachestat"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_in_class(cases[i].class, cases[i].in, true);
		assert_in_class(cases[i].class, cases[i].out, false);
	}
	assert_same_sets("%network", "%net");
	assert_same_sets("%mem", "%memory");
	assert_same_sets("%%stat", "%stat,%lstat,%fstat");
	assert_same_sets("%%statfs", "%statfs,%fstatfs,ustat");
}

/* Both parsers: one takes a place for its result, the other returns it. */
static int parse_set(const char *text)
{
	struct syscall_set set;

	return syscall_set__parse(&set, text);
}

static void test_refused_sets(void **state)
{
	static const struct refusal refusals[] = {
		{"socketcal", "tool: unknown system call 'socketcal'\ntry: socketcall\n"},
		{"read,!write",
		 "tool: unknown system call '!write'\ntry: write, writev, pwritev\n"},
		{"READ", "tool: unknown system call 'READ'\ntry: read, readv, creat\n"},
		{"net", "tool: unknown system call 'net'\ntry: tool --list\n"},
		{"/re.d/", "tool: unknown system call '/re.d/'\ntry: tool --list\n"},
		{"rea", "tool: unknown system call 'rea'\ntry: read\n"},
		{"\x1b[31m", "tool: unknown system call '\\x1b[31m'\ntry: tool --list\n"},
		{"99999999999", "tool: unknown system call '99999999999'\ntry: tool --list\n"},
		{"2147483621", "tool: no system call has the number 2147483621\ntry: 0 to 511\n"},
		{"sendmmsg_of_more_than_32_characters",
		 "tool: unknown system call 'sendmmsg_of_more_than_32_characters'\n"
		 "try: tool --list\n"},
		{"%nett", "tool: unknown system call class '%nett'\ntry: %net\n"},
		{"%fstats", "tool: unknown system call class '%fstats'\n"
			    "try: %fstat, %fstatfs, %stat\n"},
		{"512", "tool: no system call has the number 512\ntry: 0 to 511\n"},
		{"", "tool: the name of a system call is empty\n"
		     "try: a list such as read,write,%net\n"},
		{"!", "tool: the name of a system call is empty\n"
		      "try: a list such as read,write,%net\n"},
		{"read,,write", "tool: the name of a system call is empty\n"
				"try: a list such as read,write,%net\n"},
	};

	(void)state;
	assert_refused(parse_set, refusals, ARRAY_SIZE(refusals));
}

static void test_nearest(void **state)
{
	struct output output;

	(void)state;
	output_begin(&output, STDERR_FILENO);
	parse_set("raed");
	output_end(&output, STDERR_FILENO);
	assert_contains(output.text, "tool: unknown system call 'raed'\ntry: read");

	output_begin(&output, STDERR_FILENO);
	parse_set("%unlikely");
	output_end(&output, STDERR_FILENO);
	assert_contains(output.text, "try: %file, %desc, %net,");
	assert_contains(output.text, "%%statfs, %pure\n");
}

#ifdef __x86_64__
/* A word of a class that no ABI knows would be passed over in silence. */
static void test_class_members_exist(void **state)
{
	struct syscall_set set;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(syscall_classes); i++)
		assert_int_equal(syscall_set__parse(&set, syscall_classes[i].members), 0);
}

static void test_socketcall(void **state)
{
	struct syscall_set set;

	(void)state;
	parse(&set, "%net");
	assert_int_equal(set.in[SYSCALL_COMPAT + 102], 1);
	assert_int_equal(set.in[102], 0);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef __x86_64__
		cmocka_unit_test(test_class_members_exist),
		cmocka_unit_test(test_socketcall),
#endif
		cmocka_unit_test(test_parse_each_name),
		cmocka_unit_test(test_parse_list),
		cmocka_unit_test(test_parse_numbers),
		cmocka_unit_test(test_parse_all_but),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_refused_sets),
		cmocka_unit_test(test_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
