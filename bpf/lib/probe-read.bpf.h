/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Numbers and texts that a probe passes, as include/probe-point.h says where they are. */
#ifndef WIRESCOPE_PROBE_READ_BPF_H
#define WIRESCOPE_PROBE_READ_BPF_H

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/usdt.bpf.h>
#include "kcompat.bpf.h"
#include "pidns.bpf.h"
#include "probe-point.h"

/* The verifier removes what no probe of the run needs. */
const volatile bool with_texts;
const volatile __u32 steps_max;

/* In read-only memory, which is never written while programs run. */
typedef const volatile struct probe_read *read_ptr;

static __always_inline __u64 bits_of(read_ptr r, __u64 v)
{
	__u32 cut = (64 - r->bits) & 63;

	if (r->swapped)
		v = __builtin_bswap64(v) >> ((64 - 8 * r->size) & 63);
	v = v >> (r->shift & 63) << cut;
	return (r->is_signed ? (__u64)((__s64)v >> cut) : v >> cut) + (__s64)r->add;
}

/* Size bytes of kernel memory, which the context is part of. */
static __always_inline int read_memory(__u64 *v, __u32 size, const void *from)
{
	*v = 0;
	if (size > sizeof(*v))
		size = sizeof(*v);
	return bpf_probe_read_kernel(v, size, from);
}

static __always_inline int follow(read_ptr r, __u64 *v)
{
	for (__u32 i = 0; i < PROBE_STEPS && i < steps_max && i < r->steps_cnt; i++) {
		bool last = i + 1 == r->steps_cnt;

		*v += r->steps[i];
		if (with_texts && last && r->text == TEXT_KERNEL)
			return 0;
		if (read_memory(v, last ? r->size : sizeof(*v), (void *)*v))
			return -1;
	}
	return 0;
}

static __always_inline int read_context(void *ctx, read_ptr r, __u64 *v)
{
	if (with_texts && r->text == TEXT_CONTEXT)
		return 0;
	if (read_memory(v, r->steps_cnt ? sizeof(*v) : r->size, ctx + r->at))
		return -1;
	return follow(r, v);
}

static __always_inline int read_about_task(read_ptr r, __u64 *v)
{
	if (r->kind == READ_PID)
		*v = pidns_current(true);
	else if (r->kind == READ_TID)
		*v = pidns_current(false);
	else if (r->kind == READ_THREAD) /* each CPU has an idle one, of number 0 */
		*v = (__u32)current_pid_tgid() ?: ~(__u64)bpf_get_smp_processor_id();
	else if (r->kind == READ_CPU)
		*v = bpf_get_smp_processor_id();
	return 0;
}

static __always_inline int read_number(void *ctx, read_ptr r, bool usdt, __u64 *v)
{
	int err;

	*v = 0;
	if (usdt && r->kind == READ_USDT)
		err = bpf_usdt_arg(ctx, r->at, (long *)v);
	else if (r->kind == READ_CONTEXT)
		err = read_context(ctx, r, v);
	else
		return read_about_task(r, v);
	if (err)
		return err;
	if (!with_texts || r->text != TEXT_KERNEL)
		*v = bits_of(r, *v);
	return 0;
}

/* Two functions, for the helpers of one are not known to programs of the other's type. */
static __noinline int read_plain(void *ctx, read_ptr r, __u64 *v)
{
	return read_number(ctx, r, false, v);
}

static __noinline int read_usdt(struct pt_regs *ctx, read_ptr r, __u64 *v)
{
	return read_number(ctx, r, true, v);
}

static __always_inline int read(void *ctx, read_ptr r, bool usdt, __u64 *v)
{
	return usdt ? read_usdt(ctx, r, v) : read_plain(ctx, r, v);
}

static __always_inline int read_text(void *ctx, read_ptr r, __u64 v, char *text)
{
	__u32 size = r->size + 1;

	if (size > PROBE_TEXT)
		size = PROBE_TEXT;
	if (r->text == TEXT_USER)
		return bpf_probe_read_user_str(text, PROBE_TEXT, (void *)v);
	if (r->text == TEXT_CONTEXT)
		return bpf_probe_read_kernel_str(text, size, ctx + r->at);
	if (r->text == TEXT_OFFSET)
		return bpf_probe_read_kernel_str(text, PROBE_TEXT, ctx + (__u16)v);
	return bpf_probe_read_kernel_str(text, size, (void *)v);
}

static __always_inline int read_key(void *ctx, read_ptr r, bool usdt, void *part)
{
	__u64 v;

	if (r->kind == READ_NOTHING)
		return 0;
	if (r->kind == READ_COMM) {
		bpf_get_current_comm(part, 16);
		return 0;
	}
	if (read(ctx, r, usdt, &v))
		return -1;
	if (!with_texts || r->text == TEXT_NONE) {
		*(__u64 *)part = v;
		return 0;
	}
	return read_text(ctx, r, v, part) < 0 ? -1 : 0;
}

#endif
