/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Enter every system call 0..470 of this program's own ABI once, in order, and run none of
 * them: a seccomp filter answers ENOSYS to all but write and exit_group. write is called with
 * no bytes, exit_group comes last, out of order. Build with -m32 for the 32-bit ABI.
 * The first argument of each call is 0, or that of the program: socketcall and ipc take the
 * number of another call there.
 * Left out: uretprobe and uprobe of x86_64, which a filter cannot stop (since Linux 6.14 and
 * 6.18 they pass any), and the first of them kills a caller that is no trampoline.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LAST 470

/* Too new for the C library's headers; x86_64 only. */
#define NR_URETPROBE 335
#define NR_UPROBE    336

static int answer_enosys(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) ? -errno : 0;
}

static long zeros[16]; /* socketcall is told from its second argument only if that can be read */

static bool is_left_out(int nr)
{
#ifdef __x86_64__
	if (nr == NR_URETPROBE || nr == NR_UPROBE)
		return true;
#endif
	return nr == SYS_exit_group;
}

int main(int argc, char **argv)
{
	long first = argc > 1 ? strtol(argv[1], NULL, 0) : 0;
	int nr;

	if (answer_enosys()) {
		perror("all-syscalls: failed to install a seccomp filter");
		return 1;
	}
	for (nr = 0; nr <= LAST; nr++)
		if (!is_left_out(nr))
			syscall(nr, first, zeros, 0, 0, 0, 0);
	_exit(0);
}
