/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#undef fail /* cmocka's macro; here it is ours */
#include "log.h"

#define MESSAGE_MAX 4096
#define LONG_LEN    20000

static int saved_stderr = -1;
static int packets = -1;

/*
 * Standard error becomes a socket that keeps the boundaries of writes: one packet is one
 * write(2). cmocka reports failures to standard error, so no assertion stands between
 * capture_begin() and capture_end() but those about the capture itself.
 */
static void capture_begin(void)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	saved_stderr = dup(STDERR_FILENO);
	assert_true(saved_stderr >= 0);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	close(ends[1]);
	packets = ends[0];
}

static void capture_end(void)
{
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
}

/* Checks the next write; NULL: there must be none. */
static void assert_written(const char *expected)
{
	char text[2 * LONG_LEN];
	ssize_t n = recv(packets, text, sizeof(text) - 1, MSG_DONTWAIT);

	if (!expected) {
		assert_true(n <= 0);
		close(packets);
		return;
	}
	assert_true(n >= 0);
	text[n] = '\0';
	assert_string_equal(text, expected);
}

static int setup(void **state)
{
	(void)state;
	log_init("syscount");
	log_set_level(LOG_NORMAL);
	return 0;
}

static void test_settings(void **state)
{
	(void)state;
	assert_string_equal(log_tool(), "syscount");
	assert_int_equal(log_get_level(), LOG_NORMAL);
	log_set_level(LOG_VERBOSE);
	assert_int_equal(log_get_level(), LOG_VERBOSE);
}

static void test_fail(void **state)
{
	int missing, zero, positive;

	(void)state;
	capture_begin();
	missing = fail(-ENOENT, "failed to open '%s'", "/x");
	zero = fail(0, "nothing %d", 1);
	positive = fail(EPERM, "sign lost");
	capture_end();
	assert_int_equal(missing, -ENOENT);
	assert_int_equal(zero, -EINVAL);
	assert_int_equal(positive, -EINVAL);
	assert_written("syscount: failed to open '/x': No such file or directory\n");
	assert_written("syscount: nothing 1: Invalid argument\n");
	assert_written("syscount: sign lost: Invalid argument\n");
	assert_written(NULL);
}

static void test_refuse(void **state)
{
	int missing, zero, positive;

	(void)state;
	capture_begin();
	missing = refuse(-ESRCH, "no process with PID %d", 999999);
	zero = refuse(0, "a");
	positive = refuse(INT_MAX, "b");
	capture_end();
	assert_int_equal(missing, -ESRCH);
	assert_int_equal(zero, -EINVAL);
	assert_int_equal(positive, -EINVAL);
	assert_written("syscount: no process with PID 999999\n");
	assert_written("syscount: a\n");
	assert_written("syscount: b\n");
	assert_written(NULL);
}

static void raw(const char *fmt, ...) __printf(1, 2);

static void raw(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_raw(fmt, args);
	va_end(args);
}

/* Writes one message of each kind. */
static void say_all(enum log_level level)
{
	log_set_level(level);
	capture_begin();
	refuse(-EINVAL, "error");
	why("reason %d", 1);
	suggest("pgrep -a %s", "nginx");
	note("%s", "aside");
	verbose("choice %c", 'A');
	raw("libbpf: %s\n", "text");
	capture_end();
}

static void test_quiet(void **state)
{
	(void)state;
	say_all(LOG_QUIET);
	assert_written("syscount: error\n");
	assert_written("why: reason 1\n");
	assert_written("try: pgrep -a nginx\n");
	assert_written(NULL);
}

static void test_normal(void **state)
{
	(void)state;
	say_all(LOG_NORMAL);
	assert_written("syscount: error\n");
	assert_written("why: reason 1\n");
	assert_written("try: pgrep -a nginx\n");
	assert_written("note: aside\n");
	assert_written(NULL);
}

static void test_verbose(void **state)
{
	(void)state;
	say_all(LOG_VERBOSE);
	assert_written("syscount: error\n");
	assert_written("why: reason 1\n");
	assert_written("try: pgrep -a nginx\n");
	assert_written("note: aside\n");
	assert_written("syscount: choice A\n");
	assert_written("libbpf: text\n");
	assert_written(NULL);
}

