// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "pidns.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kernel.h"
#include "pidns-thread.h"
#include "pidns.skel.h"

#define IDS 4194304 /* PID_MAX_LIMIT of 64-bit kernels */

/* Indexed by id; the pages that no id falls into are never there. */
static uint32_t *to_global, *to_local;
static struct pidns_bpf *skel;

static uint32_t *new_ids(void)
{
	void *at = mmap(NULL, IDS * sizeof(uint32_t), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

static int open_ids(void)
{
	int err;

	if (!to_global)
		to_global = new_ids();
	if (!to_local)
		to_local = new_ids();
	if (!to_global || !to_local)
		return -ENOMEM;
	skel = pidns_bpf__open_and_load();
	if (!skel)
		return -errno;
	skel->links.list_threads = bpf_program__attach_iter(skel->progs.list_threads, NULL);
	err = skel->links.list_threads ? 0 : -errno;
	if (err)
		pidns_close();
	return err;
}

static int read_ids(void)
{
	int fd = bpf_iter_create(bpf_link__fd(skel->links.list_threads)), err = 0;
	FILE *list = fd < 0 ? NULL : fdopen(fd, "r");
	struct pidns_thread thread;

	if (!list)
		return -errno;
	while (fread(&thread, sizeof(thread), 1, list) == 1) {
		if (thread.id >= IDS || thread.global_id >= IDS)
			continue;
		to_global[thread.id] = thread.global_id;
		to_local[thread.global_id] = thread.id;
	}
	if (ferror(list))
		err = -EIO;
	fclose(list);
	return err;
}

int pidns_refresh(void)
{
	int err = 0;

	if (kernel_in_initial_pid_namespace())
		return 0;
	if (!skel)
		err = open_ids();
	return err ?: read_ids();
}

bool pidns_is_known(void)
{
	return kernel_in_initial_pid_namespace() || (skel && pidns_global(getpid()));
}

pid_t pidns_global(pid_t id)
{
	if (kernel_in_initial_pid_namespace())
		return id;
	return to_global && id > 0 && id < IDS ? to_global[id] : 0;
}

pid_t pidns_local(pid_t global_id)
{
	pid_t id;

	if (kernel_in_initial_pid_namespace())
		return global_id;
	if (!to_local || global_id <= 0 || global_id >= IDS)
		return 0;
	id = to_local[global_id];
	/* Its owner may be gone, and the number another's. */
	return id && to_global[id] == (uint32_t)global_id ? id : 0;
}

unsigned int pidns_depth(void)
{
	return skel ? skel->bss->reader_level : 0;
}

unsigned int pidns_inode(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) ? 0 : st.st_ino;
}

void pidns_offsets(uint32_t offsets[PIDNS_OFFSETS])
{
	for (int i = 0; i < PIDNS_OFFSETS; i++)
		offsets[i] = skel ? skel->bss->offsets[i] : 0;
}

void pidns_close(void)
{
	pidns_bpf__destroy(skel);
	skel = NULL;
	if (to_global)
		munmap(to_global, IDS * sizeof(uint32_t));
	if (to_local)
		munmap(to_local, IDS * sizeof(uint32_t));
	to_global = to_local = NULL;
}
