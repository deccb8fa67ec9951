/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Histograms of TLS calls, which leave no payload behind. */
#ifndef WIRESCOPE_TLS_SUMMARY_BPF_H
#define WIRESCOPE_TLS_SUMMARY_BPF_H

#include <bpf/bpf_helpers.h>
#include "hist.bpf.h"
#include "pidns.bpf.h"
#include "tls-frames.bpf.h"
#include "tls-settings.bpf.h"

HIST_SPLIT(read_bytes, struct tls_key);
HIST_SPLIT(write_bytes, struct tls_key);
HIST_SPLIT(read_latencies, struct tls_key);
HIST_SPLIT(write_latencies, struct tls_key);
HIST_SPLIT(handshake_latencies, struct tls_key);

COUNT_ARRAY(handshakes, __u32, TLS_COUNTS); /* enum tls_count */

static __always_inline void tls_make_key(struct tls_key *key, const struct tls_connection *c,
					 __u32 library)
{
	__builtin_memset(key, 0, sizeof(*key));
	if (tls_by == TLS_BY_LIBRARY) {
		key->id = library;
		return;
	}
	leader_comm(key->comm);
	if (tls_by == TLS_BY_PROCESS) {
		key->id = pidns_current(true);
	} else if (c) {
		key->id = c->number;
		key->local = c->local;
		key->remote = c->remote;
	}
}

#define TLS_SUMMARIZE(name, key, value)                          \
	do {                                                     \
		if (tls_by)                                      \
			hist_add_key(&name##_by, &(key), value); \
		else                                             \
			hist_add(&name, value);                  \
	} while (0)

__noinline int tls_summarize(const struct tls_frame *f, const struct tls_connection *c,
			     __u32 library, __u64 moved)
{
	struct tls_key key;
	__u64 latency_ns;

	if (!f || !tls_summary)
		return 0;
	latency_ns = bpf_ktime_get_ns() - f->begin_ns;
	if (tls_by)
		tls_make_key(&key, c, library);
	if (is_read(f->role)) {
		TLS_SUMMARIZE(read_bytes, key, moved);
		TLS_SUMMARIZE(read_latencies, key, latency_ns);
	} else {
		TLS_SUMMARIZE(write_bytes, key, moved);
		TLS_SUMMARIZE(write_latencies, key, latency_ns);
	}
	return 0;
}

/* A handshake that went well. */
__noinline int tls_summarize_handshake(const struct tls_connection *c, __u32 library)
{
	struct tls_key key;

	if (!c || !tls_summary)
		return 0;
	if (tls_by)
		tls_make_key(&key, c, library);
	TLS_SUMMARIZE(handshake_latencies, key, bpf_ktime_get_ns() - c->handshake_ns);
	return 0;
}

#endif
