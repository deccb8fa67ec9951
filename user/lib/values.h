/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Values of options. All return -EINVAL for what is none, without a message. */
#ifndef WIRESCOPE_VALUES_H
#define WIRESCOPE_VALUES_H

#include <stdint.h>
#include <sys/types.h>

/* "10", "10s", "500ms", "2m", "1h" to nanoseconds, at least 1000. */
int parse_duration(const char *text, uint64_t *ns);

/* "65536", "64K", "64M", "1G" to bytes, at least 1. */
int parse_size(const char *text, uint64_t *bytes);

/* A decimal number within [min, max]: digits only. */
int parse_unsigned(const char *text, unsigned long min, unsigned long max, unsigned long *value);

/* The first of "1234,1235"; *rest is what follows it and its comma, NULL if it is the last. */
int parse_pid(const char *list, pid_t *pid, const char **rest);

#endif
