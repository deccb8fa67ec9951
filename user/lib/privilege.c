// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "log.h"

#define BIT(capability) (UINT64_C(1) << (capability))

struct sets {
	uint64_t effective;
	uint64_t permitted;
};

static bool sets__get(struct sets *sets)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	if (syscall(SYS_capget, &header, data))
		return false;
	sets->effective = data[0].effective | (uint64_t)data[1].effective << 32;
	sets->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	return true;
}

/* Nothing stays inheritable. */
static int set_capabilities(uint64_t effective, uint64_t permitted)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
		{.effective = effective, .permitted = permitted},
		{.effective = effective >> 32, .permitted = permitted >> 32},
	};

	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

bool privilege_has(int capability)
{
	uint64_t wanted = BIT(capability);
	struct sets sets;

	if (capability == CAP_BPF || capability == CAP_PERFMON)
		wanted |= BIT(CAP_SYS_ADMIN);
	return sets__get(&sets) && sets.effective & wanted;
}

bool privilege_may_load(void)
{
	return privilege_has(CAP_BPF) && privilege_has(CAP_PERFMON);
}

bool privilege_in_user_namespace(void)
{
	unsigned int inside, outside, cnt = 0;
	FILE *f = fopen("/proc/self/uid_map", "re");
	bool read = f && fscanf(f, "%u %u %u", &inside, &outside, &cnt) == 3;

	if (f)
		fclose(f);
	return read && cnt != UINT_MAX;
}

static bool is_refused(int err)
{
	return err == EPERM || err == EACCES;
}

int privilege_check_caller(void)
{
	if (getuid() == geteuid() && getgid() == getegid())
		return 0;
	refuse(-EPERM, "will not run as a set-%s-ID program",
	       getuid() == geteuid() ? "group" : "user");
	why("whoever may run it could write files and run commands as its owner");
	suggest("chmod ug-s, and sudo or setcap cap_bpf,cap_perfmon+ep");
	return -EPERM;
}

bool privilege_may_look(void)
{
	return privilege_has(CAP_SYS_PTRACE) &&
	       (privilege_has(CAP_DAC_READ_SEARCH) || privilege_has(CAP_DAC_OVERRIDE));
}

/* perf_event_open(2) asks for rights before it looks for the file: this one is nowhere. */
bool privilege_may_probe(void)
{
	struct perf_event_attr attr = {.size = sizeof(attr), .config1 = (uintptr_t) "/proc/0"};
	FILE *f = fopen("/sys/bus/event_source/devices/uprobe/type", "re");
	bool known = f && fscanf(f, "%u", &attr.type) == 1;
	int fd;

	if (f)
		fclose(f);
	if (!known)
		return false;
	fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd >= 0 || !is_refused(errno);
}

/* Linux before 5.19 (c8644cd0efe7) asks for CAP_BPF again for each use of a map. */
static bool maps_need_rights(const struct privilege_rest *rest)
{
	struct bpf_map_info info = {0};
	__u32 len = sizeof(info);
	struct bpf_map *map;

	if (!rest->obj)
		return false;
	bpf_object__for_each_map(map, rest->obj) {
		if (bpf_map__fd(map) >= 0)
			return bpf_obj_get_info_by_fd(bpf_map__fd(map), &info, &len) &&
			       is_refused(errno);
	}
	return false;
}

/* 0 if a file of /proc may be read: some ask only then, not when they are opened. */
static int try_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
	char byte;

	if (fd < 0)
		return errno;
	if (read(fd, &byte, 1) < 0)
		err = errno;
	close(fd);
	return err;
}

static bool reads_calls(const struct privilege_rest *rest)
{
	return rest->reads_calls;
}

/* A /proc that is mounted with hidepid shows us our own processes only: not the first one. */
static bool reads_hidden(const struct privilege_rest *rest)
{
	return rest->reads_calls || try_read("/proc/1/stat");
}

static bool has_command(const struct privilege_rest *rest)
{
	return rest->command;
}

/* In this order: whether one is needed is tried without all of them. */
static const struct {
	int capability;
	int instead; /* does as well where the first one is missing */
	const char *name;
	const char *reason;
	bool (*needed)(const struct privilege_rest *rest);
} kept[] = {
	{CAP_BPF, CAP_SYS_ADMIN, "CAP_BPF", "this kernel asks for it when maps are read",
	 maps_need_rights},
	{CAP_KILL, CAP_KILL, "CAP_KILL", "the command is sent signals, and may change its user",
	 has_command},
	{CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE, "CAP_DAC_READ_SEARCH",
	 "calls that still run are looked up in /proc/PID/task/TID/syscall", reads_calls},
	{CAP_SYS_PTRACE, CAP_SYS_PTRACE, "CAP_SYS_PTRACE",
	 "processes of others are looked up in /proc", reads_hidden},
};

/* What of our permitted capabilities the rest needs; none is effective now. */
static uint64_t choose_kept(const struct privilege_rest *rest, uint64_t permitted)
{
	uint64_t keep = 0;

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		uint64_t bit = permitted & BIT(kept[i].capability);

		bit = bit ?: permitted & BIT(kept[i].instead);
		if (!bit || !kept[i].needed(rest))
			continue;
		verbose("kept %s: %s", kept[i].name, kept[i].reason);
		keep |= bit;
	}
	return keep;
}

/*
 * A command that got what we had, by ambient capabilities, is looked at by nobody who has less,
 * but for CAP_SYS_PTRACE.
 */
static bool command_is_above(const struct privilege_rest *rest)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/syscall", rest->command);
	return rest->command && rest->reads_calls && is_refused(try_read(path));
}

static void clear_inherited(void)
{
	/* Without CAP_SETPCAP the bounding set stays: it is a limit, and no_new_privs another. */
	for (int i = 0; prctl(PR_CAPBSET_READ, i) >= 0; i++)
		prctl(PR_CAPBSET_DROP, i);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

/* The process has no effective capabilities when this begins. */
static int keep_needed(const struct privilege_rest *rest, const struct sets *had)
{
	uint64_t keep = choose_kept(rest, had->permitted);
	int err = set_capabilities(keep, had->permitted);

	if (!err && command_is_above(rest)) {
		err = set_capabilities(had->effective, had->permitted);
		if (err || !command_is_above(rest)) {
			verbose("kept all capabilities: the command has them too, and its calls "
				"that still run are looked up");
			return err;
		}
	}
	err = err ?: set_capabilities(keep, keep);
	if (!err)
		verbose("gave up all %s", keep ? "other capabilities" : "capabilities");
	return err;
}

int privilege_drop(const struct privilege_rest *rest)
{
	struct sets had;
	int err;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0) || !sets__get(&had))
		return fail(-errno, "failed to give up privileges");
	clear_inherited();
	err = set_capabilities(0, had.permitted);
	err = err ?: keep_needed(rest, &had);
	return err ? fail(err, "failed to give up capabilities") : 0;
}
