// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "wait.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "log.h"
#include "process.h"

int wait_for(const struct target *t, const int fds[], size_t cnt, int timeout_ms)
{
	struct pollfd *polled = calloc(cnt + 1 + t->pids_cnt, sizeof(*polled));
	nfds_t n = 0;
	int err = 0;

	if (!polled)
		return fail(-ENOMEM, "failed to wait for events");
	for (size_t i = 0; i < cnt; i++)
		polled[n++].fd = fds[i];
	polled[n++].fd = t->command.reaped ? -1 : t->command.pidfd;
	/* Those that have ended stay readable: only the others are waited for. */
	for (size_t i = 0; i < t->pids_cnt; i++) {
		if (!process_ended(t->pidfds[i]))
			polled[n++].fd = t->pidfds[i];
	}
	for (nfds_t i = 0; i < n; i++)
		polled[i].events = POLLIN;
	if (poll(polled, n, timeout_ms) < 0 && errno != EINTR)
		err = fail(-errno, "failed to wait for events");
	free(polled);
	return err;
}
