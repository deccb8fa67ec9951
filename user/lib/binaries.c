// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "binaries.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libraries.h"
#include "log.h"

struct walk {
	binary_fn fn;
	void *arg;
	struct binary *seen; /* held, so that no other file gets the number of one of them */
	size_t cnt;
};

pid_t binaries_pid(const struct target *target)
{
	if (target->follow)
		return -1;
	if (target->command.pid)
		return target->command.pid;
	return target->pids_cnt == 1 ? target->pids[0] : -1;
}

static bool is_seen(const struct walk *w, const struct binary *binary)
{
	for (size_t i = 0; i < w->cnt; i++) {
		if (w->seen[i].device == binary->device && w->seen[i].inode == binary->inode)
			return true;
	}
	return false;
}

/* Each process may know another file by the name: each file once. Takes the binary over. */
static int visit(struct walk *w, struct binary *binary, const char *label)
{
	struct binary *grown;

	if (is_seen(w, binary)) {
		binary__close(binary);
		return 0;
	}
	grown = reallocarray(w->seen, w->cnt + 1, sizeof(*grown));
	if (!grown) {
		binary__close(binary);
		return fail(-ENOMEM, "failed to list the binaries");
	}
	w->seen = grown;
	grown[w->cnt++] = *binary;
	return w->fn(binary, label, w->arg);
}

/* What /proc says of a file that was deleted ends so. */
#define DELETED " (deleted)"

static int visit_executable(struct walk *w, pid_t pid)
{
	char link[32], path[PATH_MAX];
	struct binary binary;
	ssize_t len;
	int err;

	snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	len = readlink(link, path, sizeof(path) - 1);
	if (len < 0)
		return fail(-errno, "failed to find the program of process %d", pid);
	path[len] = '\0';
	if (len > (ssize_t)strlen(DELETED) && !strcmp(path + len - strlen(DELETED), DELETED))
		path[len - strlen(DELETED)] = '\0';
	err = binary_of_process(&binary, pid, path);
	return err ?: visit(w, &binary, path);
}

static int visit_processes(struct walk *w, const char *name, const struct target *target)
{
	struct binary binary;
	int err = 0;

	for (size_t i = 0; !err && i < target->pids_cnt; i++) {
		if (!name) {
			err = visit_executable(w, target->pids[i]);
			continue;
		}
		err = binary_of_process(&binary, target->pids[i], name);
		err = err ?: visit(w, &binary, name);
	}
	return err;
}

/* A command has not loaded its libraries yet: it may load any version that there is. */
static int visit_libraries(struct walk *w, const char *name)
{
	struct binary binary;
	char **paths;
	size_t cnt;
	int err = libraries_find(LIBRARIES_CACHE, name, &paths, &cnt);

	if (err) {
		refuse(-ENOENT, "no program and no library is called '%s'", name);
		suggest("a path, such as ./%s", *name ? name : "server");
	}
	for (size_t i = 0; !err && i < cnt; i++) {
		err = binary_of_name(&binary, paths[i]);
		if (!err)
			verbose("'%s' is '%s'", name, paths[i]);
		err = err ?: visit(w, &binary, paths[i]);
	}
	libraries_free(paths, cnt);
	return err;
}

static int visit_name(struct walk *w, const char *name)
{
	struct binary binary;
	char *found = NULL;
	int err;

	if (!strchr(name, '/') && command_find(name, &found) && access(name, F_OK))
		err = visit_libraries(w, name);
	else
		err = binary_of_name(&binary, name) ?: visit(w, &binary, name);
	free(found);
	return err;
}

static int refuse_nameless(const struct target *target)
{
	if (target->command.pid) {
		refuse(-ENOENT, "the program of the command was not found");
		suggest("its path, after -c");
		return -ENOENT;
	}
	refuse(-EINVAL, "which program has the probes is not said");
	suggest("its path, or -p PID, or -c 'CMD ARGS'");
	return -EINVAL;
}

int binaries_each(const char *name, const struct target *target, binary_fn fn, void *arg)
{
	struct walk w = {.fn = fn, .arg = arg};
	int err;

	if (target->pids_cnt)
		err = visit_processes(&w, name, target);
	else if (name)
		err = visit_name(&w, name);
	else if (target->command_path)
		err = visit_name(&w, target->command_path);
	else
		err = refuse_nameless(target);
	while (w.cnt)
		binary__close(&w.seen[--w.cnt]);
	free(w.seen);
	return err;
}
