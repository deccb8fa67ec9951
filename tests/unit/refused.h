/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Texts that a parser must refuse, and what it must say. Include after cmocka.h. */
#ifndef WIRESCOPE_TEST_REFUSED_H
#define WIRESCOPE_TEST_REFUSED_H

#include <errno.h>

#include "output.h"

struct refusal {
	const char *text;
	const char *message;
};

static inline void assert_refused(int (*parser)(const char *), const struct refusal *refusals,
				  size_t cnt)
{
	struct output output;
	size_t i;
	int err;

	log_init("tool");
	for (i = 0; i < cnt; i++) {
		output_begin(&output, STDERR_FILENO);
		err = parser(refusals[i].text);
		output_end(&output, STDERR_FILENO);
		assert_string_equal(output.text, refusals[i].message);
		assert_int_equal(err, -EINVAL);
	}
}

#endif
