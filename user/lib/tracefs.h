/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Classic tracepoints. tracefs need not be mounted: where it is not, we mount it detached
 * (fsmount(2), 5.2), visible to nobody else and gone with us.
 */
#ifndef WIRESCOPE_TRACEFS_H
#define WIRESCOPE_TRACEFS_H

#include <stdint.h>

#include <bpf/libbpf.h>

/* Number of an event for perf_event_open(2), or a negative error; no message. */
int tracefs_event_id(const char *group, const char *event);

/* Text of its format file, on the heap, or a negative error and NULL; no message. */
int tracefs_read_format(const char *group, const char *event, char **text);

/*
 * Calls fn for each event, by group and name; stops at a return value other than 0, returns it.
 * A negative error otherwise, no message.
 */
int tracefs_each_event(int (*fn)(const char *group, const char *event, void *arg), void *arg);

/* Is there such an event, and may it be attached to? 0, or a negative error; no message. */
int tracefs_try(const char *group, const char *event);

/* Attach a SEC("tracepoint") program; NULL after a message. The caller destroys the link. */
struct bpf_link *tracefs_attach(const struct bpf_program *prog, const char *group,
				const char *event);

/* The same, with what bpf_get_attach_cookie() of the program returns (5.15). */
struct bpf_link *tracefs_attach_cookie(const struct bpf_program *prog, const char *group,
				       const char *event, uint64_t cookie);

#endif
