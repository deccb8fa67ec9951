// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "vmlinux.h"
#include <asm/unistd.h>
#include "filter.bpf.h"
#include "hist.bpf.h"

HIST(read_sizes);

SEC("tp_btf/sys_exit")
int BPF_PROG(leave, struct pt_regs *regs, long ret)
{
	if (filter_pass() && !syscall_is_compat() && regs_syscall_nr(regs) == __NR_read)
		hist_add(&read_sizes, ret);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
