// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tls-found.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "log.h"
#include "tls-options.h"
#include "watcher.h"

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
	void *arg;
	struct late_library late[TLS_LIBRARIES];
	int watcher_fd; /* 0: none */
} found;

/* Those that were found since the last time. */
static int attach_new(void)
{
	int err = 0;

	while (!err && found.attached_cnt < found.libraries.cnt) {
		unsigned int nr = found.attached_cnt++;

		err = found.fn(&found.libraries.library[nr], nr, found.arg);
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
	int err = tls_libraries__find(&found.libraries, found.target, &unseen);

	(void)arg;
	err = err < 0 ? err : attach_new();
	for (; !err && l.nr < found.libraries.cnt; l.nr++) {
		snprintf(l.name, sizeof(l.name), "%s", found.libraries.library[l.nr].name);
		note("'%s' came later: what was done with it before was not seen", l.name);
		if (write(fd, &l, sizeof(l)) != sizeof(l))
			err = -errno;
	}
	return err;
}

int tls_found_attach(const struct target *target, tls_found_fn fn, void *arg)
{
	int err;

	found.target = target;
	found.fn = fn;
	found.arg = arg;
	err = find_first();
	err = err ?: attach_new();
	if (!err && found.libraries.left_out)
		note("%zu more libraries are left out: at most %d at once",
		     found.libraries.left_out, TLS_LIBRARIES);
	if (err || tls_options.libs_cnt)
		return err;
	found.watcher_fd = watcher_start(look_again, NULL);
	return found.watcher_fd < 0 ? found.watcher_fd : 0;
}

const char *tls_found_name(unsigned int nr)
{
	struct late_library l;

	if (nr < found.libraries.cnt)
		return found.libraries.library[nr].name;
	while (found.watcher_fd && read(found.watcher_fd, &l, sizeof(l)) == sizeof(l)) {
		if (l.nr < TLS_LIBRARIES)
			found.late[l.nr] = l;
	}
	return nr < TLS_LIBRARIES && *found.late[nr].name ? found.late[nr].name : NULL;
}
