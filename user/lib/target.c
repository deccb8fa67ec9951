// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>
#include <linux/membarrier.h>

#include <bpf/bpf.h>

#include "targets.h"
#include "kernel.h"
#include "log.h"
#include "object.h"
#include "process.h"

static int target__add_pid(struct target *t, pid_t pid)
{
	int err = process_check(pid), fd;

	if (err)
		return err;
	for (size_t i = 0; i < t->pids_cnt; i++) {
		if (t->pids[i] == pid)
			return 0;
	}
	fd = pidfd_open(pid, 0);
	if (fd < 0)
		return fail(-errno, "failed to watch process %d", pid);
	t->pids = reallocarray(t->pids, t->pids_cnt + 1, sizeof(*t->pids));
	t->pidfds = reallocarray(t->pidfds, t->pids_cnt + 1, sizeof(*t->pidfds));
	if (!t->pids || !t->pidfds)
		return fail(-ENOMEM, "failed to remember process %d", pid);
	t->pids[t->pids_cnt] = pid;
	t->pidfds[t->pids_cnt++] = fd;
	return 0;
}

int target__add_pids(struct target *t, const char *list)
{
	const char *at = list;
	char *end;

	do {
		long pid = strtol(at, &end, 10);
		int err;

		if (end == at || (*end && *end != ',') || pid <= 0 || pid > INT32_MAX) {
			refuse(-EINVAL, "'%s' is not a process id", list);
			suggest("-p 1234 or -p 1234,1235");
			return -EINVAL;
		}
		err = target__add_pid(t, pid);
		if (err)
			return err;
		at = end + 1;
	} while (*end);
	return 0;
}

bool target__by_pid(const struct target *t)
{
	return t->pids_cnt || t->command.pid;
}

/* Where the cgroup2 hierarchy is mounted; a hybrid system has it below a tmpfs. */
static bool cgroup2_mount(char *path, size_t size)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *m;
	bool found = false;

	while (mounts && !found && (m = getmntent(mounts))) {
		found = !strcmp(m->mnt_type, "cgroup2");
		if (found)
			snprintf(path, size, "%s", m->mnt_dir);
	}
	if (mounts)
		endmntent(mounts);
	return found;
}

static int target__open_cgroup(struct target *t)
{
	char mount[512], path[1024];
	struct statfs fs;

	t->cgroup_fd = open(t->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->cgroup_fd < 0 && cgroup2_mount(mount, sizeof(mount))) {
		snprintf(path, sizeof(path), "%s/%s", mount, t->cgroup);
		t->cgroup_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (t->cgroup_fd < 0)
		return fail(-errno, "failed to open the cgroup '%s'", t->cgroup);
	if (!fstatfs(t->cgroup_fd, &fs) && fs.f_type == CGROUP2_SUPER_MAGIC)
		return 0;
	refuse(-EINVAL, "'%s' is not a cgroup of the cgroup2 hierarchy", t->cgroup);
	if (cgroup2_mount(mount, sizeof(mount)))
		suggest("a folder below '%s'", mount);
	return -EINVAL;
}

static int target__check_namespace(const struct target *t)
{
	if (!target__by_pid(t) || kernel_in_initial_pid_namespace())
		return 0;
	refuse(-EINVAL,
	       "process ids mean other processes here: this is a PID namespace of its own");
	why("BPF programs see the ids of the initial PID namespace");
	suggest("run it on the host, in a container with --pid=host, or use --cgroup or --comm");
	return -EINVAL;
}

/* The one process that can be traced, or 0 if there can be more. */
static pid_t target__only(const struct target *t)
{
	if (t->follow || t->pids_cnt > 1)
		return 0;
	return t->pids_cnt ? t->pids[0] : t->command.pid;
}

int target__configure(struct target *t, struct bpf_object *obj)
{
	bool by_pid = target__by_pid(t);
	char comm[PROCESS_COMM] = "";
	int err = target__check_namespace(t);

	if (!err && t->cgroup)
		err = target__open_cgroup(t);
	if (err)
		return err;
	if (t->comm)
		snprintf(comm, sizeof(comm), "%s", t->comm);
	if (!by_pid) {
		object__disable_program(obj, "filter_fork");
		/* One page is what the reference in the (then dead) code needs to load. */
		bpf_map__set_max_entries(bpf_object__find_map_by_name(obj, "target_pids"), 1);
	}
	if (!t->command.pid)
		object__disable_program(obj, "filter_exec");
	err = object__set_bool(obj, "filter_by_pid", by_pid);
	err = err ?: object__set_bool(obj, "filter_by_cgroup", t->cgroup);
	err = err ?: object__set_bool(obj, "filter_by_comm", t->comm);
	err = err ?: object__set_bool(obj, "filter_follow", t->follow);
	err = err ?: object__set_bool(obj, "filter_awaits_exec", t->command.pid);
	err = err ?: object__set_u32(obj, "filter_only_tgid", target__only(t));
	/* Elsewhere our number is another process's: rather show ourselves than hide that. */
	if (kernel_in_initial_pid_namespace())
		err = err ?: object__set_u32(obj, "filter_self", getpid());
	return err ?: object__set(obj, "filter_comm", comm, sizeof(comm));
}

static int target__map_states(struct target *t, struct bpf_object *obj)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, "target_pids");
	void *at;

	t->states_size = (size_t)TARGET_PAGES * TARGET_PAGE;
	at = mmap(NULL, t->states_size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	if (at == MAP_FAILED)
		return fail(-errno, "failed to map the set of traced processes");
	t->states = at;
	return 0;
}

