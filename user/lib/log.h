/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Everything that goes to stderr. Each message is one write(2), lower case, without a full
 * stop, with names in single quotes. An error says WHAT, then WHY, then what to TRY:
 *
 *	syscount: no process with PID 999999
 *	why: ...
 *	try: pgrep -a nginx
 */
#ifndef WIRESCOPE_LOG_H
#define WIRESCOPE_LOG_H

#include <stdarg.h>

#define __printf(fmt, args) __attribute__((format(printf, fmt, args)))

enum log_level {
	LOG_QUIET,   /* errors only */
	LOG_NORMAL,  /* and notes, and what was lost */
	LOG_VERBOSE, /* and choices made, and libbpf's own log */
};

/* First of all. tool: the prefix of each error; kept by reference. */
void log_init(const char *tool);
void log_set_level(enum log_level level);
enum log_level log_get_level(void);
const char *log_tool(void);

/*
 * Print "TOOL: WHAT: strerror(err)" and return a negative error: err itself, or -EINVAL if
 * err is not negative. It never returns 0, so that "report, then succeed" cannot be written.
 * The text is escaped for terminals as a whole, and always one line.
 */
int fail(int err, const char *fmt, ...) __printf(2, 3);

/* As fail(), without the text of err: for refusals that say all themselves. */
int refuse(int err, const char *fmt, ...) __printf(2, 3);

void why(const char *fmt, ...) __printf(1, 2);     /* "why: ..." */
void suggest(const char *fmt, ...) __printf(1, 2); /* "try: ..." */
void note(const char *fmt, ...) __printf(1, 2);    /* "note: ...", not when quiet */
void verbose(const char *fmt, ...) __printf(1, 2); /* only with -v */

/* Raw text for -v (libbpf's messages, of many lines), escaped but for newlines, in one write. */
void log_raw(const char *fmt, va_list args);

#endif
