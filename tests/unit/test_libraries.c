/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "libraries.h"

#if defined(__x86_64__)
#define OURS 0x0303
#else
#define OURS 0x0a03
#endif
#define THEIRS 0x0003 /* 32 bits */

/* A cache as ldconfig writes it: two versions of libx, others whose names are like it. */
static const struct {
	const char *name, *path;
	int32_t flags;
} entries[] = {
	{"libx.so.2", "/b/libx.so.2", OURS}, {"libx.so.2", "/32/libx.so.2", THEIRS},
	{"libx.so.1", "/a/libx.so.1", OURS}, {"libx2.so.1", "/a/libx2.so.1", OURS},
	{"libxx.so", "/a/libxx.so", OURS},   {"libx.so.2", "/b/libx.so.2", OURS},
};

#define ENTRIES (sizeof(entries) / sizeof(entries[0]))

static char path[] = "/tmp/wirescope-cache-XXXXXX";

/* cnt: what the header says; size: where the file is cut off. */
static void write_cache(uint32_t cnt, size_t size)
{
	char cache[4096] = "glibc-ld.so.cache1.1";
	size_t text = 48 + ENTRIES * 24;
	FILE *file = fopen(path, "w");

	memcpy(cache + 20, &cnt, sizeof(cnt));
	for (size_t i = 0; i < ENTRIES; i++) {
		char *entry = cache + 48 + i * 24;
		uint32_t name = text, at;

		text += snprintf(cache + text, 64, "%s", entries[i].name) + 1;
		at = text;
		text += snprintf(cache + text, 64, "%s", entries[i].path) + 1;
		memcpy(entry, &entries[i].flags, 4);
		memcpy(entry + 4, &name, 4);
		memcpy(entry + 8, &at, 4);
	}
	assert_non_null(file);
	fwrite(cache, 1, size < text ? size : text, file);
	assert_int_equal(fclose(file), 0);
}

static void test_names(void **state)
{
	char **paths;
	size_t cnt;

	(void)state;
	write_cache(ENTRIES, SIZE_MAX);
	assert_int_equal(libraries_find(path, "libx", &paths, &cnt), 0);
	assert_int_equal(cnt, 2);
	assert_string_equal(paths[0], "/b/libx.so.2");
	assert_string_equal(paths[1], "/a/libx.so.1");
	libraries_free(paths, cnt);
	assert_int_equal(libraries_find(path, "libx.so.1", &paths, &cnt), 0);
	assert_int_equal(cnt, 1);
	assert_string_equal(paths[0], "/a/libx.so.1");
	libraries_free(paths, cnt);
	assert_int_equal(libraries_find(path, "lib", &paths, &cnt), -ENOENT);
	libraries_free(paths, cnt);
}

/* Wherever it is cut off, and whatever it says it has, nothing is read that is not there. */
static void test_damage(void **state)
{
	char **paths;
	size_t cnt;

	(void)state;
	assert_int_equal(libraries_find("/nonexistent", "libx", &paths, &cnt), -ENOENT);
	libraries_free(paths, cnt);
	for (size_t size = 0; size < 400; size++) {
		write_cache(ENTRIES, size);
		libraries_find(path, "libx", &paths, &cnt);
		assert_true(cnt <= 2);
		libraries_free(paths, cnt);
	}
	write_cache(UINT32_MAX, SIZE_MAX);
	assert_int_equal(libraries_find(path, "libx", &paths, &cnt), -EBADMSG);
	libraries_free(paths, cnt);
}

static int set_up(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
