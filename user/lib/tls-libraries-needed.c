// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tls-libraries-needed.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elf-file.h"
#include "tls-libraries-file.h"

#define SECTION_MAX (16 << 20)
#define NEEDED_MAX  8

struct needed {
	const char *names[NEEDED_MAX]; /* those of TLS libraries */
	size_t cnt;
	const char *dirs; /* of the program; NULL: none */
	char origin[PATH_MAX];
	int (*fn)(const char *path, void *arg);
	void *arg;
};

static bool is_tls_name(const char *name)
{
	static const char *const prefixes[] = {"libssl", "libgnutls"};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])) && !strchr(name, '/'))
			return true;
	}
	return false;
}

static void read_entries(struct needed *n, const char *dynamic, size_t size, const char *texts,
			 size_t texts_size)
{
	Elf64_Dyn entry;

	for (size_t at = 0; at + sizeof(entry) <= size; at += sizeof(entry)) {
		memcpy(&entry, dynamic + at, sizeof(entry));
		if (entry.d_tag == DT_NULL)
			break;
		if (entry.d_un.d_val >= texts_size)
			continue;
		if (entry.d_tag == DT_RUNPATH || (entry.d_tag == DT_RPATH && !n->dirs))
			n->dirs = texts + entry.d_un.d_val;
		if (entry.d_tag == DT_NEEDED && n->cnt < NEEDED_MAX &&
		    is_tls_name(texts + entry.d_un.d_val))
			n->names[n->cnt++] = texts + entry.d_un.d_val;
	}
}

/* "$ORIGIN" is where the program is. Other names of the linker's are not known here. */
static int expand(const struct needed *n, const char *dir, size_t len, const char *name,
		  char **path)
{
	static const char *const origins[] = {"$ORIGIN", "${ORIGIN}"};

	for (size_t i = 0; i < 2; i++) {
		size_t mark = strlen(origins[i]);

		if (len >= mark && !strncmp(dir, origins[i], mark))
			return asprintf(path, "%s%.*s/%s", n->origin, (int)(len - mark), dir + mark,
					name);
	}
	return asprintf(path, "%.*s/%s", len ? (int)len : 1, len ? dir : ".", name);
}

static int try_dir(const struct needed *n, const char *dir, size_t len, const char *name)
{
	char *path;
	int ret;

	if (expand(n, dir, len, name, &path) < 0)
		return 0;
	ret = access(path, R_OK) ? 0 : n->fn(path, n->arg);
	free(path);
	return ret;
}

/* A list as "/a:/b"; an empty entry is the current directory. */
static int try_dirs(const struct needed *n, const char *dirs)
{
	int ret = 0;

	while (dirs && !ret) {
		size_t len = strcspn(dirs, ":");

		for (size_t i = 0; !ret && i < n->cnt; i++)
			ret = try_dir(n, dirs, len, n->names[i]);
		dirs = dirs[len] ? dirs + len + 1 : NULL;
	}
	return ret;
}

static int try_all(struct needed *n, const struct elf_file *f)
{
	const Elf64_Shdr *dynamic = elf_file__section(f, SHT_DYNAMIC);
	const Elf64_Shdr *names = dynamic ? elf_file__linked(f, dynamic) : NULL;
	char *entries = NULL, *texts = NULL;
	int ret = 0;

	if (f->is_64 && names && !elf_file__load(f, dynamic, SECTION_MAX, &entries) &&
	    !elf_file__load(f, names, SECTION_MAX, &texts)) {
		read_entries(n, entries, dynamic->sh_size, texts, names->sh_size);
		ret = try_dirs(n, getenv("LD_LIBRARY_PATH"));
		ret = ret ?: try_dirs(n, n->dirs);
	}
	free(entries);
	free(texts);
	return ret;
}

int tls_libraries_needed(const char *program, int (*fn)(const char *path, void *arg), void *arg)
{
	struct needed n = {.fn = fn, .arg = arg};
	struct binary binary;
	struct elf_file f;
	int ret = 0;

	if (!realpath(program, n.origin) || tls_file_open(&binary, AT_FDCWD, program))
		return 0;
	*strrchr(n.origin, '/') = '\0';
	if (!elf_file__read(&f, binary.fd))
		ret = try_all(&n, &f);
	elf_file__free(&f);
	binary__close(&binary);
	return ret;
}