static void test_escaped(void **state)
{
	(void)state;
	log_init("sys\x1b"
		 "count");
	log_set_level(LOG_VERBOSE);
	capture_begin();
	fail(-ENOENT, "comm '%s'", "\x1b[2Jx\r\x7f\xff\xe2\x80\xae\xc3\xbc");
	why("two\nlines\tand a tab, C:\\");
	suggest("\x9b");
	note("%c", '\0');
	verbose("\x07");
	raw("\x1b]0;title\x07\nline %d\n\n\xff", 2);
	capture_end();
	assert_written("sys\\x1bcount: comm '\\x1b[2Jx\\r\\x7f\\xff\\xe2\\x80\\xae\xc3\xbc': "
		       "No such file or directory\n");
	assert_written("why: two\\nlines\tand a tab, C:\\\n");
	assert_written("try: \\x9b\n");
	assert_written("note: \\x00\n");
	assert_written("sys\\x1bcount: \\x07\n");
	assert_written("\\x1b]0;title\\x07\nline 2\n\n\\xff");
	assert_written(NULL);
}

static void test_errno_stays(void **state)
{
	int after_fail, after_note;

	(void)state;
	capture_begin();
	errno = EBUSY;
	fail(-ENOENT, "a");
	after_fail = errno;
	close(STDERR_FILENO); /* the next write fails */
	note("b");
	after_note = errno;
	capture_end();
	assert_int_equal(after_fail, EBUSY);
	assert_int_equal(after_note, EBUSY);
	assert_written("syscount: a: No such file or directory\n");
	assert_written(NULL);
}

/* Writes "note: " and len bytes of text, and checks that the first kept bytes arrive. */
static void check_length(const char *unit, size_t len, const char *kept_unit, size_t kept,
			 const char *end)
{
	char *text = malloc(len + 1);
	char *message = malloc(MESSAGE_MAX + 1);
	size_t head = strlen("note: ");

	for (size_t i = 0; i < len; i++)
		text[i] = unit[i % strlen(unit)];
	text[len] = '\0';
	memcpy(message, "note: ", head);
	for (size_t i = 0; i < kept; i++)
		message[head + i] = kept_unit[i % strlen(kept_unit)];
	memcpy(message + head + kept, end, strlen(end) + 1);

	capture_begin();
	note("%s", text);
	capture_end();
	assert_written(message);
	assert_written(NULL);
	free(message);
	free(text);
}

static void test_long(void **state)
{
	const size_t room = MESSAGE_MAX - strlen("note: ") - strlen("...\n");

	(void)state;
	check_length("a", room, "a", room, "\n");
	check_length("a", room + 1, "a", room, "...\n");
	check_length("a", room + 10, "a", room, "...\n");
	check_length("a", LONG_LEN, "a", room, "...\n");
	/* 4 bytes each: the last one that fits is whole */
	check_length("\x1b", LONG_LEN, "\\x1b", room / 4 * 4, "...\n");
	check_length("\xf0\x9f\x90\x9d", LONG_LEN, "\xf0\x9f\x90\x9d", room / 4 * 4, "...\n");
	/* ends where the bound of the raw text falls inside a character */
	check_length("\xe2\x82\xac", LONG_LEN / 3 * 3, "\xe2\x82\xac", room / 3 * 3, "...\n");
}

/* The reason that fail() adds is past the end; the error is returned all the same. */
static void test_long_fail(void **state)
{
	char expected[MESSAGE_MAX + 1];
	char text[LONG_LEN];
	int err;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memset(expected, 'a', MESSAGE_MAX);
	memcpy(expected, "syscount: ", strlen("syscount: "));
	memcpy(expected + MESSAGE_MAX - strlen("...\n"), "...\n", sizeof("...\n"));
	capture_begin();
	err = fail(-ENOENT, "%s", text);
	capture_end();
	assert_int_equal(err, -ENOENT);
	assert_written(expected);
	assert_written(NULL);
}

/* The end of a verifier log matters most: libbpf's messages are not cut. */
static void test_long_raw(void **state)
{
	char *text = malloc(LONG_LEN + 1);

	(void)state;
	memset(text, 'v', LONG_LEN);
	memcpy(text + LONG_LEN - 4, "end\n", 5);
	log_set_level(LOG_VERBOSE);
	capture_begin();
	raw("%s", text);
	raw("%s", "");
	raw("no newline");
	capture_end();
	assert_written(text);
	assert_written("no newline");
	assert_written(NULL);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_settings, setup),
		cmocka_unit_test_setup(test_fail, setup),
		cmocka_unit_test_setup(test_refuse, setup),
		cmocka_unit_test_setup(test_quiet, setup),
		cmocka_unit_test_setup(test_normal, setup),
		cmocka_unit_test_setup(test_verbose, setup),
		cmocka_unit_test_setup(test_escaped, setup),
		cmocka_unit_test_setup(test_errno_stays, setup),
		cmocka_unit_test_setup(test_long, setup),
		cmocka_unit_test_setup(test_long_fail, setup),
		cmocka_unit_test_setup(test_long_raw, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
