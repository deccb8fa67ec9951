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

#include "binaries.h"
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
			   const struct usdt_probe *probe)
{
	const struct usdt_name *name = &probe->name;
	char list[512];

	list_names(elf, list, sizeof(list));
	if (probe->optional)
		refuse(-ENOENT, "'%s' has none of the probes, such as %s:%s", label, name->provider,
		       name->name);
	else
		refuse(-ENOENT, "'%s' has no probe %s:%s", label, name->provider, name->name);
	why("it has %zu probes (" ELF_PROBES_SECTION ")%s%s", elf->cnt, *list ? ":" : "", list);
	if (!*list)
		suggest("a binary that was built with its probes, or another tool");
	else if (name->which)
		suggest("--probe %s=PROVIDER:NAME", name->which);
	else
		suggest("probehist -l %s", label);
	return -ENOENT;
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
	const struct usdt_probe *list;
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

static size_t count_args(const char *args)
{
	size_t cnt = 0;

	while (*args) {
		args += strspn(args, " ");
		cnt += *args != '\0';
		args += strcspn(args, " ");
	}
	return cnt;
}

/* Which of its names the binary has: 0, or -ENOENT without a message. */
static int find_probe(const struct elf_probes *elf, const struct usdt_probe *probe,
		      const char *label, struct usdt_name *name)
{
	const struct elf_probe *at;
	int err;

	*name = probe->name;
	err = elf_probes__find(elf, name->provider, name->name, &at);
	if (err == -ENOENT && probe->older) {
		name->name = probe->older;
		err = elf_probes__find(elf, name->provider, name->name, &at);
	}
	if (err == -EINVAL) {
		refuse(err, "the arguments of the probe %s:%s of '%s' cannot be read",
		       name->provider, name->name, label);
		why("one of them is neither in a register nor at a fixed distance from one");
	}
	return err;
}

static int check_arguments(const struct elf_probes *elf, const struct usdt_probe *probe,
			   const struct usdt_name *name)
{
	for (size_t i = 0; i < elf->cnt; i++) {
		const struct elf_probe *at = &elf->list[i];
		size_t cnt;

		if (strcmp(at->provider, name->provider) || strcmp(at->name, name->name))
			continue;
		cnt = count_args(at->args);
		if (cnt >= probe->args_read)
			continue;
		refuse(-EINVAL, "the probe %s:%s has no arg%zu", name->provider, name->name,
		       probe->args_read - 1);
		why("it has %zu arguments, the first is arg0", cnt);
		return -EINVAL;
	}
	return 0;
}

static int attach_probe(const struct probes *p, const struct usdt_probe *probe,
			const struct usdt_name *name, const struct binary *binary,
			const char *label)
{
	LIBBPF_OPTS(bpf_usdt_opts, opts, .usdt_cookie = probe->cookie);
	struct bpf_link *link = bpf_program__attach_usdt(probe->prog, p->pid, binary->path,
							 name->provider, name->name, &opts);

	return link ? links_keep(link) : explain_failure(-errno, label, name);
}

static int attach_probes(const struct probes *p, const struct elf_probes *elf,
			 const struct binary *binary, const char *label)
{
	size_t attached = 0;
	int err = 0;

	for (size_t i = 0; !err && i < p->cnt; i++) {
		const struct usdt_probe *probe = &p->list[i];
		struct usdt_name name;

		err = find_probe(elf, probe, label, &name);
		if (err == -ENOENT && probe->optional) {
			verbose("'%s' has no probe %s:%s", label, name.provider, name.name);
			err = 0;
			continue;
		}
		if (err == -ENOENT)
			return explain_missing(elf, label, probe);
		err = err ?: check_arguments(elf, probe, &name);
		err = err ?: attach_probe(p, probe, &name, binary, label);
		verbose("probe %s:%s of '%s'", name.provider, name.name, label);
		attached++;
	}
	return err || attached ? err : explain_missing(elf, label, &p->list[0]);
}

int usdt_read(struct elf_probes *elf, const struct binary *binary, const char *label)
{
	int err;

	*elf = (struct elf_probes){0};
	err = check_elf(binary, label);
	return err ?: read_probes(elf, binary, label);
}

static int attach_binary(const struct binary *binary, const char *label, void *arg)
{
	const struct probes *p = arg;
	struct elf_probes elf;
	int err = usdt_read(&elf, binary, label);

	err = err ?: find_addresses(&elf, p->pid, binary, label);
	if (!err && elf_image_show(&elf))
		err = fail(-ENOMEM, "failed to copy the probes of '%s'", label);
	err = err ?: attach_probes(p, &elf, binary, label);
	elf_image_hide();
	elf_probes__free(&elf);
	return err;
}

int usdt_attach_probes(const char *binary, const struct usdt_probe *probes, size_t cnt,
		       const struct target *target)
{
	struct probes p = {probes, cnt, binaries_pid(target)};

	if (kernel_has(KERNEL_UPROBE))
		return binaries_each(binary, target, attach_binary, &p);
	refuse(-EOPNOTSUPP, "this kernel has no uprobes");
	why("probes of a binary need Linux 4.17 with CONFIG_UPROBE_EVENTS");
	suggest("the same without --usdt");
	return -EOPNOTSUPP;
}

int usdt_attach(const char *binary, const struct usdt_name *names,
		const struct bpf_program *const *progs, size_t cnt, const struct target *target)
{
	struct usdt_probe *probes = calloc(cnt, sizeof(*probes));
	int err;

	if (!probes)
		return fail(-ENOMEM, "failed to list the probes");
	for (size_t i = 0; i < cnt; i++) {
		probes[i].name = names[i];
		probes[i].prog = progs[i];
		probes[i].optional = true;
	}
	err = usdt_attach_probes(binary, probes, cnt, target);
	free(probes);
	return err;
}
