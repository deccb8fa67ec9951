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
#include "object.h"
#include "preempt.h"
#include "tracefs.h"
#include "uprobe-multi.h"

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

/* btf_trace_NAME is a pointer to a function, whose first argument is none of the tracepoint's. */
bool kernel_has_tracepoint(const char *name, int args)
{
	const struct btf *btf = kernel_btf();
	const struct btf_type *t;
	char type[64];
	int id;

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	id = btf ? btf__find_by_name_kind(btf, type, BTF_KIND_TYPEDEF) : -ENOENT;
	t = id > 0 ? btf__type_by_id(btf, id) : NULL;
	t = t ? btf__type_by_id(btf, t->type) : NULL;
	t = t && btf_is_ptr(t) ? btf__type_by_id(btf, t->type) : NULL;
	return t && btf_is_func_proto(t) && btf_vlen(t) > args;
}

bool kernel_has_struct(const char *name)
{
	return btf_has(name, BTF_KIND_STRUCT);
}

bool kernel_has_enum(const char *name)
{
	return btf_has(name, BTF_KIND_ENUM);
}

static bool has_rdonly_cast(void)
{
	return kernel_has(KERNEL_TYPED) && btf_has("bpf_rdonly_cast", BTF_KIND_FUNC);
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
	return !tracefs_try("syscalls", "sys_enter_sendmmsg");
}

static bool has_uprobe(void)
{
	return !access("/sys/bus/event_source/devices/uprobe/type", R_OK);
}

/*
 * A program that does nothing, for a type of the kernel's BTF. Returns its descriptor, -ENOENT
 * if there is no such type, or what the kernel says. libbpf's own probe takes the EPERM that
 * new kernels answer to its invalid program for "no".
 */
static int load_empty(enum bpf_attach_type attach, const char *name, int kind)
{
	static const struct bpf_insn return_0[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT},
	};
	struct btf *btf = kernel_btf();
	int fd;
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach);

	opts.attach_btf_id = btf ? btf__find_by_name_kind(btf, name, kind) : -ENOENT;
	if ((int)opts.attach_btf_id < 0)
		return -ENOENT;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, NULL, "GPL", return_0, 2, &opts);
	return fd < 0 ? -errno : fd;
}

int kernel_probe_tracing(void)
{
	int fd = load_empty(BPF_TRACE_RAW_TP, "btf_trace_sched_process_exit", BTF_KIND_TYPEDEF);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

/* Where the kernel shows its BTF it has it; if not, it may still, and FILE be a copy. */
static bool has_typed(void)
{
	if (!strcmp(btf_path, KERNEL_BTF_PATH) && !access(KERNEL_BTF_PATH, R_OK))
		return true;
	return !kernel_probe_tracing();
}

#if defined(__x86_64__)
#define SYSCALL_FUNCTION "__x64_sys_sendmmsg"
#else
#define SYSCALL_FUNCTION "__arm64_sys_sendmmsg"
#endif

/* The BTF of 5.10 does not say what a system call's registers are: they cannot be read. */
static bool knows_syscall_registers(void)
{
	const struct btf *btf = kernel_btf();
	int id = btf ? btf__find_by_name_kind(btf, SYSCALL_FUNCTION, BTF_KIND_FUNC) : -1;
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, id);

	t = t ? btf__type_by_id(btf, t->type) : NULL;
	if (!t || btf_vlen(t) != 1)
		return false;
	t = btf__type_by_id(btf, btf_params(t)->type);
	for (; t && (btf_is_ptr(t) || btf_is_mod(t)); t = btf__type_by_id(btf, t->type))
		;
	return t && btf_is_struct(t);
}

/* Some kernels load such programs and do not attach them: arm64 before 6.4. */
static bool has_fentry(void)
{
	int fd = -1, link;

	if (knows_syscall_registers())
		fd = load_empty(BPF_TRACE_FENTRY, SYSCALL_FUNCTION, BTF_KIND_FUNC);
	if (fd < 0)
		return false;
	link = bpf_raw_tracepoint_open(NULL, fd);
	if (link >= 0)
		close(link);
	close(fd);
	return link >= 0;
}

static bool has_memory_reads(void)
{
	/* libbpf's own question understands "no" only as kernels before 6.8 say it. */
	static const struct bpf_insn read_nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 1, .src_reg = 10},
		{.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 1, .imm = -8},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = 8},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_probe_read_kernel},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, NULL, "GPL", read_nothing, 7, NULL);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool has_helper(enum bpf_prog_type type, enum bpf_func_id helper)
{
	return libbpf_probe_bpf_helper(type, helper, NULL) != 0;
}

