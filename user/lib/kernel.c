// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "log.h"
#include "tracefs.h"

#define LOCKDOWN_PATH     "/sys/kernel/security/lockdown"
#define PROC_PID_INIT_INO 0xEFFFFFFCU /* include/linux/proc_ns.h */

static const char *btf_path = KERNEL_BTF_PATH;
static struct btf *vmlinux_btf;

struct btf *__real_btf__load_vmlinux_btf(void);
struct btf *__wrap_btf__load_vmlinux_btf(void);

/* Of a file that may be mapped (BTF: since 6.16) or must be read. */
static struct btf *btf_of_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct btf *btf = NULL;
	struct stat st;
	void *data;

	if (fd < 0 || fstat(fd, &st)) {
		st.st_size = 0;
		data = MAP_FAILED;
	} else {
		data = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	}
	if (data != MAP_FAILED) {
		btf = btf__new(data, st.st_size);
		munmap(data, st.st_size);
	}
	if (fd >= 0)
		close(fd);
	return libbpf_get_error(btf) ? NULL : btf;
}

void kernel_use_btf(const char *path)
{
	btf_path = path;
}

const char *kernel_btf_path(void)
{
	return btf_path;
}

struct btf *kernel_btf(void)
{
	if (!vmlinux_btf && strcmp(btf_path, KERNEL_BTF_PATH))
		return vmlinux_btf = btf__parse(btf_path, NULL);
	if (!vmlinux_btf)
		vmlinux_btf = btf_of_file(KERNEL_BTF_PATH);
	if (!vmlinux_btf)
		vmlinux_btf = __real_btf__load_vmlinux_btf();
	if (libbpf_get_error(vmlinux_btf))
		vmlinux_btf = NULL;
	return vmlinux_btf;
}

/*
 * The linker gives this to libbpf in place of its own (--wrap): libbpf would read the 5 MB a
 * second time, and hold two copies while it does. It frees what it gets.
 */
struct btf *__wrap_btf__load_vmlinux_btf(void)
{
	struct btf *btf = kernel_btf();

	vmlinux_btf = NULL;
	if (!btf)
		errno = ENOENT;
	return btf;
}

static bool has_btf(void)
{
	return kernel_btf();
}

static bool btf_has(const char *name, int kind)
{
	return kernel_btf() && btf__find_by_name_kind(kernel_btf(), name, kind) > 0;
}

static bool has_rdonly_cast(void)
{
	return btf_has("bpf_rdonly_cast", BTF_KIND_FUNC);
}

/*
 * tracepoint/syscalls/... The number of the call in their context is where we read it unless
 * the kernel is a PREEMPT_RT one of 6.1, whose trace_entry is 12 bytes long.
 */
static bool has_syscall_events(void)
{
	struct btf *btf = kernel_btf();
	int id = btf ? btf__find_by_name_kind(btf, "trace_entry", BTF_KIND_STRUCT) : -1;

	if (id < 0 || btf__type_by_id(btf, id)->size != 8)
		return false;
	return tracefs_event_id("syscalls", "sys_enter_sendmmsg") > 0;
}

static bool has_uprobe(void)
{
	return !access("/sys/bus/event_source/devices/uprobe/type", R_OK);
}

static const struct {
	const char *text;
	bool (*probe)(void);
} features[KERNEL_FEATURES] = {
	[KERNEL_BTF] = {"BTF of the kernel (" KERNEL_BTF_PATH ")", has_btf},
	[KERNEL_RDONLY_CAST] = {"bpf_rdonly_cast (6.2): cheap reads of sockets", has_rdonly_cast},
	[KERNEL_SYSCALL_EVENTS] = {"tracepoints of single syscalls (CONFIG_FTRACE_SYSCALLS)",
				   has_syscall_events},
	[KERNEL_UPROBE] = {"uprobes (CONFIG_UPROBE_EVENTS)", has_uprobe},
};

bool kernel_has(enum kernel_feature feature)
{
	static signed char known[KERNEL_FEATURES]; /* 0: not asked yet, 1: yes, -1: no */

	if (!known[feature]) {
		known[feature] = features[feature].probe() ? 1 : -1;
		verbose("%s: %s", features[feature].text, known[feature] > 0 ? "yes" : "no");
	}
	return known[feature] > 0;
}

bool kernel_is_locked_down(void)
{
	char buf[128] = "";
	int fd = open(LOCKDOWN_PATH, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, buf, sizeof(buf) - 1);

	if (fd >= 0)
		close(fd);
	return len > 0 && strstr(buf, "[confidentiality]");
}

bool kernel_in_initial_pid_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) || st.st_ino == PROC_PID_INIT_INO;
}

/* libbpf's own probe takes the EPERM that new kernels answer to its invalid program for "no". */
int kernel_probe_tracing(void)
{
	static const struct bpf_insn return_0[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT},
	};
	struct btf *btf = kernel_btf();
	int fd;
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_RAW_TP);

	opts.attach_btf_id = btf ? btf__find_by_name_kind(btf, "btf_trace_sched_process_exit",
							  BTF_KIND_TYPEDEF)
				 : -ENOENT;
	if ((int)opts.attach_btf_id < 0)
		return -ENOENT;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, NULL, "GPL", return_0, 2, &opts);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

const char *kernel_feature_text(enum kernel_feature feature)
{
	return features[feature].text;
}
