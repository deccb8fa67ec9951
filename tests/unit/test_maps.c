/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "maps.h"

#define FILL 5000 /* longer than any path */

/* As the kernel writes it, but for some of the blanks before a path. */
static const char nginx[] =
	"55d0c8e00000-55d0c8e20000 r--p 00000000 fe:01 1234    /usr/sbin/nginx\n"
	"55d0c8e20000-55d0c8f00000 r-xp 00020000 fe:01 1234    /usr/sbin/nginx\n"
	"55d0c8f00000-55d0c8f10000 rw-p 00100000 fe:01 1234    /usr/sbin/nginx\n"
	"55d0c9000000-55d0c9100000 rw-p 00000000 00:00 0    [heap]\n"
	"7f0000000000-7f0000010000 r-xp 00000000 fe:01 77    /opt/my lib/libssl.so.3 (deleted)\n"
	"7f0000020000-7f0000030000 r--p 00000000 fe:01 78    /usr/lib/libc.so.6\n"
	"7f0000030000-7f0000040000 r-xp 00010000 fe:01 78    /usr/lib/libc.so.6\n"
	"7f0000050000-7f0000060000 rw-s 00000000 00:01 9    /dev/zero (deleted)\n"
	"7f0000070000-7f0000080000 rw-p 00000000 00:00 0\n"
	"7ffd00000000-7ffd00001000 r-xp 00000000 00:00 0    [vdso]\n"
	"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0    [vsyscall]\n";

static struct maps read_text(const char *text, size_t len)
{
	FILE *f = fmemopen((void *)text, len, "r");
	struct maps maps;

	assert_non_null(f);
	assert_int_equal(maps_read(&maps, f), 0);
	fclose(f);
	return maps;
}

static struct maps read_string(const char *text)
{
	return read_text(text, strlen(text));
}

static void test_files_are_listed_once_by_their_code(void **state)
{
	struct maps maps = read_string(nginx);

	(void)state;
	assert_int_equal(maps.cnt, 4);
	assert_string_equal(maps.map[0].path, "/usr/sbin/nginx");
	assert_true(maps.map[0].executable);
	assert_false(maps.map[0].deleted);
	assert_true(maps.map[0].start == 0x55d0c8e20000);
	assert_true(maps.map[0].end == 0x55d0c8f00000);
	assert_true(maps.map[0].inode == 1234);
	assert_int_equal(maps.map[0].major, 0xfe);
	assert_int_equal(maps.map[0].minor, 1);
	assert_true(maps.map[2].start == 0x7f0000030000);
	assert_false(maps.map[3].executable);
	maps__free(&maps);
	assert_int_equal(maps.cnt, 0);
}

static void test_deleted_files_are_found_by_their_old_path(void **state)
{
	struct maps maps = read_string(nginx);
	const struct mapping *m = maps__find(&maps, "/opt/my lib/libssl.so.3");

	(void)state;
	assert_non_null(m);
	assert_true(m->deleted);
	assert_true(m->inode == 77);
	assert_null(maps__find(&maps, "/opt/my lib/libssl.so.3 (deleted)"));
	maps__free(&maps);
}

static void test_names(void **state)
{
	static const struct {
		const char *name;
		uint64_t inode; /* 0: not found */
	} rows[] = {
		{"nginx", 1234},   {"/usr/sbin/nginx", 1234},
		{"libssl", 77},    {"libssl.so.3", 77},
		{"libc", 78},      {"libc.so.6", 78},
		{"libc.so", 0},    {"lib", 0},
		{"ngin", 0},       {"", 0},
		{"sbin/nginx", 0}, {"/nginx", 0},
		{"[heap]", 0},     {"libcrypto", 0},
		{"/usr/sbin", 0},
	};
	struct maps maps = read_string(nginx);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct mapping *m = maps__find(&maps, rows[i].name);

		if ((m ? m->inode : 0) != rows[i].inode)
			fail_msg("'%s' is %llu", rows[i].name,
				 (unsigned long long)(m ? m->inode : 0));
	}
	maps__free(&maps);
}

