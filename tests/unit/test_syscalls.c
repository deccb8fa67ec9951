/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#define _GNU_SOURCE 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "syscalls.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct name {
	syscall_id id;
	const char *name;
};

static void assert_names(const struct name *names, size_t cnt)
{
	size_t i;

	for (i = 0; i < cnt; i++)
		assert_string_equal(syscall_name(names[i].id), names[i].name);
}

static bool has_name(syscall_id id)
{
	return syscall_name(id)[0] != '[';
}

#ifdef __x86_64__
static void test_native_names(void **state)
{
	static const struct name names[] = {
		{0, "read"},
		{1, "write"},
		{17, "pread64"},
		{56, "clone"},
		{59, "execve"},
		{60, "exit"},
		{156, "_sysctl"},
		{166, "umount2"},
		{219, "restart_syscall"},
		{228, "clock_gettime"},
		{231, "exit_group"},
		{257, "openat"},
		{262, "newfstatat"},
		{299, "recvmmsg"},
		{302, "prlimit64"},
		{307, "sendmmsg"},
		{334, "rseq"},
		{335, "uretprobe"},
		{336, "uprobe"},
		{424, "pidfd_send_signal"},
		{435, "clone3"},
		{449, "futex_waitv"},
		{450, "set_mempolicy_home_node"},
	};

	(void)state;
	assert_names(names, ARRAY_SIZE(names));
}

static void test_compat_names(void **state)
{
	static const struct name names[] = {
		{0, "restart_syscall"},
		{1, "exit"},
		{3, "read"},
		{4, "write"},
		{11, "execve"},
		{102, "socketcall"},
		{117, "ipc"},
		{120, "clone"},
		{140, "_llseek"},
		{142, "_newselect"},
		{192, "mmap2"},
		{252, "exit_group"},
		{265, "clock_gettime"},
		{335, "rt_tgsigqueueinfo"},
		{336, "perf_event_open"},
		{337, "recvmmsg"},
		{345, "sendmmsg"},
		{359, "socket"},
		{386, "rseq"},
		{403, "clock_gettime64"},
		{417, "recvmmsg_time64"},
		{435, "clone3"},
		{450, "set_mempolicy_home_node"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++)
		assert_string_equal(syscall_name(SYSCALL_COMPAT + names[i].id), names[i].name);
}
#endif

static void test_newer_names(void **state)
{
	static const struct name names[] = {
		{451, "cachestat"},         {452, "fchmodat2"},        {453, "map_shadow_stack"},
		{454, "futex_wake"},        {455, "futex_wait"},       {456, "futex_requeue"},
		{457, "statmount"},         {458, "listmount"},        {459, "lsm_get_self_attr"},
		{460, "lsm_set_self_attr"}, {461, "lsm_list_modules"}, {462, "mseal"},
		{463, "setxattrat"},        {464, "getxattrat"},       {465, "listxattrat"},
		{466, "removexattrat"},     {467, "open_tree_attr"},   {468, "file_getattr"},
		{469, "file_setattr"},      {470, "listns"},
	};
	size_t i;

	(void)state;
	assert_names(names, ARRAY_SIZE(names));
	for (i = 0; i < ARRAY_SIZE(names); i++)
		assert_string_equal(syscall_name(SYSCALL_COMPAT + names[i].id), names[i].name);
}

static void test_unknown_names(void **state)
{
	static const struct name names[] = {
		{500, "[unknown: 500]"},
		{511, "[unknown: 511]"},
		{SYSCALL_COMPAT + 500, "[unknown: 500]"},
		{SYSCALL_UNKNOWN, "[unknown]"},
		{SYSCALL_IDS, "[unknown]"},
		{UINT32_MAX, "[unknown]"},
	};

	(void)state;
	assert_names(names, ARRAY_SIZE(names));
}

static void test_names_stay(void **state)
{
	const char *names[SYSCALL_IDS];
	char *copies[SYSCALL_IDS];
	syscall_id id;

	(void)state;
	for (id = 0; id < SYSCALL_IDS; id++) {
		names[id] = syscall_name(id);
		copies[id] = strdup(names[id]);
		assert_non_null(copies[id]);
	}
	for (id = 0; id < SYSCALL_IDS; id++) {
		assert_ptr_equal(syscall_name(id), names[id]);
		assert_string_equal(names[id], copies[id]);
		free(copies[id]);
	}
}

static size_t count_native(void)
{
	size_t cnt = 0;
	syscall_id id;

	for (id = 0; id < SYSCALL_COMPAT; id++)
		cnt += has_name(id);
	return cnt;
}

/* Returns how many names the row has; they follow last, and are printed as they must be. */
static size_t check_row(const char *row, char *last, size_t size)
{
	const char *at = row;
	char name[64], again[256] = "";
	size_t cells = 0, len = 0;
	int used;

	while (sscanf(at, " %63[^ ]%n", name, &used) == 1) {
		assert_true(strcmp(last, name) < 0);
		snprintf(last, size, "%s", name);
		len += snprintf(again + len, sizeof(again) - len, "%s%-22s", cells ? "   " : "",
				name);
		cells++;
		at += used;
	}
	assert_string_equal(row, again);
	return cells;
}

static void test_list(void **state)
{
	char *text = NULL, *row, *end, last[64] = "";
	size_t size, cells, cnt = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	syscalls_list(out);
	fclose(out);
	for (row = text; *row; row = end + 1) {
		end = strchr(row, '\n');
		assert_non_null(end);
		*end = '\0';
		cells = check_row(row, last, sizeof(last));
		cnt += cells;
		assert_int_equal(cells, end[1] ? 4 : (count_native() - 1) % 4 + 1);
	}
	assert_int_equal(cnt, count_native());
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef __x86_64__
		cmocka_unit_test(test_native_names), cmocka_unit_test(test_compat_names),
#endif
		cmocka_unit_test(test_newer_names),  cmocka_unit_test(test_unknown_names),
		cmocka_unit_test(test_names_stay),   cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
