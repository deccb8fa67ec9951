/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the running kernel offers and allows; each answer is found once. */
#ifndef WIRESCOPE_KERNEL_H
#define WIRESCOPE_KERNEL_H

#include <stdbool.h>

#define KERNEL_BTF_PATH "/sys/kernel/btf/vmlinux"

struct bpf_object;
struct btf;

enum kernel_feature {
	KERNEL_BTF,            /* /sys/kernel/btf/vmlinux */
	KERNEL_RDONLY_CAST,    /* kfunc bpf_rdonly_cast, 6.2 (a35b9af4ec2c) */
	KERNEL_SYSCALL_EVENTS, /* CONFIG_FTRACE_SYSCALLS, with the context that we read */
	KERNEL_UPROBE,         /* CONFIG_UPROBE_EVENTS */
	KERNEL_TYPED,          /* BTF of its own, as tp_btf needs it, 5.5 (9e15db66136a) */
	KERNEL_FENTRY,         /* on system calls; 5.5 (fec56f5890d9), arm64: 6.4 (2aa6ac03516d) */
	KERNEL_MEMORY_READS,   /* bpf_probe_read_kernel(); lockdown=confidentiality forbids it */
	KERNEL_STEADY_TRACEPOINTS, /* their programs are not preempted: else, others are left out */
	KERNEL_STEADY_FENTRY,      /* the same of fentry programs */
	KERNEL_FLOOR,              /* 5.10, told by bpf_this_cpu_ptr (63d9b80dcf2c) */
	KERNEL_FREE_MEMLOCK,       /* maps are no locked memory, 5.11 (97306be45fbe) */
	KERNEL_COOKIES,            /* bpf_get_attach_cookie, 5.15 (7adfc6c9b315) */
	KERNEL_UPROBE_MULTI,       /* many uprobes are one link, of a process; 6.6, 6.10 */
	KERNEL_FEATURES,
};

bool kernel_has(enum kernel_feature feature);

/* Take the kernel's BTF from this file (kept by reference); before anything asks for it. */
void kernel_use_btf(const char *path);

/*
 * The kernel's BTF, owned by this module; NULL if there is none. Not to be kept: loading an
 * object hands it over to libbpf.
 */
struct btf *kernel_btf(void);

/* What kernel_use_btf() was given, else KERNEL_BTF_PATH. */
const char *kernel_btf_path(void);

/*
 * Does its BTF know a tracepoint with this many arguments (or more), a struct, an enum?
 * A BTF that was made for our programs (--btf) has no tracepoints, and only what they ask for.
 */
bool kernel_has_tracepoint(const char *name, int args);
bool kernel_has_struct(const char *name);
bool kernel_has_enum(const char *name);

/* One line for --doctor. */
const char *kernel_feature_text(enum kernel_feature feature);

/*
 * Before an object is opened: without KERNEL_TYPED, its tp_btf programs become raw tracepoint
 * ones. 0 or a negative errno, printed.
 */
int kernel_adapt(void);

/* Before it is loaded: tell its programs how they may read memory (kcompat.bpf.h). The same. */
int kernel_describe(struct bpf_object *obj);

/*
 * Once it is loaded: does the BTF of --btf describe this kernel? Else all that is read would
 * be wrong in silence. 0 or a negative errno, printed.
 */
int kernel_check(struct bpf_object *obj);

/*
 * Load an empty tp_btf program. Returns 0, -ENOENT if the BTF lacks its tracepoint, or what
 * the kernel says: -EINVAL if it does not know such programs.
 */
int kernel_probe_tracing(void);

/* lockdown=confidentiality */
bool kernel_is_locked_down(void);

/* True if process ids that we see are those that BPF programs see. */
bool kernel_in_initial_pid_namespace(void);

#endif
