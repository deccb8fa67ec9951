// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tls-libraries.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "binaries.h"
#include "libraries.h"
#include "log.h"
#include "maps.h"
#include "pidns.h"
#include "process.h"
#include "tls-libraries-add.h"
#include "tls-libraries-file.h"
#include "tls-libraries-needed.h"
#include "tls-libraries-seen.h"

#define ROUNDS       8 /* in one of so many all processes are looked at, changed or not */
#define ANCESTRY_MAX 64
#define OWN_LIBRARY  "libwirescope-tls."

struct tls_looks {
	struct tls_seen files;     /* number of the library, or TLS_NO_LIBRARY */
	struct tls_seen processes; /* how much memory they had */
	unsigned int rounds;
};

struct look {
	struct tls_libraries *libraries;
	const struct target *target;
	size_t *unseen;
	int err;
};

/* ---- what processes have ------------------------------------------------------------------ */

static uint64_t key_of(const struct mapping *m)
{
	uint64_t key = tls_seen_key(0, &m->inode, sizeof(m->inode));

	key = tls_seen_key(key, &m->major, sizeof(m->major));
	key = tls_seen_key(key, &m->minor, sizeof(m->minor));
	return tls_seen_key(key, m->path, strlen(m->path));
}

/* What --preload puts into a process has the names of the calls that it passes on. */
static bool is_own(const char *path)
{
	return !strncmp(strrchr(path, '/') + 1, OWN_LIBRARY, strlen(OWN_LIBRARY));
}

static int look_at_file(struct look *look, const struct mapping *m, const struct maps *maps,
			pid_t pid)
{
	struct tls_libraries *l = look->libraries;
	struct tls_origin origin = {pid, maps, m->path, m->deleted};
	int64_t *seen = tls_seen__get(&l->looks->files, key_of(m));
	struct binary binary;
	int nr = TLS_NO_LIBRARY, err;

	if (seen) {
		if (*seen >= 0 && !l->lib[*seen].pid)
			l->lib[*seen].pid = pid;
		return 0;
	}
	err = -EINVAL;
	if (strncmp(m->path, "/dev/", 5) && !is_own(m->path))
		err = tls_file_open_mapping(&binary, pid, m);
	if (err && err != -EINVAL)
		return err;
	if (!err && tls_file_has_calls(binary.fd))
		nr = tls_libraries__take(l, &binary, &origin);
	else if (!err)
		binary__close(&binary);
	if (nr < TLS_NO_LIBRARY)
		return nr;
	tls_seen__set(&l->looks->files, key_of(m), nr);
	return 0;
}

/* Pages that it has mapped: what loads a library changes that. 0: it is the kernel's, or gone. */
static long mapped_pages(pid_t pid)
{
	char path[32], text[32];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	return strtol(text, NULL, 10);
}

static int look_at_process(struct look *look, pid_t pid)
{
	struct tls_looks *looks = look->libraries->looks;
	uint64_t key = tls_seen_key(0, &pid, sizeof(pid));
	int64_t *seen = tls_seen__get(&looks->processes, key);
	long pages = mapped_pages(pid);
	bool hidden = false;
	struct maps maps;
	int err;

	if (!pages || (seen && *seen == pages && looks->rounds % ROUNDS))
		return 0;
	err = maps_of_process(&maps, pid);
	if (err == -EACCES || err == -EPERM)
		hidden = true;
	for (size_t i = 0; !err && i < maps.cnt; i++) {
		err = maps.map[i].executable ? look_at_file(look, &maps.map[i], &maps, pid) : 0;
		hidden |= err == -EACCES || err == -EPERM;
		err = err == -ENOMEM ? err : 0;
	}
	maps__free(&maps);
	*look->unseen += hidden;
	if (!hidden && err != -ENOMEM)
		tls_seen__set(&looks->processes, key, pages);
	return err == -ENOMEM ? err : 0;
}

static bool is_descendant(const struct target *target, pid_t pid)
{
	for (int i = 0; i < ANCESTRY_MAX && pid > 1; i++) {
		pid = process_parent(pid);
		for (size_t j = 0; j < target->pids_cnt; j++) {
			if (pid == target->pids[j])
				return true;
		}
		if (pid > 0 && pid == target->command.pid)
			return true;
	}
	return false;
}

static int look_if_included(pid_t pid, void *arg)
{
	struct look *look = arg;
	const struct target *target = look->target;
	/* The set of processes is there only once programs are loaded. */
	bool included = target__by_pid(target) && !target->states ? is_descendant(target, pid)
								  : target__includes(target, pid);

	return included ? look_at_process(look, pid) : 0;
}

