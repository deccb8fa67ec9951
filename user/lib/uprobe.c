// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "uprobe.h"

#include <errno.h>
#include <stdlib.h>

#include "elf-file.h"
#include "instruction.h"
#include "kernel.h"
#include "links.h"
#include "uprobe-multi.h"

#define FUNCTION_MAX (256 << 10) /* nobody waits for a proof about a larger one */

/*
 * A program that is prepared for one way cannot be attached in the other. Where many probes are
 * one link it takes 30 ms to close them instead of 100 ms for each, and returns cost a tenth less.
 */
int uprobe_prepare(struct bpf_program *prog)
{
	if (!kernel_has(KERNEL_UPROBE_MULTI))
		return 0;
	return bpf_program__set_expected_attach_type(prog, UPROBE_MULTI_ATTACH);
}

static int attach_multi(const struct bpf_program *prog, struct uprobe_multi *m,
			const struct uprobe_site *sites)
{
	uint64_t *numbers = calloc(m->cnt, 2 * sizeof(*numbers));
	int fd;

	if (!numbers)
		return -ENOMEM;
	for (uint32_t i = 0; i < m->cnt; i++) {
		numbers[i] = sites[i].offset;
		numbers[m->cnt + i] = sites[i].cookie;
	}
	m->offsets = numbers;
	m->cookies = numbers + m->cnt;
	fd = uprobe_multi_link(bpf_program__fd(prog), m);
	free(numbers);
	return fd < 0 ? fd : links_keep_fd(fd);
}

int uprobe_attach(const struct bpf_program *prog, const char *path, const struct uprobe_site *sites,
		  size_t cnt, pid_t pid, bool is_return)
{
	struct uprobe_multi m = {.path = path, .cnt = cnt, .is_return = is_return};
	int err = 0;

	m.pid = pid < 0 ? 0 : pid;
	if (bpf_program__get_expected_attach_type(prog) == UPROBE_MULTI_ATTACH)
		return cnt ? attach_multi(prog, &m, sites) : 0;
	for (size_t i = 0; !err && i < cnt; i++) {
		LIBBPF_OPTS(bpf_uprobe_opts, opts, .bpf_cookie = sites[i].cookie,
			    .retprobe = is_return);
		struct bpf_link *link = bpf_program__attach_uprobe_opts(prog, pid, path,
									sites[i].offset, &opts);

		err = link ? links_keep(link) : -errno;
	}
	return err;
}

/* Where in memory it is linked to be does not matter: jumps are relative. */
void uprobe_place(struct placement *p, int fd, uint64_t offset, uint64_t size, uint32_t args)
{
	struct elf_file f = {0};
	uint8_t *code = NULL;
	bool is_known = size && size <= FUNCTION_MAX;
	size_t read = is_known ? size : 0;

	if (!elf_file__read(&f, fd) && f.is_64)
		code = malloc(read + 1);
	if (!code || elf_file__read_at(&f, offset, code, read))
		read = 0;
	placement_choose(p, code, read, offset, args);
	free(code);
	elf_file__free(&f);
}
