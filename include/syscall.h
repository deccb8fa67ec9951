/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One small number for a system call of either ABI, used as an array index in BPF and as a
 * key in reports: native numbers as they are, numbers of 32-bit callers from SYSCALL_COMPAT.
 */
#ifndef WIRESCOPE_SYSCALL_H
#define WIRESCOPE_SYSCALL_H

#include <linux/types.h>

#define SYSCALL_COMPAT  512  /* first id of the 32-bit ABI */
#define SYSCALL_UNKNOWN 1024 /* a number out of both ranges */
#define SYSCALL_IDS     1025

typedef __u32 syscall_id; /* as a map key: printed by name */
typedef __u32 errno_nr;   /* as a map key: printed by name; positive, 1..ERRNO_MAX */

/* 512..530 are the kernel's internal restart codes (include/linux/errno.h). */
#define ERRNO_MAX 531

#endif
