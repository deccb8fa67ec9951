/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What udp-syscall's two halves share. */
#ifndef WIRESCOPE_UDP_SYSCALL_H
#define WIRESCOPE_UDP_SYSCALL_H

#include "endpoint.h"

enum udp_by { UDP_BY_NONE, UDP_BY_SOCKET, UDP_BY_THREAD };

struct udp_key {
	struct thread_id thread;
	struct endpoint local;
	struct endpoint peer;
};

#endif
