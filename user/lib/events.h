/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What wakes a tool up, as descriptors for poll(2). */
#ifndef WIRESCOPE_EVENTS_H
#define WIRESCOPE_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Block the signals that end a run or ask for a report, and SIGPIPE, and return a signalfd of
 * them or a negative error (no message). A SIGINT that a shell ignores for what it runs in the
 * background arrives all the same (a blocked signal is never ignored); nohup's SIGHUP does not.
 */
int events_open_signals(void);

/* A timer; -1, which poll(2) leaves out, if ns is 0; or another negative error. */
int events_open_timer(uint64_t ns, bool repeat);

/* Has it expired since the last call? */
bool events_timer_expired(int fd);

#endif
