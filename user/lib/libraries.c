// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "libraries.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHE_MAX (64 << 20)
/* Of the upper byte of an entry's flags, this machine's value. Others: 32 bits, x32. */
#if defined(__x86_64__)
#define FLAGS_64 0x0300
#else
#define FLAGS_64 0x0a00
#endif
#define MAGIC "glibc-ld.so.cache1.1"

/* glibc's struct cache_file_new and file_entry_new; texts are at offsets from the header. */
struct header {
	char magic[sizeof(MAGIC) - 1];
	uint32_t cnt;
	uint32_t strings_size;
	uint32_t unused[5];
};

struct entry {
	int32_t flags;
	uint32_t name;
	uint32_t path;
	uint32_t os_version;
	uint64_t hwcap;
};

static int read_file(const char *path, char **text, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err = 0;
	struct stat st;
	ssize_t len;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode) || st.st_size > CACHE_MAX)
		err = -EBADMSG;
	if (!err)
		*text = malloc(st.st_size + 1);
	if (!err && !*text)
		err = -ENOMEM;
	len = err ? 0 : read(fd, *text, st.st_size);
	if (len < 0)
		err = -errno;
	close(fd);
	if (err) {
		free(*text);
		return err;
	}
	(*text)[len] = '\0';
	*size = len;
	return 0;
}

/* The file or, without what follows ".so", the library. */
static bool has_name(const char *file, const char *name)
{
	size_t len = strlen(name);

	return !strcmp(file, name) ||
	       (!strncmp(file, name, len) && !strncmp(file + len, ".so", strlen(".so")));
}

/* The table follows an older one in caches that can be read by old dynamic linkers too. */
static const struct header *find_header(const char *text, size_t size)
{
	const char *at = memmem(text, size, MAGIC, strlen(MAGIC));

	if (!at || (size_t)(text + size - at) < sizeof(struct header))
		return NULL;
	return (const struct header *)at;
}

static bool is_listed(char **paths, size_t cnt, const char *path)
{
	for (size_t i = 0; i < cnt; i++) {
		if (!strcmp(paths[i], path))
			return true;
	}
	return false;
}

/* Does a text begin there, and end before the file does? */
static bool is_text(const char *base, size_t size, uint32_t at)
{
	return at < size && memchr(base + at, '\0', size - at);
}

static int copy_paths(const char *base, size_t size, const char *name, char ***paths, size_t *cnt)
{
	struct header header;
	struct entry entry;
	char *to;

	memcpy(&header, base, sizeof(header));
	if (header.cnt > (size - sizeof(header)) / sizeof(entry))
		return -EBADMSG;
	for (uint32_t i = 0; i < header.cnt; i++) {
		char **grown;

		memcpy(&entry, base + sizeof(header) + i * sizeof(entry), sizeof(entry));
		if ((entry.flags & 0xff00) != FLAGS_64 || !is_text(base, size, entry.name) ||
		    !is_text(base, size, entry.path) || !has_name(base + entry.name, name))
			continue;
		if (is_listed(*paths, *cnt, base + entry.path))
			continue;
		grown = reallocarray(*paths, *cnt + 1, sizeof(*grown));
		to = strdup(base + entry.path);
		if (!grown || !to) {
			free(to);
			*paths = grown ?: *paths;
			return -ENOMEM;
		}
		*paths = grown;
		grown[(*cnt)++] = to;
	}
	return *cnt ? 0 : -ENOENT;
}

int libraries_find(const char *cache, const char *name, char ***paths, size_t *cnt)
{
	const struct header *header;
	char *text = NULL;
	size_t size = 0;
	int err = read_file(cache, &text, &size);

	*paths = NULL;
	*cnt = 0;
	if (err)
		return err;
	header = find_header(text, size);
	err = header ? copy_paths((const char *)header, text + size - (const char *)header, name,
				  paths, cnt)
		     : -EBADMSG;
	free(text);
	return err;
}

void libraries_free(char **paths, size_t cnt)
{
	while (cnt)
		free(paths[--cnt]);
	free(paths);
}
