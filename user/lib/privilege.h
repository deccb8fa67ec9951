/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What this process may do, and giving up what it no longer needs. */
#ifndef WIRESCOPE_PRIVILEGE_H
#define WIRESCOPE_PRIVILEGE_H

#include <stdbool.h>
#include <sys/types.h>

struct bpf_object;

/* Is CAP_... effective? CAP_SYS_ADMIN stands for CAP_BPF and CAP_PERFMON. */
bool privilege_has(int capability);

/* May programs be loaded and attached to tp_btf? */
bool privilege_may_load(void);

/* May the calls be looked up that processes of other users are in (/proc/PID/syscall)? */
bool privilege_may_look(void);

/* May uprobes be attached? CAP_SYS_ADMIN; some kernels make do with CAP_PERFMON. */
bool privilege_may_probe(void);

/* True in a user namespace of its own, whose capabilities are worth nothing here. */
bool privilege_in_user_namespace(void);

/*
 * Refuse to run as a set-user-ID or set-group-ID program: who may run it could write any file
 * by -o, and run commands as its owner. File capabilities are welcome: the command does not
 * inherit them. Returns 0, or -EPERM after a message.
 */
int privilege_check_caller(void);

/* What the rest of a run does, once all is attached and the command was started. */
struct privilege_rest {
	const struct bpf_object *obj; /* its maps are read; NULL: none */
	pid_t command;                /* is sent signals; 0: none */
	bool reads_calls;             /* /proc/PID/task/TID/syscall is read, of any process */
};

/*
 * Give up, for good, all capabilities but those without which the rest would not work; tells
 * them with -v. No later exec can get any back, and other processes of our user can take
 * neither our memory nor our descriptors. Returns 0, or a negative error after a message.
 */
int privilege_drop(const struct privilege_rest *rest);

#endif