static bool has_steady_tracepoints(void)
{
	return preempt_spares_tracepoints(kernel_btf());
}

static bool has_steady_fentry(void)
{
	return preempt_spares_fentry(kernel_btf());
}

static bool is_floor(void)
{
	return has_helper(BPF_PROG_TYPE_TRACEPOINT, BPF_FUNC_this_cpu_ptr);
}

/* Told by a helper that came with the same release. */
static bool has_free_memlock(void)
{
	return has_helper(BPF_PROG_TYPE_SOCKET_FILTER, BPF_FUNC_ktime_get_coarse_ns);
}

static bool has_cookies(void)
{
	return has_helper(BPF_PROG_TYPE_KPROBE, BPF_FUNC_get_attach_cookie);
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
	[KERNEL_TYPED] = {"tracing programs (tp_btf, 5.5, CONFIG_DEBUG_INFO_BTF)", has_typed},
	[KERNEL_FENTRY] = {"fentry programs on system calls (CONFIG_FUNCTION_TRACER)", has_fentry},
	[KERNEL_MEMORY_READS] = {"reads of kernel memory (not with lockdown=confidentiality)",
				 has_memory_reads},
	[KERNEL_STEADY_TRACEPOINTS] = {"tracepoints whose programs are not preempted (before 7.0)",
				       has_steady_tracepoints},
	[KERNEL_STEADY_FENTRY] = {"fentry programs that are not preempted", has_steady_fentry},
	[KERNEL_FLOOR] = {"Linux 5.10 or newer", is_floor},
	[KERNEL_FREE_MEMLOCK] = {"maps beyond the limit of locked memory (5.11)", has_free_memlock},
	[KERNEL_COOKIES] = {"probes of all processes of a program (BPF cookies, 5.15)",
			    has_cookies},
	[KERNEL_UPROBE_MULTI] = {"links of many uprobes (6.6), which know processes (6.10)",
				 uprobe_multi_works},
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
	static signed char known; /* 0: not asked yet, 1: yes, -1: no */
	struct stat st;

	if (!known)
		known = stat("/proc/self/ns/pid", &st) || st.st_ino == PROC_PID_INIT_INO ? 1 : -1;
	return known > 0;
}

const char *kernel_feature_text(enum kernel_feature feature)
{
	return features[feature].text;
}

static int attach_raw(const struct bpf_program *prog, long cookie, struct bpf_link **link)
{
	const char *name = strchr(bpf_program__section_name(prog), '/') + 1;

	(void)cookie;
	*link = bpf_program__attach_raw_tracepoint(prog, name);
	return *link ? 0 : -errno;
}

int kernel_adapt(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_attach_fn = attach_raw);
	int err;

	if (kernel_has(KERNEL_TYPED))
		return 0;
	err = libbpf_register_prog_handler("tp_btf+", BPF_PROG_TYPE_RAW_TRACEPOINT, 0, &opts);
	return err < 0 ? fail(err, "failed to adapt the BPF programs to this kernel") : 0;
}

int kernel_describe(struct bpf_object *obj)
{
	bool typed = kernel_has(KERNEL_TYPED);
	struct bpf_program *check = bpf_object__find_program_by_name(obj, "kernel_check");

	bpf_program__set_autoload(check, strcmp(btf_path, KERNEL_BTF_PATH));
	bpf_program__set_autoattach(check, false);
	return object__set_bool(obj, "kernel_typed", typed);
}

int kernel_check(struct bpf_object *obj)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(obj, "kernel_check");
	bool *passed = object__variable(obj, "kernel_check_passed", sizeof(*passed));
	struct bpf_link *link;

	if (!bpf_program__autoload(prog))
		return 0;
	link = bpf_program__attach(prog);
	if (!link)
		return fail(-errno, "failed to check the BTF '%s'", btf_path);
	syscall(SYS_getppid);
	bpf_link__destroy(link);
	if (*passed)
		return 0;
	refuse(-EINVAL, "'%s' is not the BTF of this kernel", btf_path);
	why("the fields of its tasks are elsewhere");
	suggest("--btf FILE with a file that was made for this very build of the kernel");
	return -EINVAL;
}
