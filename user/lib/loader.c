// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Where libbpf draws the wrong conclusion from what a kernel refuses. The linker gives these
 * to libbpf in place of its own functions (--wrap in the Makefile).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#define NO_HELPER 0x7fffffff

int __real_bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license,
			 const struct bpf_insn *insns, size_t cnt,
			 const struct bpf_prog_load_opts *opts);
int __wrap_bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license,
			 const struct bpf_insn *insns, size_t cnt,
			 const struct bpf_prog_load_opts *opts);
int __real_bpf_btf_get_next_id(__u32 start_id, __u32 *next_id);
int __wrap_bpf_btf_get_next_id(__u32 start_id, __u32 *next_id);

/* libbpf's question whether there is bpf_probe_read_kernel() (5.5), which is always "yes". */
static bool asks_for_probe_read(enum bpf_prog_type type, const struct bpf_insn *insns, size_t cnt)
{
	const struct bpf_insn *call = &insns[4];

	return type == BPF_PROG_TYPE_TRACEPOINT && cnt == 6 && call->code == (BPF_JMP | BPF_CALL) &&
	       call->imm == BPF_FUNC_probe_read_kernel;
}

/* The call of a weak kernel function that this kernel does not have. */
static bool is_absent_function(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_KFUNC_CALL &&
	       !insn->imm && !insn->off;
}

static bool calls_absent_function(const struct bpf_insn *insns, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		if (is_absent_function(&insns[i]))
			return true;
	}
	return false;
}

/*
 * A kernel that is locked down (confidentiality) refuses this helper, which libbpf takes for
 * the age of the kernel: it then replaces bpf_probe_read_user() as well, which is permitted, by
 * bpf_probe_read(), which is not.
 *
 * Kernels from 5.13 to 5.15 refuse calls of absent functions even where they are never reached;
 * 5.16 does not (2357672c54c3), nor do those before 5.13, which do not look for such calls
 * (e6ac2450d6de). The call of a helper that does not exist is refused only where it is reached.
 */
int __wrap_bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license,
			 const struct bpf_insn *insns, size_t cnt,
			 const struct bpf_prog_load_opts *opts)
{
	struct bpf_insn *poisoned;
	int fd, err;

	/* libbpf only closes what it gets. */
	if (asks_for_probe_read(type, insns, cnt))
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (!calls_absent_function(insns, cnt))
		return __real_bpf_prog_load(type, name, license, insns, cnt, opts);
	poisoned = malloc(cnt * sizeof(*insns));
	if (!poisoned)
		return -ENOMEM;
	memcpy(poisoned, insns, cnt * sizeof(*insns));
	for (size_t i = 0; i < cnt; i++) {
		if (is_absent_function(&poisoned[i]))
			poisoned[i] = (struct bpf_insn){.code = BPF_JMP | BPF_CALL,
							.imm = NO_HELPER};
	}
	fd = __real_bpf_prog_load(type, name, license, poisoned, cnt, opts);
	err = errno;
	free(poisoned);
	errno = err;
	return fd;
}

/*
 * Only CAP_SYS_ADMIN may list BTF objects. libbpf looks for kernel functions in modules too if
 * vmlinux lacks them, and then fails to load where it should go on without them: ours are weak,
 * and none is in a module.
 */
int __wrap_bpf_btf_get_next_id(__u32 start_id, __u32 *next_id)
{
	int err = __real_bpf_btf_get_next_id(start_id, next_id);

	if (!err || errno != EPERM)
		return err;
	errno = ENOENT;
	return -ENOENT;
}
