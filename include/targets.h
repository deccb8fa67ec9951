/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The set of traced processes: one byte for each process id, so that the question "is it
 * traced?" is one array access, no process can be refused for want of room, and a process
 * that was traced is not mistaken for the next one with its number.
 */
#ifndef WIRESCOPE_TARGETS_H
#define WIRESCOPE_TARGETS_H

#include <linux/types.h>

#define TARGET_PAGE  4096
#define TARGET_PAGES 1024 /* x TARGET_PAGE = 4194304 = PID_MAX_LIMIT of 64-bit kernels */

enum target_state {
	TARGET_TRACED = 1,
	TARGET_AWAITS_EXEC = 2, /* our child: traced from the moment it has exec'd */
};

struct target_page {
	__u8 state[TARGET_PAGE];
};

#endif
