// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "usdt.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "binary.h"
#include "elf-image.h"
#include "elf-probes.h"
#include "kernel.h"
#include "links.h"
#include "log.h"
#include "maps.h"
#include "privilege.h"
#include "process.h"

int usdt_rename(struct usdt_name *names, size_t cnt, char *text)
{
	char *provider = strchr(text, '='), *name = provider ? strchr(provider, ':') : NULL;

	if (name && name > provider + 1 && name[1]) {
		for (size_t i = 0; i < cnt; i++) {
			size_t len = strlen(names[i].which);

			if (len != (size_t)(provider - text) || strncmp(names[i].which, text, len))
				continue;
			*name = '\0';
			names[i].provider = provider + 1;
			names[i].name = name + 1;
			return 0;
		}
	}
	refuse(-EINVAL, "'%s' does not name a probe", text);
	suggest("--probe %s=PROVIDER:NAME", names[0].which);
	return -EINVAL;
}

/* The names, each once, as far as there is room. */
static void list_names(const struct elf_probes *elf, char *text, size_t size)
{
	size_t used = 0;

	*text = '\0';
	for (size_t i = 0; i < elf->cnt; i++) {
		char item[256];
		int len = snprintf(item, sizeof(item), " %s:%s", elf->list[i].provider,
				   elf->list[i].name);

		if (len >= (int)sizeof(item) || (size_t)len >= size - used || strstr(text, item))
			continue;
		memcpy(text + used, item, len + 1);
		used += len;
	}
}

static int explain_missing(const struct elf_probes *elf, const char *label,
			   const struct usdt_name *names)
{
	char list[512];

	list_names(elf, list, sizeof(list));
	refuse(-ENOENT, "'%s' has none of the probes, such as %s:%s", label, names[0].provider,
	       names[0].name);
	why("it has %zu probes (" ELF_PROBES_SECTION ")%s%s", elf->cnt, *list ? ":" : "", list);
	if (*list)
		suggest("--probe %s=PROVIDER:NAME", names[0].which);
	else
		suggest("a binary that was built with its probes, or another tool");
	return -ENOENT;
}

/* A PID spares other processes of the binary, but does not reach children. */
static pid_t single_pid(const struct target *target)
{
	if (target->follow)
		return -1;
	if (target->command.pid)
		return target->command.pid;
	return target->pids_cnt == 1 ? target->pids[0] : -1;
}

static int explain_failure(int err, const char *label, const struct usdt_name *name)
{
	fail(err, "failed to attach to the probe %s:%s of '%s'", name->provider, name->name, label);
	if (err == -EOPNOTSUPP) {
		why("probes of all processes of a binary need Linux 5.15 (BPF cookies)");
		suggest("-p PID, of a process that runs already");
	} else if (!privilege_may_probe()) {
		why("this kernel lets only CAP_SYS_ADMIN attach probes to programs");
		suggest("sudo %s ..., or the same without --usdt", log_tool());
	}
	return err;
}

static int check_elf(const struct binary *binary, const char *label)
{
	int bits = file_elf_class(binary->path);

	if (bits == -ENOEXEC)
		return refuse(bits, "'%s' has no probes: it is not an ELF file", label);
	if (bits != 32 || sizeof(void *) == 4)
		return 0;
	refuse(-ENOEXEC, "'%s' is a 32-bit file, whose probes cannot be read", label);
	suggest("the same without --usdt");
	return -ENOEXEC;
}

struct probes {
	const struct usdt_name *names;
	const struct bpf_program *const *progs;
	size_t cnt;
	pid_t pid;
};

static int read_probes(struct elf_probes *elf, const struct binary *binary, const char *label)
{
	/* Without O_NONBLOCK a FIFO would hold us until it has a writer. */
	int fd = open(binary->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err;

	if (fd < 0)
		return fail(-errno, "failed to open '%s'", label);
	err = elf_probes__read(elf, fd);
	close(fd);
	if (err == -ENOEXEC)
		return refuse(err, "'%s' has no probes: it is no program and no library", label);
	if (err == -EBADMSG || err == -E2BIG)
		return refuse(err, "'%s' is a damaged ELF file", label);
	return err ? fail(err, "failed to read '%s'", label) : 0;
}

static bool is_mapping_of(const struct mapping *m, pid_t pid, const struct binary *binary)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, pid, m->start,
		 m->end);
	return m->executable && !stat(path, &st) && st.st_dev == binary->device &&
	       st.st_ino == binary->inode;
}

/*
 * Without BPF cookies libbpf has to know at which address of the process a probe is. It would
 * look that up in /proc/PID/maps by itself, but into a buffer that a long path overflows.
 */
