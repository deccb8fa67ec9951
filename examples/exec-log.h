/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <linux/types.h>

struct exec_event {
	__u64 ns;
	__u32 pid;
	__u32 parent;
	__u32 uid;
	__u32 cut; /* the name is longer than what is here */
	char comm[16];
	char file[256];
};
