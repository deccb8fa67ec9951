// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "usdt.h"

#include <errno.h>
#include <fcntl.h>
#include <libelf.h>
#include <gelf.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "kernel.h"
#include "links.h"
#include "log.h"
#include "process.h"

#define NOTE_SECTION ".note.stapsdt"

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

/* Names of probes, each once, as far as there is room. */
struct probe_list {
	char text[512];
	size_t len;
	int sites;
};

static void probe_list__add(struct probe_list *list, const char *provider, const char *name)
{
	size_t room = sizeof(list->text) - list->len;
	char item[256];
	int len;

	list->sites++;
	len = snprintf(item, sizeof(item), " %s:%s", provider, name);
	if (len < (int)sizeof(item) && (size_t)len < room && !strstr(list->text, item)) {
		memcpy(list->text + list->len, item, len + 1);
		list->len += len;
	}
}

static void probe_list__read(struct probe_list *list, Elf_Scn *scn)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t offset = 0, name_at, desc_at;
	GElf_Nhdr note;

	while (data && (offset = gelf_getnote(data, offset, &note, &name_at, &desc_at)) > 0) {
		const char *desc = (const char *)data->d_buf + desc_at;
		const char *end = desc + note.n_descsz;
		/* Three addresses, then provider, name and arguments, each with its NUL. */
		const char *provider = desc + 3 * sizeof(GElf_Addr), *name;

		if (note.n_descsz < 3 * sizeof(GElf_Addr) + 3 || end[-1])
			continue;
		name = provider + strlen(provider) + 1;
		if (name < end)
			probe_list__add(list, provider, name);
	}
}

static Elf_Scn *find_notes(Elf *elf)
{
	Elf_Scn *scn = NULL;
	size_t names;
	GElf_Shdr shdr;

	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name = gelf_getshdr(scn, &shdr) ? elf_strptr(elf, names, shdr.sh_name)
							    : NULL;

		if (name && !strcmp(name, NOTE_SECTION))
			return scn;
	}
	return NULL;
}

static void explain_probes(Elf *elf, const char *which)
{
	struct probe_list list = {.text = ""};
	Elf_Scn *scn = find_notes(elf);

	if (scn)
		probe_list__read(&list, scn);
	why("it has %d probes (" NOTE_SECTION ")%s%s", list.sites, list.len ? ":" : "", list.text);
	if (list.len)
		suggest("--probe %s=PROVIDER:NAME", which);
	else
		suggest("a binary that was built with its probes, or another tool");
}

static int explain_missing(const char *binary, const struct usdt_name *names)
{
	int fd = open(binary, O_RDONLY | O_CLOEXEC);
	Elf *elf;

	if (fd < 0)
		return fail(-errno, "failed to open '%s'", binary);
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	refuse(-ENOENT, "'%s' has none of the probes, such as %s:%s", binary, names[0].provider,
	       names[0].name);
	if (elf && elf_kind(elf) == ELF_K_ELF)
		explain_probes(elf, names[0].which);
	elf_end(elf);
	close(fd);
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

static int explain_failure(int err, const char *binary, const struct usdt_name *name)
{
	fail(err, "failed to attach to the probe %s:%s of '%s'", name->provider, name->name,
	     binary);
	if (err == -EOPNOTSUPP) {
		why("probes of all processes of a binary need Linux 5.15 (BPF cookies)");
		suggest("-p PID, or --follow=no with a command");
	}
	return err;
}

int usdt_attach(const char *binary, const struct usdt_name *names,
		const struct bpf_program *const *progs, size_t cnt, const struct target *target)
{
	pid_t pid = single_pid(target);
	size_t attached = 0;
	int err;

	if (!kernel_has(KERNEL_UPROBE)) {
		refuse(-EOPNOTSUPP, "this kernel has no uprobes");
		why("probes of a binary need Linux 4.17 with CONFIG_UPROBE_EVENTS");
		suggest("the same without --usdt");
		return -EOPNOTSUPP;
	}
	if (file_elf_class(binary) == -ENOEXEC)
		return refuse(-ENOEXEC, "'%s' has no probes: it is not an ELF file", binary);
	for (size_t i = 0; i < cnt; i++) {
		struct bpf_link *link = bpf_program__attach_usdt(
			progs[i], pid, binary, names[i].provider, names[i].name, NULL);

		err = link ? 0 : -errno;
		if (err == -ENOENT) {
			verbose("'%s' has no probe %s:%s", binary, names[i].provider,
				names[i].name);
			continue;
		}
		if (err)
			return explain_failure(err, binary, &names[i]);
		err = links_keep(link);
		if (err)
			return err;
		attached++;
	}
	return attached ? 0 : explain_missing(binary, names);
}
