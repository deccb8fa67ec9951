// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "vmlinux.h"
#include "filter.bpf.h"
#include "pidns.bpf.h"
#include "ring.bpf.h"
#include "exec-log.h"

SEC("tp_btf/sched_process_exec")
int BPF_PROG(log_exec, struct task_struct *task, pid_t old_pid, struct linux_binprm *binprm)
{
	struct exec_event *e;
	const char *file = kernel_read(binprm, filename);
	char next = 0;

	if (!filter_pass())
		return 0;
	e = ring_reserve(sizeof(*e));
	if (!e)
		return 0;
	e->ns = bpf_ktime_get_ns();
	e->pid = pidns_current(true);
	e->parent = pidns_parent();
	e->uid = bpf_get_current_uid_gid();
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	if (bpf_probe_read_kernel_str(e->file, sizeof(e->file), file) == sizeof(e->file))
		bpf_probe_read_kernel(&next, 1, file + sizeof(e->file) - 1);
	e->cut = next != 0;
	ring_submit(e);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
