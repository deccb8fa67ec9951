/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#define _GNU_SOURCE 1
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "command.h"
#include "output.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define MAX_WORDS 6

static char dir[] = "/tmp/test_command_line.XXXXXX";

static char *in_dir(const char *name)
{
	static char paths[4][64];
	static unsigned int next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static const struct {
	const char *name;
	mode_t mode;
} entries[] = {
	{"plain", S_IFREG | 0755},
	{"unmarked", S_IFREG | 0644},
	{"folder", S_IFDIR | 0755},
	{"folder/unmarked", S_IFREG | 0755},
};

static int make_dir(void **state)
{
	int err = 0;

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; !err && i < ARRAY_SIZE(entries); i++) {
		mode_t mode = entries[i].mode;
		char *path = in_dir(entries[i].name);

		err = S_ISDIR(mode) ? mkdir(path, mode & 0777) : mknod(path, mode, 0);
	}
	return err;
}

static int remove_dir(void **state)
{
	int err = 0;

	(void)state;
	for (size_t i = ARRAY_SIZE(entries); !err && i > 0; i--)
		err = remove(in_dir(entries[i - 1].name));
	return err ?: rmdir(dir);
}

struct split_case {
	const char *line;
	const char *words[MAX_WORDS];
	const char *error; /* NULL: none */
};

/* clang-format off */
static const struct split_case split_cases[] = {
	{"ls", {"ls"}, NULL},
	{"ls -l /tmp", {"ls", "-l", "/tmp"}, NULL},
	{"  ls \t -l\n", {"ls", "-l"}, NULL},
	{"a\nb", {"a", "b"}, NULL},
	{"'a b'", {"a b"}, NULL},
	{"\"a b\"", {"a b"}, NULL},
	{"a\\ b", {"a b"}, NULL},
	{"a'b'c", {"abc"}, NULL},
	{"a\"b\"'c'd", {"abcd"}, NULL},
	{"''", {""}, NULL},
	{"\"\"", {""}, NULL},
	{"a '' b", {"a", "", "b"}, NULL},
	{"a \"\" ''", {"a", "", ""}, NULL},
	{"a''b", {"ab"}, NULL},
	{"'' ''", {"", ""}, NULL},
	{"'\"'", {"\""}, NULL},
	{"\"'\"", {"'"}, NULL},
	{"'it'\\''s'", {"it's"}, NULL},
	{"\"say \\\"hi\\\"\"", {"say \"hi\""}, NULL},
	{"\"'a' \\\"b\\\"\"", {"'a' \"b\""}, NULL},
	{"sh -c 'echo \"$1\" \\n'", {"sh", "-c", "echo \"$1\" \\n"}, NULL},
	{"'a\\'", {"a\\"}, NULL},
	{"'a\\\\b'", {"a\\\\b"}, NULL},
	{"\"a\\\\b\"", {"a\\b"}, NULL},
	{"\"\\$HOME \\`x\\`\"", {"$HOME `x`"}, NULL},
	{"\"\\a\\n\\'\"", {"\\a\\n\\'"}, NULL},
	{"\\a\\n\\'", {"an'"}, NULL},
	{"\\\\", {"\\"}, NULL},
	{"a\\\nb", {"ab"}, NULL},
	{"a \\\n b", {"a", "b"}, NULL},
	{"\"a\\\nb\"", {"ab"}, NULL},
	{"'a\\\nb'", {"a\\\nb"}, NULL},
	{"'a\nb'", {"a\nb"}, NULL},
	{"\\\n a", {"a"}, NULL},
	{"$HOME ~ * `x` $(y)", {"$HOME", "~", "*", "`x`", "$(y)"}, NULL},
	{"a;b | c # d", {"a;b", "|", "c", "#", "d"}, NULL},
	{"\xc3\xa4 '\xe2\x82\xac'", {"\xc3\xa4", "\xe2\x82\xac"}, NULL},
	{"a b c d e", {"a", "b", "c", "d", "e"}, NULL},
	{"", {NULL}, "empty"},
	{" \t\n", {NULL}, "empty"},
	{"\\\n", {NULL}, "empty"},
	{"'a", {NULL}, "no closing '"},
	{"a 'b' '", {NULL}, "no closing '"},
	{"\"a", {NULL}, "no closing \""},
	{"\"a\\\"", {NULL}, "no closing \""},
	{"\"a\\", {NULL}, "no closing \""},
	{"'a' \"'b'", {NULL}, "no closing \""},
	{"a\\", {NULL}, "backslash"},
	{"'a' \\", {NULL}, "backslash"},
	{"\\", {NULL}, "backslash"},
};
/* clang-format on */

static void check_split(const struct split_case *s)
{
	/* An exact copy on the heap, so that the sanitizer sees a read past its end. */
	char *line = strdup(s->line), **argv = NULL;
	struct output err;
	int ret;

	output_begin(&err, STDERR_FILENO);
	ret = command_split(line, &argv);
	output_end(&err, STDERR_FILENO);
	free(line);
	assert_int_equal(ret, s->error ? -EINVAL : 0);
	assert_contains(err.text, s->error ? s->error : "");
	assert_int_equal(!err.len, !s->error);
	assert_int_equal(!argv, !!s->error);
	for (size_t i = 0; argv && i < MAX_WORDS; i++) {
		if (!s->words[i]) {
			assert_null(argv[i]);
			break;
		}
		assert_non_null(argv[i]);
		assert_string_equal(argv[i], s->words[i]);
	}
	free(argv);
}

static void test_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(split_cases); i++)
		check_split(&split_cases[i]);
}

static void check_find(const char *path_value, const char *name, int err, const char *expected)
{
	char *old = strdup(getenv("PATH")), *path = (char *)"unset";
	int ret;

	if (path_value)
		setenv("PATH", path_value, 1);
	else
		unsetenv("PATH");
	ret = command_find(name, &path);
	setenv("PATH", old, 1);
	free(old);
	assert_int_equal(ret, err);
	if (err)
		assert_null(path);
	else
		assert_string_equal(path, expected);
	free(path);
}

static void test_find(void **state)
{
	char *cwd = getcwd(NULL, 0), list[256];

	(void)state;
	snprintf(list, sizeof(list), "/no/such:%s:/bin", dir);
	check_find(list, "plain", 0, in_dir("plain"));
	check_find(list, "sh", 0, "/bin/sh");
	check_find(list, "folder", -EACCES, NULL);
	check_find(list, "unmarked", -EACCES, NULL);
	check_find(list, "no-such", -ENOENT, NULL);
	check_find(list, "", -ENOENT, NULL);
	check_find(list, in_dir("plain"), 0, in_dir("plain"));
	check_find(list, in_dir("unmarked"), -EACCES, NULL);
	check_find(list, in_dir("plain/x"), -ENOENT, NULL);
	check_find(NULL, "sh", 0, "/bin/sh");
	/* What cannot be run is passed over for what can, further on. */
	snprintf(list, sizeof(list), "%s:%s", dir, in_dir("folder"));
	check_find(list, "unmarked", 0, in_dir("folder/unmarked"));
	assert_int_equal(chdir(dir), 0);
	check_find("/no/such:", "plain", 0, "./plain");
	check_find(":/no/such", "plain", 0, "./plain");
	check_find("", "plain", 0, "./plain");
	check_find("/no/such", "plain", -ENOENT, NULL);
	assert_int_equal(chdir(cwd), 0);
	free(cwd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
