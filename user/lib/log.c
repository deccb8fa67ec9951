/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "escape.h"
#include "log.h"

/*
 * PIPE_BUF on Linux: writes up to this size do not mix with those of others on a pipe. The
 * raw text has the same bound, and escaping never shortens: what is cut there, even inside
 * a character, is past the end of the escaped text.
 */
#define MESSAGE_MAX 4096
#define CUT_MARK    "..."
#define BODY_MAX    (MESSAGE_MAX - sizeof(CUT_MARK "\n") + 1)

static const char *log_name = "wirescope";
static enum log_level log_level = LOG_NORMAL;

/* What we open must not take the place of a standard descriptor that is closed. */
static void reserve_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

void log_init(const char *tool)
{
	reserve_standard_fds();
	log_name = tool;
}

void log_set_level(enum log_level level)
{
	log_level = level;
}

enum log_level log_get_level(void)
{
	return log_level;
}

const char *log_tool(void)
{
	return log_name;
}

/* One write, but for what a signal interrupted: nobody is left to tell about a failure. */
static void log_write(const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(STDERR_FILENO, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		text += n;
		len -= n;
	}
}

/* Returns the new length of buf, which has room for MESSAGE_MAX bytes with the final NUL. */
static __printf(3, 0) size_t append_args(char *buf, size_t len, const char *fmt, va_list args)
{
	int n = vsnprintf(buf + len, MESSAGE_MAX - len, fmt, args);

	if (n < 0)
		return len;
	if ((size_t)n >= MESSAGE_MAX - len)
		return MESSAGE_MAX - 1;
	return len + n;
}

static __printf(3, 4) size_t append(char *buf, size_t len, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	len = append_args(buf, len, fmt, args);
	va_end(args);
	return len;
}

/* "PREFIX: TEXT[: REASON]"; errno stays, so that a caller may report before it looks. */
static __printf(3, 0) void say(const char *prefix, const char *reason, const char *fmt,
			       va_list args)
{
	char raw[MESSAGE_MAX], out[MESSAGE_MAX];
	int saved_errno = errno;
	size_t len;

	len = append(raw, 0, "%s: ", prefix);
	len = append_args(raw, len, fmt, args);
	if (reason)
		len = append(raw, len, ": %s", reason);

	len = escape(out, BODY_MAX + 1, raw, len, ESCAPE_MESSAGE);
	if (len > BODY_MAX) {
		len = strlen(out);
		memcpy(out + len, CUT_MARK, strlen(CUT_MARK));
		len += strlen(CUT_MARK);
	}
	out[len++] = '\n';
	log_write(out, len);
	errno = saved_errno;
}

int fail(int err, const char *fmt, ...)
{
	va_list args;

	if (err >= 0)
		err = -EINVAL;
	va_start(args, fmt);
	say(log_name, strerror(-err), fmt, args);
	va_end(args);
	return err;
}

int refuse(int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(log_name, NULL, fmt, args);
	va_end(args);
	return err < 0 ? err : -EINVAL;
}

void why(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("why", NULL, fmt, args);
	va_end(args);
}

void suggest(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("try", NULL, fmt, args);
	va_end(args);
}

void note(const char *fmt, ...)
{
	va_list args;

	if (log_level < LOG_NORMAL)
		return;
	va_start(args, fmt);
	say("note", NULL, fmt, args);
	va_end(args);
}

void verbose(const char *fmt, ...)
{
	va_list args;

	if (log_level < LOG_VERBOSE)
		return;
	va_start(args, fmt);
	say(log_name, NULL, fmt, args);
	va_end(args);
}

/* dst has room for the longest escapes of len bytes. Returns the length, without a NUL. */
static size_t escape_lines(char *dst, size_t size, const char *src, size_t len)
{
	const char *end = src + len;
	size_t total = 0;

	while (src < end) {
		const char *eol = memchr(src, '\n', end - src) ?: end;

		total += escape(dst + total, size - total, src, eol - src, ESCAPE_MESSAGE);
		if (eol < end)
			dst[total++] = '\n';
		src = eol + 1;
	}
	return total;
}

/*
 * Not cut, unlike our own messages: libbpf prints a whole verifier log as one message, and
 * the reason for the refusal stands at its end.
 */
void log_raw(const char *fmt, va_list args)
{
	char *raw = NULL, *out = NULL;
	int saved_errno = errno;
	va_list again;
	size_t size;
	int len;

	if (log_level < LOG_VERBOSE)
		return;
	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (len < 0)
		goto out;
	size = (size_t)len * ESCAPE_GROWTH + 1;
	raw = malloc((size_t)len + 1);
	out = malloc(size);
	if (!raw || !out)
		goto out;
	vsnprintf(raw, (size_t)len + 1, fmt, args);
	log_write(out, escape_lines(out, size, raw, len));
out:
	free(out);
	free(raw);
	errno = saved_errno;
}
