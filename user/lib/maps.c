// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "maps.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DELETED " (deleted)"

/* The kernel writes a newline in a path as \012, and nothing else so. */
static void unescape(char *path)
{
	char *to = path;

	while (*path) {
		bool newline = !strncmp(path, "\\012", 4);

		*to++ = newline ? '\n' : *path;
		path += newline ? 4 : 1;
	}
	*to = '\0';
}

static bool cut_deleted(char *path)
{
	size_t len = strlen(path), mark = strlen(DELETED);

	if (len <= mark || strcmp(path + len - mark, DELETED))
		return false;
	path[len - mark] = '\0';
	return true;
}

/* "START-END PERMS OFFSET MAJOR:MINOR INODE    PATH"; changes the line. */
static bool parse_mapping(char *line, struct mapping *m)
{
	char perms[5];
	int at = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n", &m->start,
		   &m->end, perms, &m->offset, &m->major, &m->minor, &m->inode, &at) != 7)
		return false;
	if (!at || line[at] != '/' || !m->inode || strlen(perms) != 4 || m->start >= m->end)
		return false;
	m->executable = perms[2] == 'x';
	m->path = line + at;
	m->deleted = cut_deleted(m->path);
	unescape(m->path);
	return true;
}

static bool same_file(const struct mapping *a, const struct mapping *b)
{
	return a->inode == b->inode && a->major == b->major && a->minor == b->minor &&
	       !strcmp(a->path, b->path);
}

/* Mappings of a file stand together, so that the last one is all there is to compare with. */
static int add_mapping(struct maps *maps, const struct mapping *m)
{
	struct mapping *last = maps->cnt ? &maps->map[maps->cnt - 1] : NULL, *grown;

	if (last && same_file(last, m)) {
		if (last->executable || !m->executable)
			return 0;
		last->start = m->start;
		last->end = m->end;
		last->offset = m->offset;
		last->executable = true;
		return 0;
	}
	grown = reallocarray(maps->map, maps->cnt + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	maps->map = grown;
	grown[maps->cnt] = *m;
	grown[maps->cnt].path = strdup(m->path);
	if (!grown[maps->cnt].path)
		return -ENOMEM;
	maps->cnt++;
	return 0;
}

int maps_read(struct maps *maps, FILE *text)
{
	struct mapping m;
	char *line = NULL;
	size_t size = 0;
	int err = 0;

	*maps = (struct maps){0};
	while (!err && getline(&line, &size, text) > 0) {
		if (parse_mapping(line, &m))
			err = add_mapping(maps, &m);
	}
	free(line);
	return err;
}

int maps_of_process(struct maps *maps, pid_t pid)
{
	char path[32];
	FILE *text;
	int err;

	*maps = (struct maps){0};
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	text = fopen(path, "re");
	if (!text)
		return errno == ENOENT ? -ESRCH : -errno;
	err = maps_read(maps, text);
	if (!err && ferror(text))
		err = -EIO;
	fclose(text);
	return err;
}

void maps__free(struct maps *maps)
{
	for (size_t i = 0; i < maps->cnt; i++)
		free(maps->map[i].path);
	free(maps->map);
	*maps = (struct maps){0};
}

static bool is_path(const char *path, const char *name)
{
	return !strcmp(path, name);
}

static const char *base_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

static bool is_file_name(const char *path, const char *name)
{
	return !strcmp(base_of(path), name);
}

static bool is_library(const char *path, const char *name)
{
	const char *base = base_of(path);
	size_t len = strlen(name);

	return len && !strncmp(base, name, len) && !strncmp(base + len, ".so", 3);
}

const struct mapping *maps__find(const struct maps *maps, const char *name)
{
	static bool (*const rules[])(const char *, const char *) = {is_path, is_file_name,
								    is_library};
	size_t cnt = strchr(name, '/') ? 1 : sizeof(rules) / sizeof(rules[0]);

	for (size_t rule = 0; rule < cnt; rule++) {
		for (size_t i = 0; i < maps->cnt; i++) {
			if (rules[rule](maps->map[i].path, name))
				return &maps->map[i];
		}
	}
	return NULL;
}