int target__arm(struct target *t, struct bpf_object *obj)
{
	struct bpf_map *cgroup = bpf_object__find_map_by_name(obj, "target_cgroup");
	__u32 zero = 0;
	int err;

	if (t->cgroup && bpf_map_update_elem(bpf_map__fd(cgroup), &zero, &t->cgroup_fd, BPF_ANY))
		return fail(-errno, "failed to filter by the cgroup '%s'", t->cgroup);
	if (!target__by_pid(t))
		return 0;
	err = target__map_states(t, obj);
	if (err)
		return err;
	for (size_t i = 0; i < t->pids_cnt; i++)
		t->states[t->pids[i]] = TARGET_TRACED;
	if (t->command.pid)
		t->states[t->command.pid] = TARGET_AWAITS_EXEC;
	return 0;
}

struct descent {
	struct target *target;
	bool grew;
};

static int add_if_child(pid_t pid, void *arg)
{
	struct descent *d = arg;
	struct target *t = d->target;
	pid_t parent;

	if (t->states[pid] || pid == getpid())
		return 0;
	parent = process_parent(pid);
	if (parent > 0 && t->states[parent] == TARGET_TRACED) {
		t->states[pid] = TARGET_TRACED;
		d->grew = true;
	}
	return 0;
}

int target__add_descendants(struct target *t)
{
	struct descent d = {.target = t, .grew = t->follow && t->pids_cnt};
	int err = 0;

	/* Children of children may stand before their parents in /proc: until none is new. */
	while (!err && d.grew) {
		d.grew = false;
		err = process_each(add_if_child, &d);
	}
	return err;
}

static bool in_cgroup(const struct target *t, pid_t pid)
{
	char link[64], path[1024], line[1024], want[1024];
	size_t len, mount_len;
	bool in = false;
	ssize_t n;
	FILE *f;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", t->cgroup_fd);
	n = readlink(link, want, sizeof(want) - 1);
	if (n < 0 || !cgroup2_mount(path, sizeof(path)))
		return false;
	want[n] = '\0';
	mount_len = strlen(path);
	if (strncmp(want, path, mount_len))
		return false;
	len = strlen(want + mount_len);
	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	f = fopen(path, "re");
	while (f && !in && fgets(line, sizeof(line), f)) {
		const char *at = line + 3;

		if (strncmp(line, "0::", 3) || strncmp(at, want + mount_len, len))
			continue;
		in = at[len] == '/' || at[len] == '\n' || len <= 1;
	}
	if (f)
		fclose(f);
	return in;
}

bool target__includes(const struct target *t, pid_t pid)
{
	char comm[PROCESS_COMM];

	if (pid == getpid())
		return false;
	if (target__by_pid(t) && !(t->states && t->states[pid] == TARGET_TRACED))
		return false;
	if (t->comm) {
		process_comm(pid, comm);
		if (strncmp(comm, t->comm, sizeof(comm) - 1))
			return false;
	}
	return !t->cgroup || in_cgroup(t, pid);
}

struct thread_visit {
	const struct target *target;
	int (*fn)(pid_t pid, pid_t tid, void *arg);
	void *arg;
	pid_t pid;
};

static int visit_thread(pid_t tid, void *arg)
{
	struct thread_visit *v = arg;

	return v->fn(v->pid, tid, v->arg);
}

static int visit_process(pid_t pid, void *arg)
{
	struct thread_visit *v = arg;
	int err;

	if (!target__includes(v->target, pid) || process_is_kernel(pid))
		return 0;
	v->pid = pid;
	err = process_each_thread(pid, visit_thread, v);
	return err == -ESRCH ? 0 : err;
}

int target__each_thread(const struct target *t, int (*fn)(pid_t pid, pid_t tid, void *arg),
			void *arg)
{
	struct thread_visit v = {.target = t, .fn = fn, .arg = arg};
	int err = 0;

	if (!target__by_pid(t) || t->follow)
		return process_each(visit_process, &v);
	for (size_t i = 0; !err && i < t->pids_cnt; i++)
		err = visit_process(t->pids[i], &v);
	if (!err && t->command.pid)
		err = visit_process(t->command.pid, &v);
	return err;
}

bool target__ended(struct target *t)
{
	if (t->command.pid && !command__reap(&t->command, false))
		return false;
	for (size_t i = 0; i < t->pids_cnt; i++) {
		struct pollfd p = {.fd = t->pidfds[i], .events = POLLIN};

		if (poll(&p, 1, 0) == 0)
			return false;
	}
	return true;
}

struct running {
	const struct target *target;
	size_t cnt;
};

static int count_if_running(pid_t pid, void *arg)
{
	struct running *r = arg;

	if (r->target->states[pid] == TARGET_TRACED && process_runs(pid))
		r->cnt++;
	return 0;
}

size_t target__running(const struct target *t)
{
	struct running r = {.target = t};

	process_each(count_if_running, &r);
	return r.cnt;
}

void target__stop(struct bpf_object *obj)
{
	bool *off = object__variable(obj, "filter_off", sizeof(*off));

	__atomic_store_n(off, true, __ATOMIC_SEQ_CST);
	/* Waits for a grace period of RCU, which is what BPF programs run under. */
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

void target__close(struct target *t)
{
	for (size_t i = 0; i < t->pids_cnt; i++)
		close(t->pidfds[i]);
	free(t->pids);
	free(t->pidfds);
	command__close(&t->command);
	free(t->command_path);
	if (t->cgroup_fd >= 0)
		close(t->cgroup_fd);
	if (t->states)
		munmap(t->states, t->states_size);
	*t = (struct target)TARGET_INIT;
}
