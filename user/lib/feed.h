/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A source of records that is no BPF program: something that the command itself does. It takes
 * no privileges, and a command, which is started once the feed is open.
 */
#ifndef WIRESCOPE_FEED_H
#define WIRESCOPE_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report.h"
#include "target.h"

struct feed {
	/* For messages: the option that asks for it. */
	const char *option;

	/*
	 * Before the command is forked: says what cannot be seen of it, prepares, and sets in
	 * target->command what the command is started with. user: who will run it, NULL: we.
	 * buffer_bytes: 0 is the default. format: of the report, whose readers see all that is
	 * known. Errors print a message.
	 */
	int (*open)(struct target *target, const char *user, uint64_t buffer_bytes,
		    enum report_format format);

	/* What to poll for, and for how long at most: -1 is for ever. */
	int (*fd)(void);
	int (*timeout_ms)(void);

	/* Hand over what has come, but not more than a batch; all: this was the end, all of it. */
	int (*read)(struct report *r, bool all);

	/* Records were handed over by the last read. */
	bool (*took)(void);

	/* Descendants of the command that still run. */
	size_t (*running)(void);

	/* What was lost in the whole run; prints it. */
	uint64_t (*lost)(const struct report *r);

	void (*close)(void);
};

#endif
