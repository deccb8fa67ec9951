// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "uprobe-cost.h"

#include <errno.h>
#include <link.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "clock.h"
#include "kernel.h"
#include "uprobe-multi.h"

#define ROUNDS 20
#define CALLS  50 /* in each, of which the fastest counts */

#define UPROBE_TYPE "/sys/bus/event_source/devices/uprobe/type"
#define SELF        "/proc/self/exe"

void uprobe_cost_emulated(void);
void uprobe_cost_stepped(void);

#if defined(__x86_64__)
#define EMULATED "nop\nret\n"
#define STEPPED  "test %eax, %eax\nret\n"
#else
#define EMULATED "b 1f\n1: ret\n"
#define STEPPED  "add x9, x9, #0\nret\n"
#endif

__asm__(".pushsection .text\n"
	".type uprobe_cost_emulated, %function\n"
	"uprobe_cost_emulated:\n" EMULATED ".type uprobe_cost_stepped, %function\n"
	"uprobe_cost_stepped:\n" STEPPED ".popsection\n");

struct place {
	uintptr_t addr;
	uint64_t offset; /* in the file */
};

/* The first object is the program itself. */
static int find_offset(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct place *place = arg;

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uint64_t into = place->addr - info->dlpi_addr - p->p_vaddr;

		if (p->p_type == PT_LOAD && into < p->p_filesz)
			place->offset = p->p_offset + into;
	}
	return 1;
}

static int event_type(void)
{
	FILE *file = fopen(UPROBE_TYPE, "re");
	int type = -1;

	if (file && fscanf(file, "%d", &type) != 1)
		type = -1;
	if (file)
		fclose(file);
	return type;
}

static int attach_by_perf(int prog, uint64_t offset, bool is_return)
{
	struct perf_event_attr attr = {.size = sizeof(attr), .type = event_type()};
	int fd;

	attr.config = is_return;
	attr.uprobe_path = (uintptr_t)SELF;
	attr.probe_offset = offset;
	fd = syscall(SYS_perf_event_open, &attr, getpid(), -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog) && !ioctl(fd, PERF_EVENT_IOC_ENABLE, 0))
		return fd;
	close(fd);
	return -EINVAL;
}

static int attach(int prog, uint64_t offset, bool is_return)
{
	const struct uprobe_multi m = {
		.path = SELF,
		.offsets = &offset,
		.cnt = 1,
		.is_return = is_return,
		.pid = getpid(),
	};

	return kernel_has(KERNEL_UPROBE_MULTI) ? uprobe_multi_link(prog, &m)
					       : attach_by_perf(prog, offset, is_return);
}

static uint64_t time_calls(void (*fn)(void))
{
	uint64_t best_ns = UINT64_MAX;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t begin_ns = clock_now_ns(), ns;

		for (int i = 0; i < CALLS; i++)
			fn();
		ns = clock_now_ns() - begin_ns;
		best_ns = ns < best_ns ? ns : best_ns;
	}
	return best_ns;
}

static int measure(int prog, void (*fn)(void), bool is_return, uint32_t *cost_ns)
{
	struct place place = {.addr = (uintptr_t)fn};
	uint64_t plain_ns = time_calls(fn), probed_ns;
	int fd;

	dl_iterate_phdr(find_offset, &place);
	if (!place.offset)
		return -ENOENT;
	fd = attach(prog, place.offset, is_return);
	if (fd < 0)
		return fd;
	probed_ns = time_calls(fn);
	close(fd);
	*cost_ns = probed_ns > plain_ns ? (probed_ns - plain_ns) / CALLS : 0;
	return 0;
}

int uprobe_calibrate(struct uprobe_costs *costs)
{
	static const struct bpf_insn return_0[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	int prog, err;

	if (kernel_has(KERNEL_UPROBE_MULTI))
		opts.expected_attach_type = UPROBE_MULTI_ATTACH;
	prog = bpf_prog_load(BPF_PROG_TYPE_KPROBE, NULL, "GPL", return_0, 2, &opts);
	if (prog < 0)
		return -errno;
	err = measure(prog, uprobe_cost_emulated, false, &costs->emulated_ns);
	err = err ?: measure(prog, uprobe_cost_stepped, false, &costs->stepped_ns);
	err = err ?: measure(prog, uprobe_cost_emulated, true, &costs->return_ns);
	close(prog);
	return err;
}

void uprobe_print_costs(void)
{
	struct uprobe_costs costs;
	int err = uprobe_calibrate(&costs);

	if (err)
		printf("FAIL  what probes of functions cost here: %s\n", strerror(-err));
	else
		printf("PASS  probes of functions cost %u ns here on instructions that the kernel "
		       "emulates, %u ns on others; a return %u ns\n",
		       costs.emulated_ns, costs.stepped_ns, costs.return_ns);
}
