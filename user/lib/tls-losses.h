/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Losses of connections that no record has told of (include/tls-connection.h). */
#ifndef WIRESCOPE_TLS_LOSSES_H
#define WIRESCOPE_TLS_LOSSES_H

#include <bpf/libbpf.h>

/* Before tls_output_close(). Errors print a message. */
int tls_losses_add(const struct bpf_map *of_closed, const struct bpf_map *connections);

#endif
