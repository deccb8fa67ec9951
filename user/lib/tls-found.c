// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tls-found.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "log.h"
#include "tls-options.h"
#include "uprobe.h"
#include "watcher.h"

#define LOOKS_TO_TIDY 30

/* What the watcher says of a library. */
struct late_library {
	unsigned int nr;
	char name[TLS_NAME_MAX];
};

static struct {
	struct tls_libraries libraries;
	size_t attached_cnt;
	const struct target *target;
	tls_found_fn fn;
	void (*tidy)(void *arg);
	void *arg;
	unsigned int looks; /* of the watcher */
	struct late_library late[TLS_LIBRARIES];
	bool failed[TLS_LIBRARIES];
	size_t failed_cnt;
	int watcher_fd; /* 0: none */
} found;

/* The file is such that there are no probes in it; anyone can make one, in a process of theirs. */
static bool is_unsuited(int err)
{
	return err == -EINVAL || err == -EIO || err == -ENOTSUPP;
}

/* Those that were found since the last time. Without what is unsuited, if it was not asked for. */
static int attach_new(void)
{
	int err = 0;

	while (!err && found.attached_cnt < found.libraries.cnt) {
		unsigned int nr = found.attached_cnt++;

		err = found.fn(&found.libraries.lib[nr], nr, found.arg);
		if (!is_unsuited(err) || tls_options.libs_cnt)
			continue;
		note("'%s' is left out", found.libraries.lib[nr].name);
		found.failed[nr] = true;
		if (++found.failed_cnt < found.libraries.cnt)
			err = 0;
	}
	return err;
}

static int find_first(void)
{
	size_t unseen = 0;
	int err = 0;

	for (size_t i = 0; !err && i < tls_options.libs_cnt; i++)
		err = tls_libraries__add(&found.libraries, found.target, tls_options.libs[i]);
	if (err || tls_options.libs_cnt)
		return err;
	err = tls_libraries__find(&found.libraries, found.target, &unseen);
	if (err < 0)
		return err;
	return found.libraries.cnt ? 0 : tls_libraries__refuse(found.target, unseen);
}

static int look_again(void *arg, int fd)
{
	struct late_library l = {.nr = found.libraries.cnt};
	size_t unseen = 0;
	int err;

	(void)arg;
	if (++found.looks % LOOKS_TO_TIDY == 0)
		found.tidy(found.arg);
	if (tls_options.libs_cnt)
		return 0;
	err = tls_libraries__find(&found.libraries, found.target, &unseen);
	err = err < 0 ? err : attach_new();
	for (; !err && l.nr < found.libraries.cnt; l.nr++) {
		if (found.failed[l.nr])
			continue;
		snprintf(l.name, sizeof(l.name), "%s", found.libraries.lib[l.nr].name);
		note("'%s' came later: what was done with it before was not seen", l.name);
		if (write(fd, &l, sizeof(l)) != sizeof(l))
			err = -errno;
	}
	return err;
}

int tls_found_attach(const struct target *target, tls_found_fn fn, void (*tidy)(void *arg),
		     void *arg)
{
	int err;

	found.target = target;
	found.fn = fn;
	found.tidy = tidy;
	found.arg = arg;
	err = find_first();
	err = err ?: attach_new();
	if (!err && found.libraries.left_out)
		note("%zu more libraries are left out: at most %d at once",
		     found.libraries.left_out, TLS_LIBRARIES);
	if (err)
		return err;
	found.watcher_fd = watcher_start(look_again, NULL);
	return found.watcher_fd < 0 ? found.watcher_fd : 0;
}

/* What the watcher has said; false if it says no more. */
static bool hear_watcher(void)
{
	struct late_library l;
	ssize_t len;

	if (!found.watcher_fd)
		return true;
	while ((len = read(found.watcher_fd, &l, sizeof(l))) == sizeof(l)) {
		if (l.nr < TLS_LIBRARIES)
			found.late[l.nr] = l;
	}
	return len < 0 && errno == EAGAIN;
}

void tls_found_check(void)
{
	if (!hear_watcher())
		note("the process that looked for more libraries was ended: from then on those "
		     "that came later were not seen");
}

const char *tls_found_name(unsigned int nr)
{
	if (nr < found.libraries.cnt)
		return found.libraries.lib[nr].name;
	hear_watcher();
	return nr < TLS_LIBRARIES && *found.late[nr].name ? found.late[nr].name : NULL;
}
