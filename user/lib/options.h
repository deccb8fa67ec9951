/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The options that every tool has, as one argp parser, and the parsing of their values. */
#ifndef WIRESCOPE_OPTIONS_H
#define WIRESCOPE_OPTIONS_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "report.h"
#include "target.h"
#include "values.h"

struct tool;

enum { USAGE_ERROR = 2 }; /* exit status for bad arguments */

struct options {
	const struct tool *tool;
	struct target *target; /* -p, --follow, --cgroup, --comm go there */
	char *const *argv;     /* of the command, or NULL */
	char **split;          /* what -c was split into; owned */
	const char *user;
	uint64_t duration_ns;  /* 0: none */
	uint64_t interval_ns;  /* 0: none */
	uint64_t buffer_bytes; /* 0: default */
	const char *output;    /* NULL: stdout */
	enum report_format format;
	bool strict;
	bool doctor;
	bool follow_given;
	bool keep_following; /* --follow with a command: until its last descendant ends */
};

/* Parse the tool's and the common options; exits with USAGE_ERROR after a message. */
void options_parse(struct options *o, const struct tool *tool, int argc, char **argv);

/* Exit after an option that only prints: EXIT_FAILURE if stdout could not be written. */
_Noreturn void exit_after_output(void);

/* "'TEXT' is not a value for OPTION", and what is expected; exits with USAGE_ERROR. */
_Noreturn void bad_value(const char *option, const char *text, const char *expected);

/* "10" to 10 within [min, max]; exits with USAGE_ERROR after a message that names option. */
unsigned long parse_number(const char *option, const char *text, unsigned long min,
			   unsigned long max);

#endif
