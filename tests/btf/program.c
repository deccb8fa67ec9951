// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the programs of an object are attached to, and which functions of a kernel they call. */
#include "object.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <gelf.h>
#include <linux/bpf.h>

#include "log.h"

/* What a program's section names, and what that is in the kernel's BTF. */
static const struct target {
	const char *section, *prefix;
	int kind;
	int hidden; /* arguments that a program does not get */
	int more;   /* arguments that it gets in addition: the result */
} targets[] = {
	{"tp_btf/", "btf_trace_", BTF_KIND_TYPEDEF, 1, 0},
	{"fentry/", "", BTF_KIND_FUNC, 0, 0},
	{"fentry.s/", "", BTF_KIND_FUNC, 0, 0},
	{"fexit/", "", BTF_KIND_FUNC, 0, 1},
	{"fexit.s/", "", BTF_KIND_FUNC, 0, 1},
	{"fmod_ret/", "", BTF_KIND_FUNC, 0, 1},
	{"lsm/", "bpf_lsm_", BTF_KIND_FUNC, 0, 1},
	{"iter/", "bpf_iter_", BTF_KIND_FUNC, 0, 0},
};

static const struct target *target_of(const char *section)
{
	for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
		if (!strncmp(section, targets[i].section, strlen(targets[i].section)))
			return &targets[i];
	}
	return NULL;
}

/* The function's type, behind the pointer that a btf_trace_* type is. */
static const struct btf_type *function_of(const struct btf *btf, const struct btf_type *t)
{
	while (btf_is_typedef(t) || btf_is_ptr(t) || btf_is_func(t))
		t = btf__type_by_id(btf, t->type);
	return t;
}

/* Which registers hold the context, after the instruction, as far as one line can tell. */
static void follow_context(bool holds[], const struct bpf_insn *insn)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU64:
		holds[insn->dst_reg] = BPF_OP(insn->code) == BPF_MOV &&
				       BPF_SRC(insn->code) == BPF_X && holds[insn->src_reg];
		break;
	case BPF_ALU:
	case BPF_LD:
	case BPF_LDX:
		holds[insn->dst_reg] = false;
		break;
	case BPF_JMP:
		if (BPF_OP(insn->code) == BPF_CALL)
			memset(holds, 0, 6 * sizeof(*holds));
		break;
	}
}

/* How many arguments the program reads: each is 8 bytes of its context. */
static int args_read(const struct bpf_program *prog)
{
	const struct bpf_insn *insn = bpf_program__insns(prog);
	bool holds[16] = {[BPF_REG_1] = true};
	int cnt = 0;

	for (size_t i = 0; i < bpf_program__insn_cnt(prog); i++, insn++) {
		bool wide = insn->code == (BPF_LD | BPF_IMM | BPF_DW);

		if (BPF_CLASS(insn->code) == BPF_LDX && holds[insn->src_reg] &&
		    insn->off / 8 + 1 > cnt)
			cnt = insn->off / 8 + 1;
		follow_context(holds, insn);
		if (wide)
			i++, insn++;
	}
	return cnt;
}

/* A program that is not loaded unless it is asked for ("?" in its section) may lack its target. */
static void check_target(const struct object *o, const struct bpf_program *prog,
			 const struct target *target, const struct kernel *kernel, int nr)
{
	enum finding kind = bpf_program__autoload(prog) ? FINDING_WRONG : FINDING_NOTE;
	const char *section = bpf_program__section_name(prog), *name = bpf_program__name(prog);
	const struct btf_type *t;
	char in_btf[128];
	int id, args;

	section += *section == '?';
	snprintf(in_btf, sizeof(in_btf), "%s%s", target->prefix, section + strlen(target->section));
	id = btf__find_by_name_kind(kernel->btf, in_btf, target->kind);
	if (id < 0) {
		finding(kind, nr, "has no target", "%s: %s (%s)", o->name, name, section);
		return;
	}
	t = function_of(kernel->btf, btf__type_by_id(kernel->btf, id));
	args = btf_is_func_proto(t) ? btf_vlen(t) - target->hidden + target->more : 0;
	if (args_read(prog) > args)
		finding(kind, nr, "reads more arguments than there are", "%s: %s (%s): %d of %d",
			o->name, name, section, args_read(prog), args);
}

int object__check_targets(const struct object *o, const struct kernels *kernels, int kernel)
{
	const struct bpf_program *prog = NULL;
	int cnt = 0;

	while ((prog = bpf_object__next_program(o->obj, (struct bpf_program *)prog))) {
		const char *section = bpf_program__section_name(prog);
		const struct target *target = target_of(section + (*section == '?'));

		if (!target)
			continue;
		check_target(o, prog, target, &kernels->kernel[kernel], kernel);
		cnt++;
	}
	return cnt;
}

/* ---- functions ---------------------------------------------------------------------------- */

/* The mapper puts the commas. */
#define HELPER_NAME(name, ...) [BPF_FUNC_##name] = #name
static const char *const helper_names[] = {__BPF_FUNC_MAPPER(HELPER_NAME)};

