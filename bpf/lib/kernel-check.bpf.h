/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Does a BTF file describe this kernel? See kernel_check() in user/lib/kernel.c. */
#ifndef WIRESCOPE_KERNEL_CHECK_BPF_H
#define WIRESCOPE_KERNEL_CHECK_BPF_H

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "kcompat.bpf.h"

bool kernel_check_passed;

/* Kernels before 5.17 leave in place what a longer name had behind the end of this one. */
static __always_inline bool same_comm(const char *a, const volatile char *b)
{
	for (int i = 0; i < 16; i++) {
		if (a[i] != b[i])
			return false;
		if (!a[i])
			return true;
	}
	return true;
}

/*
 * What the fields say is compared with what the kernel says. One call that passes is enough: of
 * another kernel's file none does, while the calls of others may look odd (the upper half of a
 * call's number is theirs to choose), or change their name meanwhile.
 */
SEC("tp_btf/sys_enter")
int BPF_PROG(kernel_check, struct pt_regs *regs, long nr)
{
	char comm[16] = "", field[16] = "";
	struct task_struct *task = (void *)bpf_get_current_task();
	__u64 id = current_pid_tgid();

	bpf_get_current_comm(comm, sizeof(comm));
	bpf_core_read(field, sizeof(field), &task->comm);
	if ((__u32)BPF_CORE_READ(task, tgid) == id >> 32 &&
	    (__u32)BPF_CORE_READ(task, pid) == (__u32)id && regs_syscall_nr(regs) == nr &&
	    same_comm(comm, field))
		kernel_check_passed = true;
	return 0;
}

#endif
