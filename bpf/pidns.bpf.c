// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Not a tool's: user/lib/pidns.c reads this list of threads, each with its id in the PID
 * namespace of the reader and in the initial one. Iterators came with 5.8 (eaaacd23910f).
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "pidns.bpf.h"
#include "pidns-thread.h"

__u32 reader_level; /* depth of the reader's namespace */
__u32 offsets[PIDNS_OFFSETS];

SEC("iter/task")
int list_threads(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task, *reader;
	struct pidns_thread thread;
	struct pid *pid;

	if (!task)
		return 0;
	reader = (void *)bpf_get_current_task();
	pid = BPF_CORE_READ(reader, thread_pid);
	reader_level = BPF_CORE_READ(pid, level);
	/* The kernel walks the reader's namespace only: at this level all have that one. */
	offsets[PIDNS_LEVEL] = bpf_core_field_offset(struct pid, level);
	/* An array without a fixed length: an index into it cannot be relocated. */
	offsets[PIDNS_NUMBERS] = bpf_core_field_offset(struct pid, numbers);
	offsets[PIDNS_INUM] = bpf_core_field_offset(struct pid_namespace, ns.inum);
	thread.id = pidns_upid(task, reader_level, offsets).nr;
	thread.global_id = task->pid;
	bpf_seq_write(ctx->meta->seq, &thread, sizeof(thread));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
