/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * usage: empty PROGRAM...
 *
 * Attaches programs of empty.bpf.c, says "attached", and waits for a signal.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "bench/empty.skel.h"

int main(int argc, char **argv)
{
	struct empty_bpf *skel = empty_bpf__open();
	struct bpf_program *prog;

	if (!skel)
		err(1, "failed to open the empty programs");
	bpf_object__for_each_program(prog, skel->obj)
		bpf_program__set_autoload(prog, false);
	for (int i = 1; i < argc; i++) {
		prog = bpf_object__find_program_by_name(skel->obj, argv[i]);
		if (!prog)
			errx(2, "no program is called '%s'", argv[i]);
		bpf_program__set_autoload(prog, true);
	}
	if (empty_bpf__load(skel) || empty_bpf__attach(skel))
		err(1, "failed to attach the empty programs");
	puts("attached");
	fflush(stdout);
	pause();
	empty_bpf__destroy(skel);
	return 0;
}