static int find_addresses(struct elf_probes *elf, pid_t pid, const struct binary *binary,
			  const char *label)
{
	struct maps maps;
	int err;

	if (pid <= 0 || elf->type != ET_DYN || kernel_has(KERNEL_COOKIES))
		return 0;
	err = maps_of_process(&maps, pid);
	for (size_t i = 0; i < maps.cnt; i++) {
		const struct mapping *m = &maps.map[i];

		if (!is_mapping_of(m, pid, binary))
			continue;
		err = elf_probes__move(elf, m->start, m->end - m->start, m->offset);
		goto out;
	}
	err = err ?: -ESRCH;
out:
	maps__free(&maps);
	if (!err)
		return 0;
	if (err == -ESRCH)
		refuse(err, "process %d has not loaded '%s'", pid, label);
	else
		fail(err, "failed to find where process %d has loaded '%s'", pid, label);
	why("before Linux 5.15 (BPF cookies) a probe needs its address");
	return err;
}

static int check_arguments(const struct elf_probes *elf, const char *label,
			   const struct usdt_name *name)
{
	const struct elf_probe *at;
	int err = elf_probes__find(elf, name->provider, name->name, &at);

	if (err != -EINVAL)
		return err;
	refuse(err, "the arguments of the probe %s:%s of '%s' cannot be read", name->provider,
	       name->name, label);
	why("one of them is neither in a register nor at a fixed distance from one");
	return err;
}

static int attach_probe(const struct probes *p, size_t i, const struct binary *binary,
			const char *label)
{
	const struct usdt_name *name = &p->names[i];
	struct bpf_link *link = bpf_program__attach_usdt(p->progs[i], p->pid, binary->path,
							 name->provider, name->name, NULL);

	return link ? links_keep(link) : explain_failure(-errno, label, name);
}

static int attach_probes(const struct probes *p, const struct elf_probes *elf,
			 const struct binary *binary, const char *label)
{
	size_t attached = 0;
	int err = 0;

	for (size_t i = 0; !err && i < p->cnt; i++) {
		const struct usdt_name *name = &p->names[i];

		err = check_arguments(elf, label, name);
		if (err == -ENOENT) {
			verbose("'%s' has no probe %s:%s", label, name->provider, name->name);
			err = 0;
			continue;
		}
		err = err ?: attach_probe(p, i, binary, label);
		attached++;
	}
	return err || attached ? err : explain_missing(elf, label, p->names);
}

static int attach_binary(const struct probes *p, const struct binary *binary, const char *label)
{
	struct elf_probes elf = {0};
	int err = check_elf(binary, label);

	err = err ?: read_probes(&elf, binary, label);
	err = err ?: find_addresses(&elf, p->pid, binary, label);
	if (!err && elf_image_show(&elf))
		err = fail(-ENOMEM, "failed to copy the probes of '%s'", label);
	err = err ?: attach_probes(p, &elf, binary, label);
	elf_image_hide();
	elf_probes__free(&elf);
	return err;
}

static bool is_listed(const struct binary *list, size_t cnt, const struct binary *binary)
{
	for (size_t i = 0; i < cnt; i++) {
		if (list[i].device == binary->device && list[i].inode == binary->inode)
			return true;
	}
	return false;
}

/* Each process may know another file by the name: attach to each file once. */
static int attach_binaries(const struct probes *p, const char *label, const struct target *target)
{
	size_t max = target->pids_cnt ?: 1, cnt = 0;
	struct binary *list = calloc(max, sizeof(*list));
	int err = list ? 0 : fail(-ENOMEM, "failed to list the binaries");

	for (size_t i = 0; !err && i < max; i++) {
		struct binary *binary = &list[cnt];

		err = target->pids_cnt ? binary_of_process(binary, target->pids[i], label)
				       : binary_of_name(binary, label);
		if (err)
			break;
		if (is_listed(list, cnt, binary)) {
			binary__close(binary);
			continue;
		}
		cnt++;
		err = attach_binary(p, binary, label);
	}
	while (cnt)
		binary__close(&list[--cnt]);
	free(list);
	return err;
}

int usdt_attach(const char *binary, const struct usdt_name *names,
		const struct bpf_program *const *progs, size_t cnt, const struct target *target)
{
	struct probes p = {names, progs, cnt, single_pid(target)};

	if (kernel_has(KERNEL_UPROBE))
		return attach_binaries(&p, binary, target);
	refuse(-EOPNOTSUPP, "this kernel has no uprobes");
	why("probes of a binary need Linux 4.17 with CONFIG_UPROBE_EVENTS");
	suggest("the same without --usdt");
	return -EOPNOTSUPP;
}
