/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A process of its own that looks again and again for something new, as long as the tool runs. It
 * keeps the privileges which that takes, so that the tool, which reads what others have written,
 * can give them up.
 */
#ifndef WIRESCOPE_WATCHER_H
#define WIRESCOPE_WATCHER_H

/*
 * Look once; what the tool is to know goes to fd in writes of at most PIPE_BUF bytes each. An
 * error ends the watching; the tool goes on.
 */
typedef int (*watcher_fn)(void *arg, int fd);

/*
 * Start it: fn is called each second, in a copy of this process. Returns a descriptor that
 * gives what fn has written and never blocks, or a negative error after a message.
 */
int watcher_start(watcher_fn fn, void *arg);

#endif