static const char *helper_name(int nr)
{
	bool known = nr >= 0 && (size_t)nr < sizeof(helper_names) / sizeof(*helper_names);

	return known && helper_names[nr] ? helper_names[nr] : "unknown";
}

/* The number of helpers is that of the last enumerator, __BPF_FUNC_MAX_ID. */
static int helper_cnt(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "bpf_func_id", BTF_KIND_ENUM), max = 0;
	const struct btf_type *t = btf__type_by_id(btf, id < 0 ? 0 : id);

	for (int i = 0; id > 0 && i < btf_vlen(t); i++) {
		if (btf_enum(t)[i].val > max)
			max = btf_enum(t)[i].val;
	}
	return max;
}

static void check_calls(const struct object *o, const struct bpf_insn *insn, size_t cnt,
			int helpers, int nr, int *calls)
{
	for (size_t i = 0; i < cnt; i++, insn++) {
		char what[128];

		if (insn->code != (BPF_JMP | BPF_CALL) || insn->src_reg || insn->imm <= 0)
			continue;
		++*calls;
		if (insn->imm < helpers)
			continue;
		snprintf(what, sizeof(what), "bpf_func_id.BPF_FUNC_%s", helper_name(insn->imm));
		if (object__asks_for(o, what))
			finding(FINDING_NOTE, nr, "done without", "%s: %s", o->name, what);
		else
			finding(FINDING_WRONG, nr, "called without asking for it", "%s: %s",
				o->name, what);
	}
}

/* Calls f() for each section, until it returns something. */
static int for_each_section(const struct object *o, int (*f)(Elf *, Elf_Scn *, void *), void *ctx)
{
	FILE *file = fopen(o->path, "re");
	Elf_Scn *section = NULL;
	int result = 0;
	Elf *elf;

	if (!file)
		return fail(-errno, "failed to open '%s'", o->path);
	elf_version(EV_CURRENT);
	elf = elf_begin(fileno(file), ELF_C_READ_MMAP, NULL);
	while (elf && !result && (section = elf_nextscn(elf, section)))
		result = f(elf, section, ctx);
	elf_end(elf);
	fclose(file);
	return elf ? result : fail(-EINVAL, "'%s' is no ELF file", o->path);
}

struct helper_check {
	const struct object *o;
	int helpers, kernel, calls;
};

/* Sections, not programs: libbpf does not show the functions that programs share. */
static int check_section(Elf *elf, Elf_Scn *section, void *ctx)
{
	struct helper_check *c = ctx;
	Elf_Data *data;
	GElf_Shdr header;

	(void)elf;
	if (!gelf_getshdr(section, &header) || !(header.sh_flags & SHF_EXECINSTR))
		return 0;
	data = elf_getdata(section, NULL);
	if (data && data->d_buf)
		check_calls(c->o, data->d_buf, data->d_size / sizeof(struct bpf_insn), c->helpers,
			    c->kernel, &c->calls);
	return 0;
}

int object__check_helpers(const struct object *o, const struct kernels *kernels, int kernel)
{
	struct helper_check c = {o, helper_cnt(kernels->kernel[kernel].btf), kernel, 0};
	int err = for_each_section(o, check_section, &c);

	return err ? err : c.calls;
}

struct symbol {
	const char *name;
	bool weak;
};

static int find_weak(Elf *elf, Elf_Scn *section, void *ctx)
{
	struct symbol *wanted = ctx;
	Elf_Data *data;
	GElf_Shdr header;
	GElf_Sym sym;

	if (!gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB)
		return 0;
	data = elf_getdata(section, NULL);
	for (int i = 0; data && gelf_getsym(data, i, &sym); i++) {
		const char *name = elf_strptr(elf, header.sh_link, sym.st_name);

		if (name && !strcmp(name, wanted->name))
			wanted->weak = GELF_ST_BIND(sym.st_info) == STB_WEAK;
	}
	return 1;
}

int object__check_kfuncs(const struct object *o, const struct kernels *kernels, int kernel)
{
	int id = btf__find_by_name_kind(o->btf, ".ksyms", BTF_KIND_DATASEC), cnt = 0;
	const struct btf_type *t = btf__type_by_id(o->btf, id < 0 ? 0 : id);

	for (int i = 0; id > 0 && i < btf_vlen(t); i++) {
		const struct btf_type *f = btf__type_by_id(o->btf, btf_var_secinfos(t)[i].type);
		struct symbol symbol = {btf__name_by_offset(o->btf, f->name_off), false};

		if (!btf_is_func(f))
			continue;
		cnt++;
		if (btf__find_by_name_kind(kernels->kernel[kernel].btf, symbol.name,
					   BTF_KIND_FUNC) > 0)
			continue;
		if (for_each_section(o, find_weak, &symbol) < 0)
			return -EINVAL;
		finding(symbol.weak ? FINDING_NOTE : FINDING_WRONG, kernel,
			symbol.weak ? "done without" : "missing", "%s: %s()", o->name, symbol.name);
	}
	return cnt;
}
