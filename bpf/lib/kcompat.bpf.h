/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One accessor for each thing that kernels or architectures do differently. */
#ifndef WIRESCOPE_KCOMPAT_BPF_H
#define WIRESCOPE_KCOMPAT_BPF_H

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "syscall.h"

#define TS_COMPAT       0x0002 /* arch/x86/include/asm/thread_info.h */
#define TIF_32BIT       22     /* arch/arm64/include/asm/thread_info.h */
#define X86_THREAD_SIZE 16384  /* without KASAN; see task_syscall_regs() */

#define kernel_has_helper(name) bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_##name)

/*
 * bpf_get_current_task_btf() came with 5.11 (3ca1032ab7ab); its pointer can be followed with
 * plain loads, which cost a tenth of what bpf_probe_read_kernel() does.
 */
#define task_read(field)                             \
	(kernel_has_helper(get_current_task_btf)     \
		 ? bpf_get_current_task_btf()->field \
		 : BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), field))

/*
 * Process and thread stay the same while a program runs. Told so, the compiler asks the kernel
 * once, however many functions need them: each call costs 1 ns in every traced system call.
 */
static __u64 (*const current_pid_tgid)(void)
	__attribute__((const, unused)) = (void *)BPF_FUNC_get_current_pid_tgid;

#if defined(__TARGET_ARCH_x86)
#define COMPAT_FIELD thread_info.status
#define COMPAT_BIT   TS_COMPAT
#else
#define COMPAT_FIELD thread_info.flags
#define COMPAT_BIT   (1UL << TIF_32BIT)
#endif

/* True if the running system call was made through the 32-bit ABI. */
static __always_inline bool syscall_is_compat(void)
{
	return task_read(COMPAT_FIELD) & COMPAT_BIT;
}

struct caller {
	__u32 tgid;
	bool compat; /* syscall_is_compat() */
};

/* Both at the price of one, for programs that run at each system call. */
static __always_inline struct caller current_caller(void)
{
	struct task_struct *task;

	if (!kernel_has_helper(get_current_task_btf))
		return (struct caller){current_pid_tgid() >> 32, syscall_is_compat()};
	task = bpf_get_current_task_btf();
	return (struct caller){task->tgid, task->COMPAT_FIELD & COMPAT_BIT};
}

/* Number of the system call that regs belong to; regs is the tracepoint's own pointer. */
static __always_inline long regs_syscall_nr(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return regs->orig_ax;
#else
	return regs->syscallno;
#endif
}

static __always_inline syscall_id make_syscall_id(long nr, bool compat)
{
	if (nr < 0 || nr >= SYSCALL_COMPAT)
		return SYSCALL_UNKNOWN;
	return compat ? nr + SYSCALL_COMPAT : nr;
}

/*
 * Number of the system call that the current task made last, when no tracepoint hands us its
 * registers. bpf_task_pt_regs() came with 5.15 (dd6e10fbd9fb); before it, the registers are
 * found at the top of the kernel stack, where every kernel of that age has them.
 */
static __always_inline long current_syscall_nr(void)
{
#if defined(__TARGET_ARCH_x86)
	struct task_struct *task;
	void *stack;

	if (kernel_has_helper(task_pt_regs)) {
		struct pt_regs *regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());

		return regs->orig_ax;
	}
	task = (void *)bpf_get_current_task();
	stack = BPF_CORE_READ(task, stack);
	stack += X86_THREAD_SIZE - bpf_core_type_size(struct pt_regs);
	return BPF_CORE_READ((struct pt_regs *)stack, orig_ax);
#else
	struct pt_regs *regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());

	return regs->syscallno;
#endif
}

#endif
