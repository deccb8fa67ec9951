/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One accessor for each thing that kernels or architectures do differently. */
#ifndef WIRESCOPE_KCOMPAT_BPF_H
#define WIRESCOPE_KCOMPAT_BPF_H

#include <asm/unistd.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "compat-calls.bpf.h"
#include "syscall.h"

#define TS_COMPAT   0x0002 /* arch/x86/include/asm/thread_info.h */
#define TIF_32BIT   22     /* arch/arm64/include/asm/thread_info.h */
#define THREAD_SIZE 16384  /* on both, without KASAN or pages of 64 KiB: current_syscall_nr() */

/* What stands between pt_regs and the top of a stack: TOP_OF_KERNEL_STACK_PADDING, 6.9. */
#if defined(__TARGET_ARCH_x86)
#define STACK_TOP_PADDING \
	(bpf_core_type_exists(struct fred_info) ? bpf_core_type_size(struct fred_info) : 0)
#else
#define STACK_TOP_PADDING 0
#endif

#define kernel_has_helper(name) bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_##name)

/*
 * The kernel has BTF of its own: a program may follow the pointers that it is given with plain
 * loads, which cost a tenth of bpf_probe_read_kernel() and which a kernel that is locked down
 * (confidentiality) still permits. Without it (a BTF file only) each read is a call. Set by
 * kernel_describe().
 */
const volatile bool kernel_typed;

#define kernel_read(ptr, field) (kernel_typed ? (ptr)->field : BPF_CORE_READ(ptr, field))

/* bpf_get_current_task_btf() came with 5.11 (3ca1032ab7ab). */
#define current_is_typed() (kernel_typed && kernel_has_helper(get_current_task_btf))

#define task_read(field)                                        \
	(current_is_typed() ? bpf_get_current_task_btf()->field \
			    : BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), field))

/* The name of a process is that of its first thread: others may have names of their own. */
static __always_inline void leader_comm(char comm[16])
{
	struct task_struct *leader = task_read(group_leader);

	if (current_is_typed()) {
		((__u64 *)comm)[0] = *(__u64 *)&leader->comm[0];
		((__u64 *)comm)[1] = *(__u64 *)&leader->comm[8];
	} else {
		bpf_core_read(comm, 16, &leader->comm);
	}
}

/* What a probe was attached with: 5.15 (7adfc6c9b315). Tools refuse kernels that have it not. */
#define probe_cookie(ctx) \
	(kernel_has_helper(get_attach_cookie) ? bpf_get_attach_cookie(ctx) : (__u64)0)

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

	if (!current_is_typed())
		return (struct caller){current_pid_tgid() >> 32, syscall_is_compat()};
	task = bpf_get_current_task_btf();
	return (struct caller){task->tgid, task->COMPAT_FIELD & COMPAT_BIT};
}

#if defined(__TARGET_ARCH_x86)
#define SYSCALL_NR             orig_ax
#define SYSCALL_FUNCTION(name) "__x64_sys_" name
#define SYSCALL_ARG_0          di
#define SYSCALL_ARG_1          si
#define SYSCALL_ARG_2          dx
#define SYSCALL_ARG_3          r10
#else
#define SYSCALL_NR             syscallno
#define SYSCALL_FUNCTION(name) "__arm64_sys_" name
#define SYSCALL_ARG_0          orig_x0
#define SYSCALL_ARG_1          regs[1]
#define SYSCALL_ARG_2          regs[2]
#define SYSCALL_ARG_3          regs[3]
#endif

/* Number of the system call that regs belong to; regs is the tracepoint's own pointer. */
static __always_inline long regs_syscall_nr(struct pt_regs *regs)
{
	return kernel_read(regs, SYSCALL_NR);
}

/* Argument n (0 to 3) of a system call, from the registers at its begin; not for i386. */
#define regs_syscall_arg(regs, n) kernel_read(regs, SYSCALL_ARG_##n)

static __always_inline syscall_id make_syscall_id(long nr, bool compat)
{
	if (nr < 0 || nr >= SYSCALL_COMPAT)
		return SYSCALL_UNKNOWN;
	return compat ? nr + SYSCALL_COMPAT : nr;
}

/*
 * Registers of the system call that the current task made last, when no tracepoint hands them
 * to us; for kernel_read(). bpf_task_pt_regs() came with 5.15 (dd6e10fbd9fb); before it, they
 * are found at the top of the kernel stack, where every kernel has them.
 */
static __always_inline struct pt_regs *current_regs_untyped(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	void *stack = BPF_CORE_READ(task, stack);

	return stack + THREAD_SIZE - STACK_TOP_PADDING - bpf_core_type_size(struct pt_regs);
}

static __always_inline struct pt_regs *current_regs(void)
{
	if (kernel_typed)
		return (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	return current_regs_untyped();
}

/*
 * Whether the call that ends was made through the 32-bit ABI; compat is syscall_is_compat(). On
 * arm64 that is a matter of the program, which exec has replaced by one of the other ABI. All
 * registers are 0 then, and so is the one that a call's number was in.
 */
static __always_inline bool ended_call_is_compat(struct pt_regs *regs, long nr, bool compat)
{
#if defined(__TARGET_ARCH_arm64)
	if (compat && (nr == __NR_execve || nr == __NR_execveat))
		return kernel_read(regs, regs[7]);
	if (!compat && (nr == COMPAT_EXECVE || nr == COMPAT_EXECVEAT))
		return !kernel_read(regs, regs[8]);
#endif
	return compat;
}

/* The registers that it wants, where no tracepoint hands them to us; those need 5.15. */
static __always_inline struct pt_regs *ended_call_regs(void)
{
#if defined(__TARGET_ARCH_arm64)
	return current_regs();
#else
	return NULL;
#endif
}

static __always_inline long current_syscall_nr(void)
{
	if (!kernel_typed || kernel_has_helper(task_pt_regs))
		return regs_syscall_nr(current_regs());
	return BPF_CORE_READ(current_regs_untyped(), SYSCALL_NR);
}

#endif
