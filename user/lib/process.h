/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What /proc says of processes. */
#ifndef WIRESCOPE_PROCESS_H
#define WIRESCOPE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCESS_COMM 16

/*
 * Check that pid is a process that can be traced. Returns 0, or after a message: -ESRCH (no
 * such process, or a zombie), -EINVAL (it is a thread of another process, or our own).
 */
int process_check(pid_t pid);

/* True for a thread of the kernel's own, which makes no system calls. */
bool process_is_kernel(pid_t pid);

/* True while it has a thread that has not ended. */
bool process_runs(pid_t pid);

/* Name as the kernel has it; "?" if it is gone. */
void process_comm(pid_t pid, char comm[PROCESS_COMM]);

/* Parent of pid, or a negative error. */
pid_t process_parent(pid_t pid);

/* Calls fn for each process in /proc; stops at a return value other than 0, returns it. */
int process_each(int (*fn)(pid_t pid, void *arg), void *arg);

/* Calls fn for each thread of pid, with the same rule. -ESRCH if pid is gone. */
int process_each_thread(pid_t pid, int (*fn)(pid_t tid, void *arg), void *arg);

/*
 * Number of the system call in which a thread is blocked, from /proc/PID/task/TID/syscall;
 * -EAGAIN if it runs or is not in a call, another negative error if it cannot be read.
 */
long process_blocked_syscall(pid_t pid, pid_t tid);

/* ELF class of the running executable: 32 or 64, or a negative error. */
int process_elf_class(pid_t pid);

/* The same for a file. Scripts (no ELF) give -ENOEXEC. */
int file_elf_class(const char *path);

/* Has the process of a pidfd ended? */
bool process_ended(int pidfd);

#endif
