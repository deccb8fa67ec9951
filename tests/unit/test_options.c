/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h" /* before cmocka, which has a macro fail() */
#include "options.h"
#include "tool.h"
#include <cmocka.h>
#include "output.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define SECOND        1000000000ULL
#define TRY_HELP      "Try `toy --help' or `toy --usage' for more information.\n"

static unsigned long toy_number;

static error_t parse_toy(int key, char *arg, struct argp_state *state)
{
	(void)state;
	if (key != 'n')
		return ARGP_ERR_UNKNOWN;
	toy_number = parse_number("--number", arg, 2, 10);
	return 0;
}

static const struct argp_option toy_options[] = {
	{NULL, 0, NULL, 0, "Toys", 1},
	{"number", 'n', "N", 0, "a number", 1},
	{0},
};
static const struct argp toy_argp = {.options = toy_options, .parser = parse_toy};
static const struct tool toy = {
	.name = "toy",
	.brief = "Does nothing.",
	.examples = "  toy -n 3     does nothing three times\n",
	.argp = &toy_argp,
};

static struct options options;
static struct target target;

/* Leaves *split to whoever wants the words of options.argv. */
static void parse(const char *line, char ***split)
{
	int argc = 0;

	options = (struct options){.target = &target};
	target = (struct target)TARGET_INIT;
	assert_int_equal(command_split(line, split), 0);
	while ((*split)[argc])
		argc++;
	options_parse(&options, &toy, argc, *split);
}

static void forget(char **split)
{
	target__close(&target);
	free(options.split);
	free(split);
}

/* Runs fn in a child; its exit status, and what it wrote to fd. */
static int status_of(void (*fn)(const char *), const char *arg, int fd, struct output *output)
{
	int status;
	pid_t pid;

	output_begin(output, fd);
	pid = fork();
	if (!pid) {
		fn(arg);
		exit(0);
	}
	waitpid(pid, &status, 0);
	output_end(output, fd);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void parse_and_forget(const char *line)
{
	char **split;

	parse(line, &split);
	forget(split);
}

static void test_duration(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} cases[] = {
		{"10", 10 * SECOND},  {"10s", 10 * SECOND},  {"500ms", SECOND / 2},
		{"2m", 120 * SECOND}, {"1h", 3600 * SECOND}, {"250us", 250000},
		{"1us", 1000},        {"0.1", SECOND / 10},  {"0.3ms", 300000},
		{".5s", SECOND / 2},  {"1.", SECOND},        {"007", 7 * SECOND},
	};
	uint64_t ns;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse_duration(cases[i].text, &ns), 0);
		assert_int_equal(ns, cases[i].ns);
	}
}

static void test_bad_duration(void **state)
{
	static const char *const texts[] = {"",
					    "0",
					    "0s",
					    "-1",
					    "+1",
					    " 1",
					    "1 ",
					    "1 s",
					    "s",
					    "ms",
					    ".",
					    "1.2.3",
					    "1x",

					    "1S",
					    "10m5",
					    "1e3",
					    "0x10",
					    "inf",
					    "nan",
					    "infs",
					    "1d",
					    "1ns",
					    "0.1us",
					    "1,5",
					    "\n1",
					    "1\n",
					    "9999999999999",
					    "99999999999999999999999999h"};
	uint64_t ns = 42;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (parse_duration(texts[i], &ns) != -EINVAL)
			fail_msg("'%s' is taken for a duration", texts[i]);
	}
	assert_int_equal(ns, 42);
}

static void test_number(void **state)
{
	(void)state;
	assert_int_equal(parse_number("-n", "2", 2, 10), 2);
	assert_int_equal(parse_number("-n", "010", 2, 10), 10);
}

static void parse_small_number(const char *text)
{
	parse_number("--number", text, 2, 10);
}

static void test_bad_number(void **state)
{
	static const char *const texts[] = {
		"",   "1",  "11", "x",   "3x",  "-3",
		"+3", " 3", "3 ", "3.5", "0x3", "99999999999999999999",
	};
	char expected[256];
	struct output output;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		snprintf(expected, sizeof(expected),
			 "toy: '%s' is not a value for --number\ntry: --number 2 (up to 10)\n",
			 texts[i]);
		assert_int_equal(status_of(parse_small_number, texts[i], STDERR_FILENO, &output),
				 USAGE_ERROR);
		assert_string_equal(output.text, expected);
	}
}

