// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/membarrier.h>

#include <bpf/bpf.h>

#include "targets.h"
#include "cgroup.h"
#include "log.h"
#include "object.h"
#include "pidns.h"
#include "privilege.h"
#include "process.h"
#include "values.h"

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
	pid_t pid;

	while (at) {
		int err;

		if (parse_pid(at, &pid, &at)) {
			refuse(-EINVAL, "'%s' is not a process id", list);
			suggest("-p 1234 or -p 1234,1235");
			return -EINVAL;
		}
		err = target__add_pid(t, pid);
		if (err)
			return err;
	}
	return 0;
}

bool target__by_pid(const struct target *t)
{
	return t->pids_cnt || t->command.pid;
}

static int refuse_namespace(void)
{
	refuse(-EINVAL,
	       "process ids mean other processes here: this is a PID namespace of its own");
	why("BPF programs see the ids of the initial one; Linux 5.8 lists both, if permitted");
	suggest("run it on the host, in a container with --pid=host, or use --cgroup or --comm");
	return -EINVAL;
}

/* What -p, /proc and BPF programs call a process must be one thing, or be translated. */
static int target__check_namespace(const struct target *t)
{
	char self[16] = "";
	int err = pidns_refresh();

	if (err)
		verbose("the ids of this PID namespace cannot be listed: %s", strerror(-err));
	if (!target__by_pid(t))
		return 0;
	if (readlink("/proc/self", self, sizeof(self) - 1) < 0 ||
	    strtol(self, NULL, 10) != getpid()) {
		refuse(-EINVAL, "/proc is that of another PID namespace");
		why("it has other ids for processes than this one");
		suggest("unshare --mount-proc, or mount -t proc proc /proc");
		return -EINVAL;
	}
	/* Without privileges nothing can be loaded, which says more. */
	return pidns_is_known() || !privilege_may_load() ? 0 : refuse_namespace();
}

/* The one process that can be traced, or 0 if there can be more. */
static pid_t target__only(const struct target *t)
{
	if (t->follow || t->pids_cnt > 1)
		return 0;
	return pidns_global(t->pids_cnt ? t->pids[0] : t->command.pid);
}

static void target__note_idle(const struct target *t)
{
	char comm[PROCESS_COMM];

	for (size_t i = 0; i < t->pids_cnt; i++) {
		if (!process_is_kernel(t->pids[i]))
			continue;
		process_comm(t->pids[i], comm);
		note("%d (%s) is a thread of the kernel, which makes no system calls", t->pids[i],
		     comm);
	}
}

int target__configure(struct target *t, struct bpf_object *obj)
{
	bool by_pid = target__by_pid(t);
	char comm[PROCESS_COMM] = "";
	uint32_t offsets[PIDNS_OFFSETS];
	int err = target__check_namespace(t);

	pidns_offsets(offsets);
	if (!err && t->cgroup) {
		t->cgroup_fd = cgroup_open(t->cgroup);
		err = t->cgroup_fd < 0 ? t->cgroup_fd : 0;
	}
	if (err)
		return err;
	target__note_idle(t);
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
	err = err ?: object__set_u32(obj, "filter_self", pidns_global(getpid()));
	err = err ?: object__set_u32(obj, "pidns_level", pidns_depth());
	err = err ?: object__set_u32(obj, "pidns_inum", pidns_inode());
	err = err ?: object__set(obj, "pidns_offsets", offsets, sizeof(offsets));
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
	if (!pidns_is_known())
		return refuse_namespace();
	err = target__map_states(t, obj);
	if (err)
		return err;
	for (size_t i = 0; i < t->pids_cnt; i++)
		t->states[pidns_global(t->pids[i])] = TARGET_TRACED;
	if (t->command.pid)
		t->states[pidns_global(t->command.pid)] = TARGET_AWAITS_EXEC;
	return 0;
}

/* Of a process as /proc calls it. One that is not known is new: BPF sees to those. */
static enum target_state target__state(const struct target *t, pid_t pid)
{
	return t->states ? t->states[pidns_global(pid)] : 0;
}

struct descent {
	struct target *target;
	bool grew;
};

static int add_if_child(pid_t pid, void *arg)
{
	struct descent *d = arg;
	struct target *t = d->target;
	pid_t parent, global = pidns_global(pid);

	if (!global || t->states[global] || pid == getpid())
		return 0;
	parent = process_parent(pid);
	if (parent > 0 && target__state(t, parent) == TARGET_TRACED) {
		t->states[global] = TARGET_TRACED;
		d->grew = true;
	}
	return 0;
}

/* Until programs watched over forks, the number of one that has ended may have gone to another. */
static void target__forget_ended(struct target *t)
{
	for (size_t i = 0; i < t->pids_cnt; i++) {
		if (process_ended(t->pidfds[i]))
			t->states[pidns_global(t->pids[i])] = 0;
	}
}

int target__add_descendants(struct target *t)
{
	struct descent d = {.target = t, .grew = t->follow && t->pids_cnt};
	int err = 0;

	target__forget_ended(t);
	if (d.grew)
		pidns_refresh();
	/* Children of children may stand before their parents in /proc: until none is new. */
	while (!err && d.grew) {
		d.grew = false;
		err = process_each(add_if_child, &d);
	}
	return err;
}

bool target__includes(const struct target *t, pid_t pid)
{
	char comm[PROCESS_COMM];

	if (pid == getpid())
		return false;
	if (target__by_pid(t) && target__state(t, pid) != TARGET_TRACED)
		return false;
	if (t->comm) {
		process_comm(pid, comm);
		if (strncmp(comm, t->comm, sizeof(comm) - 1))
			return false;
	}
	return !t->cgroup || cgroup_has(t->cgroup_fd, pid);
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

	pidns_refresh();
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
		if (!process_ended(t->pidfds[i]))
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

	if (target__state(r->target, pid) == TARGET_TRACED && process_runs(pid))
		r->cnt++;
	return 0;
}

size_t target__running(const struct target *t)
{
	struct running r = {.target = t};

	pidns_refresh();
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
	pidns_close();
	*t = (struct target)TARGET_INIT;
}
