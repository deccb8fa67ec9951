// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "privilege.h"

#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

bool privilege_has(int nr)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	if (syscall(SYS_capget, &header, data))
		return false;
	if (data[CAP_SYS_ADMIN / 32].effective & 1U << CAP_SYS_ADMIN % 32)
		return true;
	return data[nr / 32].effective & 1U << nr % 32;
}

bool privilege_may_load(void)
{
	return privilege_has(CAP_BPF) && privilege_has(CAP_PERFMON);
}

bool privilege_in_user_namespace(void)
{
	unsigned int inside, outside, cnt = 0;
	FILE *f = fopen("/proc/self/uid_map", "re");
	bool read = f && fscanf(f, "%u %u %u", &inside, &outside, &cnt) == 3;

	if (f)
		fclose(f);
	return read && cnt != UINT_MAX;
}
