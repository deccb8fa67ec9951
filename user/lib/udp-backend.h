/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How a tool sees the system calls on UDP sockets (bpf/lib/udp-backend.bpf.h): which programs
 * see them here, which calls, and the options for that.
 */
#ifndef WIRESCOPE_UDP_BACKEND_H
#define WIRESCOPE_UDP_BACKEND_H

#include <stdbool.h>

#include <bpf/libbpf.h>

#include "target.h"
#include "tool.h"

enum udp_backend_key {
	UDP_KEY_MMSG_ONLY = 0x3000,
	UDP_KEY_RW,
	UDP_KEY_COMPAT,
	UDP_KEY_BACKEND,
};

/* Rows of a tool's argp options. */
#define UDP_BACKEND_OPTIONS(group)                                                              \
	{"mmsg-only", UDP_KEY_MMSG_ONLY, NULL, 0, "only sendmmsg and recvmmsg", group},         \
		{"rw", UDP_KEY_RW, NULL, 0, "write, read, sendfile on UDP sockets too", group}, \
		{"compat", UDP_KEY_COMPAT, NULL, 0, "32-bit callers too (dearer for others)",   \
		 group},                                                                        \
	{                                                                                       \
		"backend", UDP_KEY_BACKEND, "NAME", 0,                                          \
			"see calls by fentry, event, raw; default: best", group                 \
	}

/* For the tool's argp parser: false if the key is none of these. Bad values exit. */
bool udp_backend_parse(int key, const char *text);

/* The first of the options that was given; NULL if none was. */
const char *udp_backend_option(void);

/* Was --backend given? --mmsg-only? */
bool udp_backend_is_forced(void);
bool udp_backend_mmsg_only(void);

/*
 * Before loading: choose the programs and set what they are told. Programs whose names begin
 * with `other` (NULL: none) see calls in another way, and are switched off. 0 or an error.
 */
int udp_backend_setup(struct bpf_object *obj, const struct target *target, const char *other);

/* Before udp_backend_setup(): calls that receive need not be seen, but may be. */
void udp_backend_send_only(void);

/* Before loading: none of these programs, since `other` ones are used. */
void udp_backend_disable(struct bpf_object *obj, const char *other);

/* Once loaded: attach those whose SEC() does not say where. 0 or a negative errno, printed. */
int udp_backend_attach(struct bpf_object *obj);

/* Note that calls were seen in one direction only, or in none, and what may help. */
void udp_backend_say_unseen(bool rx, bool tx);

/* For struct tool, of tools that have --usdt too. */
extern const struct tool_mode udp_backend_modes[];
#define UDP_BACKEND_NEEDS \
	"Needs root, or CAP_BPF and CAP_PERFMON; --usdt: CAP_SYS_ADMIN (see --doctor).\n"
#define UDP_BACKEND_LOCKED_DOWN "Linux 6.2 or newer, without --usdt; or lockdown=integrity"

#endif
