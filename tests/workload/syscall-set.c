/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * usage: syscall-set [SET]
 *
 * Prints the system calls of a set, or all, one a line: "native 0 read", "compat 3 read".
 * Numbers without a name are left out.
 */
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "syscalls.h"

static void print(syscall_id id)
{
	const char *abi = id < SYSCALL_COMPAT ? "native" : "compat";
	const char *name = syscall_name(id);

	if (name[0] != '[')
		printf("%s %u %s\n", abi, id % SYSCALL_COMPAT, name);
}

int main(int argc, char **argv)
{
	struct syscall_set set;
	syscall_id id;

	log_init("syscall-set");
	if (argc > 2) {
		refuse(-1, "usage: syscall-set [SET]");
		return 2;
	}
	memset(&set, 1, sizeof(set));
	if (argc == 2 && syscall_set__parse(&set, argv[1]))
		return 2;
	for (id = 0; id < SYSCALL_UNKNOWN; id++) {
		if (set.in[id])
			print(id);
	}
	return 0;
}