static void test_a_whole_name_goes_before_a_library(void **state)
{
	struct maps maps =
		read_string("1000-2000 r-xp 0 1:1 5 /a/tls.so.1\n2000-3000 r-xp 0 1:1 6 /b/tls\n");

	(void)state;
	assert_int_equal(maps__find(&maps, "tls")->inode, 6);
	assert_int_equal(maps__find(&maps, "tls.so.1")->inode, 5);
	maps__free(&maps);
}

static void test_newlines_in_paths_come_back(void **state)
{
	struct maps maps = read_string("1000-2000 r-xp 0 1:1 5 /a\\012b \\01 (deleted) \n");

	(void)state;
	assert_int_equal(maps.cnt, 1);
	assert_string_equal(maps.map[0].path, "/a\nb \\01 (deleted) ");
	assert_false(maps.map[0].deleted);
	maps__free(&maps);
}

static void test_other_lines_are_left_out(void **state)
{
	static const char *const lines[] = {
		"",
		"\n",
		"x",
		"1000-2000",
		"1000-2000 r-xp",
		"1000-2000 r-xp 0 1:1 5",
		"1000-2000 r-xp 0 1:1 5 ",
		"1000-2000 r-xp 0 1:1 5 relative",
		"1000-2000 r-xp 0 1:1 0 /no/inode",
		"1000-2000 r-x 0 1:1 5 /three/flags",
		"1000-2000 r-xps 0 1:1 5 /five/flags",
		"2000-1000 r-xp 0 1:1 5 /backwards",
		"1000-2000 r-xp 0 11 5 /no/device",
		"1000 2000 r-xp 0 1:1 5 /no/range",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct maps maps = lines[i][0] ? read_string(lines[i]) : (struct maps){0};

		if (maps.cnt)
			fail_msg("'%s' is taken for '%s'", lines[i], maps.map[0].path);
		maps__free(&maps);
	}
}

static void test_odd_text_does_no_harm(void **state)
{
	char text[FILL + 64];
	int len = snprintf(text, sizeof(text), "1000-2000 r-xp 0 1:1 5 /");
	struct maps maps;

	(void)state;
	memset(text + len, 'x', FILL);
	maps = read_text(text, len + FILL);
	assert_int_equal(maps.cnt, 1);
	assert_int_equal(strlen(maps.map[0].path), FILL + 1);
	maps__free(&maps);

	text[len + 2] = '\0';
	maps = read_text(text, len + FILL);
	assert_int_equal(maps.cnt, 1);
	assert_string_equal(maps.map[0].path, "/xx");
	maps__free(&maps);

	maps = read_string("99999999999999999999999-9999999999999999999999999 r-xp 0 1:1 5 /a\n");
	maps__free(&maps);
}

static void test_our_own_maps(void **state)
{
	char exe[4096];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	const struct mapping *m;
	struct maps maps;

	(void)state;
	assert_true(len > 0);
	exe[len] = '\0';
	assert_int_equal(maps_of_process(&maps, getpid()), 0);
	m = maps__find(&maps, "test_maps");
	assert_non_null(m);
	assert_string_equal(m->path, exe);
	assert_true(m->executable);
	assert_true((uintptr_t)test_our_own_maps >= m->start &&
		    (uintptr_t)test_our_own_maps < m->end);
	maps__free(&maps);
	assert_int_equal(maps_of_process(&maps, 4194304), -ESRCH);
	assert_int_equal(maps.cnt, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_are_listed_once_by_their_code),
		cmocka_unit_test(test_deleted_files_are_found_by_their_old_path),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_a_whole_name_goes_before_a_library),
		cmocka_unit_test(test_newlines_in_paths_come_back),
		cmocka_unit_test(test_other_lines_are_left_out),
		cmocka_unit_test(test_odd_text_does_no_harm),
		cmocka_unit_test(test_our_own_maps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
