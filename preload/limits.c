// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "limits.h"

#include <sys/resource.h>

#include "preload-region.h"

#define SHARE 8 /* of the memory that a process may have, we take one of so many parts */

static uint64_t limit_of(int resource)
{
	struct rlimit limit;

	return getrlimit(resource, &limit) ? RLIM_INFINITY : limit.rlim_cur;
}

uint32_t limits_slots(unsigned int ring_bits)
{
	uint64_t most = limit_of(RLIMIT_AS) / SHARE, file = limit_of(RLIMIT_FSIZE);

	most = file < most ? file : most;
	most = most < PRELOAD_RINGS ? 0 : (most - PRELOAD_RINGS) >> ring_bits;
	return most < PRELOAD_SLOTS ? most : PRELOAD_SLOTS;
}
