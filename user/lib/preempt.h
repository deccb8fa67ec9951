/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whether BPF programs can be preempted. While one is, the kernel runs it for no other task of
 * that CPU, for as long as that lasts: on Linux 7.2, up to a third of all events were left out
 * (the kernel counts them, and we report them as lost).
 */
#ifndef WIRESCOPE_PREEMPT_H
#define WIRESCOPE_PREEMPT_H

#include <stdbool.h>

struct btf;

/* Those on tracepoints cannot be preempted here: before 7.0, or without preemption. */
bool preempt_spares_tracepoints(const struct btf *btf);

/* Those on functions neither. Before 7.0, PREEMPT_DYNAMIC is taken for voluntary preemption. */
bool preempt_spares_fentry(const struct btf *btf);

#endif
