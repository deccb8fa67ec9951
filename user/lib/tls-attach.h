/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Putting the programs of bpf/sslsniff.bpf.c on the functions of TLS libraries. */
#ifndef WIRESCOPE_TLS_ATTACH_H
#define WIRESCOPE_TLS_ATTACH_H

#include <sys/types.h>

#include <bpf/libbpf.h>

#include "tls-libraries.h"

struct tls_programs {
	struct bpf_program *call_begin;
	struct bpf_program *call_end;
	struct bpf_program *name_end;
	struct bpf_program *name_begin;
	struct bpf_program *ctrl_begin;
	struct bpf_program *error_begin;
	struct bpf_program *handle_closed;
};

/* Before loading. Errors print a message. */
int tls_attach_prepare(const struct tls_programs *programs);

/*
 * Attach to all functions of a library whose number in the run is nr. pid: only this process pays
 * for it; -1: all that use the library. Errors print a message.
 */
int tls_attach_library(const struct tls_programs *programs, const struct tls_library *library,
		       unsigned int nr, pid_t pid);

#endif
