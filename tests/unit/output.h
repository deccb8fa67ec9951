/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a test (or its children) writes to a descriptor. Include after cmocka.h. */
#ifndef WIRESCOPE_TEST_OUTPUT_H
#define WIRESCOPE_TEST_OUTPUT_H

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define OUTPUT_MAX 4096

struct output {
	int file;
	int saved;
	size_t len;
	char text[OUTPUT_MAX];
};

/* Nothing is asserted between begin and end: cmocka reports to the same descriptors. */
static inline void output_begin(struct output *o, int fd)
{
	fflush(NULL);
	o->file = memfd_create("output", MFD_CLOEXEC);
	o->saved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	dup2(o->file, fd);
}

static inline void output_end(struct output *o, int fd)
{
	ssize_t len = pread(o->file, o->text, sizeof(o->text) - 1, 0);

	dup2(o->saved, fd);
	close(o->saved);
	close(o->file);
	o->len = len < 0 ? 0 : len;
	o->text[o->len] = '\0';
}

static inline void assert_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in: %s", part, text);
}

#endif
