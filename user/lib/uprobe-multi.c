// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "uprobe-multi.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>

/* What BPF_LINK_CREATE takes for them; the first three are those of all links. */
struct link_create {
	uint32_t prog_fd;
	uint32_t target_fd;
	uint32_t attach_type;
	uint32_t link_flags;
	uint64_t path;
	uint64_t offsets;
	uint64_t semaphores;
	uint64_t cookies;
	uint32_t cnt;
	uint32_t flags; /* 1: returns */
	uint32_t pid;
	uint32_t unused; /* else padding of unknown contents */
};

int uprobe_multi_link(int prog_fd, const struct uprobe_multi *m)
{
	struct link_create attr = {
		.prog_fd = prog_fd,
		.attach_type = UPROBE_MULTI_ATTACH,
		.path = (uintptr_t)m->path,
		.offsets = (uintptr_t)m->offsets,
		.cookies = (uintptr_t)m->cookies,
		.cnt = m->cnt,
		.flags = m->is_return,
		.pid = m->pid,
	};
	int fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

	return fd < 0 ? -errno : fd;
}

bool uprobe_multi_works(void)
{
	static const struct bpf_insn return_0[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT},
	};
	static const uint64_t offset;
	/* A directory has no probes: EBADF. Who takes pid for a process looks at it before. */
	struct uprobe_multi m = {.path = "/", .offsets = &offset, .cnt = 1};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = UPROBE_MULTI_ATTACH);
	int fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, NULL, "GPL", return_0, 2, &opts);
	bool works;

	if (fd < 0)
		return false;
	works = uprobe_multi_link(fd, &m) == -EBADF;
	m.pid = -1;
	works = works && uprobe_multi_link(fd, &m) == -EINVAL;
	close(fd);
	return works;
}
