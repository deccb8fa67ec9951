// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "preload-running.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process.h"

struct needle {
	const char *text;
	size_t cnt;
};

static bool file_has(pid_t pid, const char *name, const char *text)
{
	char path[64], *block = NULL;
	bool found = false;
	size_t size = 0;
	ssize_t len;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	f = fopen(path, "re");
	if (!f)
		return false;
	/* environ is one line; of maps a line is enough. */
	while (!found && (len = getline(&block, &size, f)) > 0)
		found = memmem(block, len, text, strlen(text));
	free(block);
	fclose(f);
	return found;
}

/* A program may have written over its environment, or not have had a use for the library yet. */
static int count_if_ours(pid_t pid, void *arg)
{
	struct needle *n = arg;

	if (pid != getpid() && process_runs(pid) &&
	    (file_has(pid, "maps", n->text) || file_has(pid, "environ", n->text)))
		n->cnt++;
	return 0;
}

size_t preload_count_running(const char *name)
{
	struct needle n = {.text = name};

	process_each(count_if_ours, &n);
	return n.cnt;
}
