/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Names of system calls and errors, for both ABIs of this machine (x86_64 and i386; arm64
 * and arm). Names come from libseccomp; numbers newer than the installed one from a table.
 */
#ifndef WIRESCOPE_SYSCALLS_H
#define WIRESCOPE_SYSCALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "syscall.h"

/*
 * Name of a syscall_id. Unknown numbers read "[unknown: 500]"; the returned string is
 * static per id and stays valid.
 */
const char *syscall_name(syscall_id id);

/* A set of syscalls, one byte for each syscall_id: 1 is in. */
struct syscall_set {
	unsigned char in[SYSCALL_IDS];
};

/*
 * Parse "read,write", "%net", "net" (strace's class without the mark is accepted only with
 * '%'), "/regex" not supported, "!SET" or "!read,write" for all but these, numbers too. Both
 * ABIs are set for each name. Unknown names: prints WHAT and the nearest names, returns
 * -EINVAL.
 */
int syscall_set__parse(struct syscall_set *set, const char *text);

/* Print all names of the native ABI, four columns of %-22s, sorted (bcc syscount -l). */
void syscalls_list(FILE *out);

/* "EAGAIN", "ERESTARTSYS" (512 and up), or "errno 999"; static, stays valid. */
const char *errno_name(int nr);

/* "EAGAIN", "eagain" or "11" to 11; -EINVAL with a message if there is no such error. */
int errno_parse(const char *text);

#endif
