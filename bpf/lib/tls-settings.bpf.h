/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What was asked for of TLS calls; the verifier removes what was not. Set before loading. */
#ifndef WIRESCOPE_TLS_SETTINGS_BPF_H
#define WIRESCOPE_TLS_SETTINGS_BPF_H

#include <bpf/bpf_helpers.h>
#include "tls-connection.h"

const volatile bool tls_summary;
const volatile bool tls_with_connections; /* else only their libraries and processes are known */
const volatile bool tls_no_data;
const volatile __u64 tls_max_bytes; /* of a call; 0: all */
const volatile __u64 tls_budget;    /* of a connection; 0: all */
const volatile bool tls_by_uid;
const volatile __u32 tls_uid;
const volatile __u16 tls_port; /* in network order; 0: any */
const volatile __u32 tls_match_len;
const volatile char tls_match[TLS_MATCH_MAX];
const volatile __u32 tls_by; /* enum tls_by */

static __always_inline bool port_matches(const struct tls_connection *c)
{
	if (!tls_port)
		return true;
	return c && (c->local.port == tls_port || c->remote.port == tls_port);
}

#endif
