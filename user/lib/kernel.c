// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "log.h"
#include "tracefs.h"

#define BTF_PATH          "/sys/kernel/btf/vmlinux"
#define LOCKDOWN_PATH     "/sys/kernel/security/lockdown"
#define CAP_BPF_NR        39
#define CAP_PERFMON_NR    38
#define PROC_PID_INIT_INO 0xEFFFFFFCU /* include/linux/proc_ns.h */

static const char *btf_path = BTF_PATH;
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

static bool btf_is_given(void)
{
	return strcmp(btf_path, BTF_PATH);
}

struct btf *kernel_btf(void)
{
	if (!vmlinux_btf && btf_is_given())
		return vmlinux_btf = btf__parse(btf_path, NULL);
	if (!vmlinux_btf)
		vmlinux_btf = btf_of_file(BTF_PATH);
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
	[KERNEL_BTF] = {"BTF of the kernel (" BTF_PATH ")", has_btf},
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

static bool has_capability(int nr)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	if (syscall(SYS_capget, &header, data))
		return false;
	if (data[CAP_SYS_ADMIN / 32].effective & 1U << CAP_SYS_ADMIN % 32)
		return true;
	return data[nr / 32].effective & 1U << nr % 32;
}

static bool may_load(void)
{
	return has_capability(CAP_BPF_NR) && has_capability(CAP_PERFMON_NR);
}

static bool is_locked_down(void)
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

/* True in a user namespace of its own, whose capabilities are worth nothing here. */
static bool in_user_namespace(void)
{
	unsigned int inside, outside, cnt = 0;
	FILE *f = fopen("/proc/self/uid_map", "re");
	bool read = f && fscanf(f, "%u %u %u", &inside, &outside, &cnt) == 3;

	if (f)
		fclose(f);
	return read && cnt != UINT_MAX;
}

static int explain_privileges(int err)
{
	bool bpf = has_capability(CAP_BPF_NR), perfmon = has_capability(CAP_PERFMON_NR);

	if (bpf && perfmon)
		refuse(err, "not permitted to load BPF programs (root of a user namespace only)");
	else
		refuse(err, "not permitted to load BPF programs (uid %u lacks %s%s%s)", geteuid(),
		       bpf ? "" : "CAP_BPF", bpf || perfmon ? "" : ", ",
		       perfmon ? "" : "CAP_PERFMON");
	suggest("sudo %s ...", log_tool());
	return err;
}

static int explain_btf(int err)
{
	if (btf_is_given()) {
		refuse(err, "no BTF of a kernel in '%s'", btf_path);
		suggest("a copy of " BTF_PATH " of the running kernel");
		return err;
	}
	refuse(err, "this kernel has no BTF ('" BTF_PATH "' is missing)");
	why("it was built without CONFIG_DEBUG_INFO_BTF, or a container hides it");
	suggest("--btf FILE, mount /sys, or a kernel of a distribution since 2021");
	return err;
}

/* libbpf's own probe takes the EPERM that new kernels answer to its invalid program for "no". */
static int probe_tracing_programs(void)
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

static bool has_tracing_programs(void)
{
	return !probe_tracing_programs();
}

static int explain_old_kernel(int err)
{
	refuse(err, "this kernel has no tracing programs (tp_btf)");
	why("they need Linux 5.5 with CONFIG_BPF_EVENTS and CONFIG_DEBUG_INFO_BTF");
	suggest("a newer kernel; %s --doctor shows what this one has", log_tool());
	return err;
}

/* Linux before 5.11, which is told by a helper, charges maps to RLIMIT_MEMLOCK. */
static bool is_memlock_too_low(int err, struct rlimit *limit)
{
	if (err != -EPERM || getrlimit(RLIMIT_MEMLOCK, limit) || limit->rlim_cur == RLIM_INFINITY)
		return false;
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_SOCKET_FILTER, BPF_FUNC_ktime_get_coarse_ns,
				       NULL) == 0;
}

int kernel_explain(int err, const char *what)
{
	struct rlimit limit;
	int probe;

	if (!may_load() || (err == -EPERM && in_user_namespace()))
		return explain_privileges(err);
	if (!kernel_has(KERNEL_BTF))
		return explain_btf(err);
	probe = probe_tracing_programs();
	if (probe == -ENOENT || probe == -EINVAL)
		return explain_old_kernel(err);
	fail(err, "%s", what);
	if (is_memlock_too_low(err, &limit)) {
		why("only %llu KiB of memory may be locked, and Linux before 5.11 counts maps",
		    (unsigned long long)limit.rlim_cur / 1024);
		suggest("ulimit -l unlimited");
		return err;
	}
	if (is_locked_down())
		why("the kernel is locked down (confidentiality): its memory may not be read");
	suggest("%s --doctor, or -v for the log of the verifier", log_tool());
	return err;
}

struct check {
	const char *text;
	bool (*passes)(void);
	bool needed;
};

static bool is_not_locked_down(void)
{
	return !is_locked_down();
}

bool kernel_doctor(void)
{
	static const struct check checks[] = {
		{"CAP_BPF and CAP_PERFMON (or root)", may_load, true},
		{"tracing programs (tp_btf, 5.5)", has_tracing_programs, true},
		{"lockdown is not 'confidentiality'", is_not_locked_down, false},
		{"the initial PID namespace (-p and -c need it)", kernel_in_initial_pid_namespace,
		 false},
	};
	struct utsname uts;
	bool ok = true;

	if (!uname(&uts))
		printf("kernel %s %s, %d CPUs\n", uts.release, uts.machine,
		       libbpf_num_possible_cpus());
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		bool passes = checks[i].passes();

		printf("%s  %s\n", passes ? "PASS" : "FAIL", checks[i].text);
		ok = ok && (passes || !checks[i].needed);
	}
	for (int i = 0; i < KERNEL_FEATURES; i++)
		printf("%s  %s\n", kernel_has(i) ? "PASS" : "FAIL", features[i].text);
	return ok && kernel_has(KERNEL_BTF);
}