static void test_nothing(void **state)
{
	char **split;

	(void)state;
	parse("toy", &split);
	assert_null(options.argv);
	assert_null(options.output);
	assert_null(options.user);
	assert_int_equal(options.duration_ns, 0);
	assert_int_equal(options.interval_ns, 0);
	assert_int_equal(options.format, REPORT_TEXT);
	assert_false(options.strict || options.doctor || options.keep_following);
	assert_false(target.follow);
	assert_int_equal(target.pids_cnt, 0);
	forget(split);
}

static void test_values(void **state)
{
	char **split;

	(void)state;
	parse("./toy -d 10 -i 500ms -o out -f json --strict -q --comm 123456789012345 "
	      "--cgroup /c -n 7 --doctor",
	      &split);
	assert_int_equal(options.duration_ns, 10 * SECOND);
	assert_int_equal(options.interval_ns, SECOND / 2);
	assert_string_equal(options.output, "out");
	assert_int_equal(options.format, REPORT_JSON);
	assert_true(options.strict && options.doctor);
	assert_string_equal(target.comm, "123456789012345");
	assert_string_equal(target.cgroup, "/c");
	assert_int_equal(toy_number, 7);
	assert_int_equal(log_get_level(), LOG_QUIET);
	forget(split);

	parse("toy --json -f text -v", &split);
	assert_int_equal(options.format, REPORT_TEXT);
	assert_int_equal(log_get_level(), LOG_VERBOSE);
	forget(split);
	parse("toy -f text --json", &split);
	assert_int_equal(options.format, REPORT_JSON);
	forget(split);
}

static void test_pids(void **state)
{
	char line[128];
	char **split;

	(void)state;
	snprintf(line, sizeof(line), "toy -p %d,1 --pid %d", getppid(), getppid());
	parse(line, &split);
	assert_int_equal(target.pids_cnt, 2);
	assert_int_equal(target.pids[0], getppid());
	assert_int_equal(target.pids[1], 1);
	assert_false(target.follow);
	forget(split);
}

static void assert_argv(const char *const *words)
{
	size_t i;

	assert_non_null(options.argv);
	for (i = 0; words[i]; i++)
		assert_string_equal(options.argv[i], words[i]);
	assert_null(options.argv[i]);
}

static void test_command(void **state)
{
	static const char *const words[] = {"prog", "-p", "a b", "", "--", "--json", NULL};
	char **split;

	(void)state;
	parse("toy -u nobody -- prog -p 'a b' '' -- --json", &split);
	assert_argv(words);
	assert_string_equal(options.user, "nobody");
	assert_int_equal(options.format, REPORT_TEXT);
	assert_null(options.split);
	forget(split);

	parse("toy -c \"prog -p 'a b' \\\"\\\" -- --json\"", &split);
	assert_argv(words);
	assert_int_equal(options.format, REPORT_TEXT);
	forget(split);
}

/* With a command, following is the default; asking for it means to wait for the descendants. */
static void test_follow(void **state)
{
	static const struct {
		const char *line;
		bool follow;
		bool keep_following;
	} cases[] = {
		{"toy -c a", true, false},
		{"toy -- a", true, false},
		{"toy --follow -c a", true, true},
		{"toy -c a --follow=yes", true, true},
		{"toy --follow=no -- a", false, false},
		{"toy -p 1", false, false},
		{"toy -p 1 --follow", true, false},
		{"toy -p 1 --follow=no", false, false},
	};
	char **split;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		parse(cases[i].line, &split);
		assert_int_equal(target.follow, cases[i].follow);
		assert_int_equal(options.keep_following, cases[i].keep_following);
		forget(split);
	}
}

