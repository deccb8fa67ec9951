/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a run sleeps on. */
#ifndef WIRESCOPE_WAIT_H
#define WIRESCOPE_WAIT_H

#include <stddef.h>

#include "target.h"

/*
 * Sleep until one of the descriptors is readable (-1 stands for none), the command or one of
 * the processes has ended, or the time is over (-1: never is). Errors print a message.
 */
int wait_for(const struct target *t, const int fds[], size_t cnt, int timeout_ms);

#endif
