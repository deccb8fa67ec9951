/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Room for connections, of which programs that end do not always let go. */
#ifndef WIRESCOPE_TLS_SWEEP_H
#define WIRESCOPE_TLS_SWEEP_H

#include <bpf/libbpf.h>

/*
 * Remove the connections of processes that are gone, but for those that have lost something that
 * no record has told of. Does nothing where process ids are not those of BPF programs.
 */
void tls_sweep(const struct bpf_map *connections);

#endif