#define BAD(text, opt, good) "toy: '" text "' is not a value for " opt "\ntry: " opt " " good "\n"
#define BAD_TIME(text, opt)  BAD(text, opt, "10, 10s, 500ms, 2m")
#define COMM_IS              "NAME (1 to 15 characters, as in /proc/PID/comm)"
#define BAD_PID(text)        "toy: '" text "' is not a process id\ntry: -p 1234 or -p 1234,1235\n"
#define UNEXPECTED           "toy: unexpected argument 'x'\ntry: toy -- x ... to trace a command\n"
#define TWICE                "toy: a command is given twice\ntry: -c 'CMD ARGS' or -- CMD ARGS\n"
#define EXCLUDE              "toy: -p and a command exclude each other\ntry: one of them\n"
#define NO_COMMAND           "toy: --user is for a command\ntry: -u NAME -c 'CMD ARGS'\n"
#define TRY_FOLLOW           "try: --follow with -p PID or -c 'CMD ARGS'\n"

static const struct {
	const char *line;
	const char *message;
} usage_errors[] = {
	{"./toy --bogus", "toy: unrecognized option '--bogus'\n" TRY_HELP},
	{"toy -z", "toy: invalid option -- 'z'\n" TRY_HELP},
	{"toy -d", "toy: option requires an argument -- 'd'\n" TRY_HELP},
	{"toy --json=yes", "toy: option '--json' doesn't allow an argument\n" TRY_HELP},
	{"toy -d 1x", BAD_TIME("1x", "--duration")},
	{"toy -i 0", BAD_TIME("0", "--interval")},
	{"toy -f xml", BAD("xml", "--format", "text or json")},
	{"toy -p 1 --follow=x", BAD("x", "--follow", "(or --follow=no)")},
	{"toy --comm ''", BAD("", "--comm", COMM_IS)},
	{"toy --comm 1234567890123456", BAD("1234567890123456", "--comm", COMM_IS)},
	{"toy -p 1,", BAD_PID("1,")},
	{"toy -p 99999999999", BAD_PID("99999999999")},
	{"toy x", UNEXPECTED},
	{"toy x -- y", UNEXPECTED},
	{"toy x -z", UNEXPECTED},
	{"toy -c a -c b", TWICE},
	{"toy -c a -- b", TWICE},
	{"toy -c \"it's\"", "toy: no closing ' for: 's\n"},
	{"toy -c ''", "toy: the command line is empty\n"},
	{"toy -p 1 -c a", EXCLUDE},
	{"toy -p 1 -- a", EXCLUDE},
	{"toy -u root", NO_COMMAND},
	{"toy --follow", "toy: --follow needs a process to follow\n" TRY_FOLLOW},
};

static void test_usage_errors(void **state)
{
	struct output output;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(usage_errors); i++) {
		const char *line = usage_errors[i].line;
		int status = status_of(parse_and_forget, line, STDERR_FILENO, &output);

		assert_string_equal(output.text, usage_errors[i].message);
		assert_int_equal(status, USAGE_ERROR);
	}
}

static void test_help(void **state)
{
	struct output output;

	(void)state;
	assert_int_equal(status_of(parse_and_forget, "toy -V", STDOUT_FILENO, &output), 0);
	assert_string_equal(output.text, "toy " WIRESCOPE_VERSION "\n");
	assert_int_equal(status_of(parse_and_forget, "toy -h", STDOUT_FILENO, &output), 0);
	assert_contains(output.text, "Usage: toy [OPTION...]");
	assert_contains(output.text, "\nDoes nothing.\nToys:\n  -n, --number=N ");
	assert_contains(output.text, "\n\n  toy -n 3     does nothing three times\n");
	assert_null(strstr(output.text, "Mandatory or optional"));
	assert_int_equal(status_of(parse_and_forget, "toy --usage", STDOUT_FILENO, &output), 0);
	assert_contains(output.text, "Usage: toy [-qvhV]");
}

static int setup(void **state)
{
	(void)state;
	log_init("toy");
	log_set_level(LOG_NORMAL);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_bad_duration),
		cmocka_unit_test(test_number),
		cmocka_unit_test_setup(test_bad_number, setup),
		cmocka_unit_test_setup(test_nothing, setup),
		cmocka_unit_test_setup(test_values, setup),
		cmocka_unit_test_setup(test_pids, setup),
		cmocka_unit_test_setup(test_command, setup),
		cmocka_unit_test_setup(test_follow, setup),
		cmocka_unit_test_setup(test_usage_errors, setup),
		cmocka_unit_test_setup(test_help, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
