/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which names are like a word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "nearest.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const char *const names[] = {
	"SSL_read_ex", "SSL_read", "SSL_peek", "SSL_read", "ssl_read_internal", "SSL_write", "ab",
};

static void test_order(void **state)
{
	static const struct {
		const char *word;
		const char *text;
	} words[] = {
		{"SSL_raed", "SSL_read"},
		{"ssl_read", "SSL_read, SSL_read_ex, ssl_read_internal"},
		{"SSL_rea", "SSL_read, SSL_read_ex, ssl_read_internal"},
		{"read", "SSL_read_ex, SSL_read, ssl_read_internal"},
		{"internal", "ssl_read_internal"},
		/* Of two letters one may differ; parts are of three and more. */
		{"ax", "ab"},
		{"xy", ""},
		{"ss", ""},
		{"", ""},
		{"SSL_shutdown", ""},
	};
	char text[NEAREST_TEXT];
	struct nearest n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		nearest_init(&n, words[i].word);
		for (size_t j = 0; j < ARRAY_SIZE(names); j++)
			nearest__add(&n, names[j]);
		nearest__text(&n, text);
		assert_string_equal(text, words[i].text);
	}
}

static void test_long_names(void **state)
{
	char word[NEAREST_WORD_MAX + 2], name[NEAREST_TEXT + 1], text[NEAREST_TEXT];
	struct nearest n;

	(void)state;
	memset(word, 'w', sizeof(word));
	word[sizeof(word) - 1] = '\0';
	memset(name, 'w', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	/* One letter too many to be compared, but it is a part. */
	nearest_init(&n, word);
	nearest__add(&n, name);
	assert_int_equal(n.cnt, 1);
	nearest__text(&n, text);
	assert_string_equal(text, "");
	nearest__add(&n, name + 1);
	nearest__text(&n, text);
	assert_string_equal(text, name + 1);
	/* The longest that is compared. */
	word[0] = 'x';
	word[NEAREST_WORD_MAX] = '\0';
	nearest_init(&n, word);
	nearest__add(&n, word);
	nearest__add(&n, name + NEAREST_TEXT - NEAREST_WORD_MAX);
	assert_int_equal(n.cnt, 2);
	assert_int_equal(n.rank[0], 0);
	assert_int_equal(n.rank[1], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_long_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
