// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "offload-device.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "device-packets.h"
#include "kernel.h"
#include "links.h"
#include "log.h"
#include "net-devices.h"
#include "object.h"
#include "offload-device.skel.h"
#include "pidns.h"
#include "target.h"
#include "tracefs.h"

static const char *only;

int offload_device_only(const char *name)
{
	char list[1024];

	only = name;
	if (strlen(name) < DEVICE_NAME && net_device_exists(name))
		return 0;
	refuse(-ENODEV, "no network device '%s'", name);
	net_device_list(list, sizeof(list));
	why("here are %s", list);
	suggest("--device without a name, which shows each device that packets pass");
	return -ENODEV;
}

struct skel *offload_device_open(void)
{
	return (struct skel *)offload_device_bpf__open();
}

static bool is_asked(const struct target *target)
{
	return target__by_pid(target) || target->cgroup || target->comm;
}

static bool has_event(const char *name)
{
	char type[64];

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return kernel_btf() && btf__find_by_name_kind(kernel_btf(), type, BTF_KIND_TYPEDEF) > 0;
}

/* How the sockets of the target become known. */
static void choose_programs(struct offload_device_bpf *s)
{
	bool by_event = kernel_has(KERNEL_SYSCALL_EVENTS);
	bool by_use = has_event("sock_send_length");

	bpf_program__set_autoload(s->progs.owner_sent, by_use);
	bpf_program__set_autoload(s->progs.owner_received, by_use);
	bpf_program__set_autoload(s->progs.owner_bind_event, by_event);
	bpf_program__set_autoload(s->progs.owner_bind_raw, !by_event);
	bpf_program__set_autoload(s->progs.owner_files, kernel_has(KERNEL_TYPED));
	verbose("sockets of the target: seen at bind by %s%s%s", by_event ? "event" : "raw",
		by_use ? ", when they are used" : ", when they send",
		kernel_has(KERNEL_TYPED) ? ", and those that are open now" : "");
}

int offload_device_setup(void *skel, const struct target *target)
{
	struct offload_device_bpf *s = skel;

	/* Programs may keep data in sockets since the release that this is about. */
	s->rodata->owner_marks_in_sockets = kernel_has(KERNEL_TYPED) &&
					    kernel_has(KERNEL_FREE_MEMLOCK);
	s->rodata->owner_asked = is_asked(target);
	s->rodata->socket_cast = kernel_has(KERNEL_RDONLY_CAST);
	snprintf((char *)s->rodata->device_only, DEVICE_NAME, "%s", only ? only : "");
	if (is_asked(target))
		choose_programs(s);
	return 0;
}

int offload_device_attach(void *skel, const struct target *target)
{
	struct offload_device_bpf *s = skel;

	(void)target;
	if (!bpf_program__autoload(s->progs.owner_bind_event))
		return 0;
	return links_keep(tracefs_attach(s->progs.owner_bind_event, "syscalls", "sys_exit_bind"));
}

static int note_process(const struct offload_device_bpf *s, pid_t pid)
{
	__u32 global = pidns_global(pid);
	__u8 yes = 1;

	if (!bpf_map_update_elem(bpf_map__fd(s->maps.owner_running), &global, &yes, BPF_ANY))
		return 0;
	return fail(-errno, "failed to note process %d", pid);
}

static int note_thread(pid_t pid, pid_t tid, void *skel)
{
	return pid == tid ? note_process(skel, pid) : 0;
}

/* Reading the iterator runs its program for each open file. */
static int read_files(const struct offload_device_bpf *s)
{
	int fd = bpf_iter_create(bpf_link__fd(s->links.owner_files)), err = 0;
	char nothing[64];

	if (fd < 0)
		return fail(-errno, "failed to look for open sockets");
	while (read(fd, nothing, sizeof(nothing)) > 0)
		;
	close(fd);
	return err;
}

int offload_device_started(void *skel, const struct target *target, uint64_t now_ns)
{
	struct offload_device_bpf *s = skel;
	int err;

	(void)now_ns;
	if (!s->links.owner_files)
		return 0;
	err = target__each_thread(target, note_thread, s);
	/* What a command will be has the sockets that it inherits. */
	if (!err && target->command.pid)
		err = note_process(s, target->command.pid);
	return err ?: read_files(s);
}