/* Until it runs, a command is a copy of this program. */
static bool runs_own_program(pid_t pid)
{
	struct stat own, its;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	return pid && !stat(path, &its) && !stat("/proc/self/exe", &own) &&
	       (own.st_dev != its.st_dev || own.st_ino != its.st_ino);
}

static int look_at_target(struct look *look)
{
	const struct target *target = look->target;
	int err = 0;

	for (size_t i = 0; !err && i < target->pids_cnt; i++)
		err = look_at_process(look, target->pids[i]);
	if (!err && runs_own_program(target->command.pid))
		err = look_at_process(look, target->command.pid);
	if (err || (target__by_pid(target) && !target->follow))
		return err;
	pidns_refresh();
	return process_each(look_if_included, look);
}

/* ---- what processes would load ------------------------------------------------------------ */

static int add_path(const char *path, void *arg)
{
	struct look *look = arg;
	struct tls_origin origin = {.name = path};
	struct binary binary;
	int err;

	if (tls_file_open(&binary, AT_FDCWD, path))
		return 0;
	if (!tls_file_has_calls(binary.fd)) {
		binary__close(&binary);
		return 0;
	}
	err = tls_libraries__take(look->libraries, &binary, &origin);
	return err == -ENOMEM ? err : 0;
}

static int add_defaults(struct look *look)
{
	static const char *const names[] = {"libssl", "libgnutls", "libssl3"};
	char **paths;
	size_t cnt;
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(names) / sizeof(names[0]); i++) {
		libraries_find(LIBRARIES_CACHE, names[i], &paths, &cnt);
		for (size_t j = 0; !err && j < cnt; j++)
			err = add_path(paths[j], look);
		libraries_free(paths, cnt);
	}
	return err;
}

static int add_expected(struct look *look)
{
	const char *command = look->target->command_path;
	int err = command ? add_path(command, look) : 0;

	if (!err && command)
		err = tls_libraries_needed(command, add_path, look);
	return err ?: add_defaults(look);
}

int tls_libraries__find(struct tls_libraries *l, const struct target *target, size_t *unseen)
{
	struct look look = {.libraries = l, .target = target, .unseen = unseen};
	size_t before = l->cnt;
	int err = 0;

	*unseen = 0;
	l->looks = l->looks ?: calloc(1, sizeof(*l->looks));
	if (!l->looks)
		return fail(-ENOMEM, "failed to list the TLS libraries");
	if (!l->looks->rounds && !target->pids_cnt)
		err = add_expected(&look);
	err = err ?: look_at_target(&look);
	l->looks->rounds++;
	return err ? fail(err, "failed to list the TLS libraries") : (int)(l->cnt - before);
}

/* ---- what was asked for ------------------------------------------------------------------- */

static int add_binary(const struct binary *binary, const char *label, void *arg)
{
	struct look *look = arg;
	const struct target *target = look->target;
	struct tls_origin origin = {.name = label};
	struct binary own;
	int err = tls_file_open(&own, AT_FDCWD, binary->path);

	if (err)
		return fail(err, "failed to open '%s'", label);
	if (target->pids_cnt == 1)
		origin.pid = target->pids[0];
	err = tls_libraries__take(look->libraries, &own, &origin);
	if (err == -ENOMEM)
		return fail(err, "failed to read '%s'", label);
	if (err >= 0)
		return 0;
	if (look->libraries->left_out)
		return refuse(-E2BIG, "'%s' is one too many: %d TLS libraries can be traced", label,
			      TLS_LIBRARIES);
	refuse(-ENOENT, "'%s' has no TLS calls", label);
	why("none of %zu functions such as SSL_read, gnutls_record_recv or PR_Read is in it",
	    tls_calls_cnt);
	suggest("nm -D %s | grep SSL_", label);
	return -ENOENT;
}

int tls_libraries__add(struct tls_libraries *l, const struct target *target, const char *name)
{
	struct look look = {.libraries = l, .target = target};

	return binaries_each(name, target, add_binary, &look);
}

void tls_libraries__free(struct tls_libraries *l)
{
	for (size_t i = 0; i < l->cnt; i++)
		tls_library__free(&l->lib[i]);
	free(l->lib);
	if (l->looks) {
		tls_seen__free(&l->looks->files);
		tls_seen__free(&l->looks->processes);
		free(l->looks);
	}
	*l = (struct tls_libraries){0};
}
