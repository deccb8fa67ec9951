// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tls-libraries-add.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tls-libraries-file.h"

enum tls_api tls_library__api(const struct tls_library *library)
{
	return library->functions_cnt ? tls_calls[library->functions[0].call].api : TLS_OPENSSL;
}

bool tls_library__is_helper(const struct tls_library *library)
{
	bool is_nss = tls_library__api(library) == TLS_NSS;

	for (size_t i = 0; i < library->functions_cnt; i++) {
		enum tls_role role = tls_calls[library->functions[i].call].role;

		if (is_nss ? role == TLS_ROLE_HANDSHAKE_0
			   : role != TLS_ROLE_ERROR && role != TLS_ROLE_ERROR_1_1)
			return false;
	}
	return true;
}

/* ---- adding ------------------------------------------------------------------------------- */

static int find_same(const struct tls_libraries *l, const struct binary *binary)
{
	for (size_t i = 0; i < l->cnt; i++) {
		if (tls_file_is_same(&l->lib[i].binary, binary))
			return i;
	}
	return TLS_NO_LIBRARY;
}

void tls_library__free(struct tls_library *library)
{
	free(library->name);
	free(library->functions);
	binary__close(&library->binary);
}

/* Takes the binary over. Returns its number, TLS_NO_LIBRARY, or -ENOMEM. */
static int append(struct tls_libraries *l, struct binary *binary, const struct tls_origin *origin,
		  int helper)
{
	int same = find_same(l, binary), err;
	struct tls_library *grown;

	if (same >= 0) {
		l->lib[same].pid = l->lib[same].pid ?: origin->pid;
		binary__close(binary);
		return same;
	}
	grown = l->cnt < TLS_LIBRARIES ? reallocarray(l->lib, l->cnt + 1, sizeof(*grown)) : NULL;
	if (!grown) {
		l->left_out += l->cnt == TLS_LIBRARIES;
		binary__close(binary);
		return l->cnt == TLS_LIBRARIES ? TLS_NO_LIBRARY : -ENOMEM;
	}
	l->lib = grown;
	grown += l->cnt;
	*grown = (struct tls_library){
		.binary = *binary,
		.name = strdup(origin->name),
		.pid = origin->pid,
		.is_deleted = origin->is_deleted,
	};
	err = grown->name ? tls_file_read(grown, helper) : -ENOMEM;
	if (err || !grown->functions_cnt) {
		tls_library__free(grown);
		return err == -ENOMEM ? err : TLS_NO_LIBRARY;
	}
	return l->cnt++;
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* "libssl.so.1.1" needs "libcrypto.so.1.1", and NSS's libssl3 needs libnspr4. */
static bool name_helper(const char *base, char *helper, size_t size, const char **prefix)
{
	if (!strncmp(base, "libssl3.", 8)) {
		*prefix = "libnspr4";
		snprintf(helper, size, "libnspr4.so");
	} else if (!strncmp(base, "libssl", 6)) {
		*prefix = "libcrypto";
		snprintf(helper, size, "libcrypto%s", base + 6);
	} else {
		return false;
	}
	return true;
}

static const struct mapping *find_mapped(const struct maps *maps, const char *base,
					 const char *prefix)
{
	const struct mapping *found = NULL;

	for (size_t i = 0; i < maps->cnt; i++) {
		const char *name = base_of(maps->map[i].path);

		if (!maps->map[i].executable || strncmp(name, prefix, strlen(prefix)))
			continue;
		if (!strcmp(name, base))
			return &maps->map[i];
		found = found ?: &maps->map[i];
	}
	return found;
}

/* Of the same process, else beside it. path is what origin->name is made to point to. */
static bool open_helper(const struct tls_origin *library, struct binary *binary,
			struct tls_origin *origin, char path[PATH_MAX])
{
	const char *base = base_of(library->name), *prefix;
	const struct mapping *m = NULL;
	char name[NAME_MAX];

	if (!name_helper(base, name, sizeof(name), &prefix))
		return false;
	*origin = *library;
	if (library->maps)
		m = find_mapped(library->maps, name, prefix);
	if (m) {
		origin->name = m->path;
		origin->is_deleted = m->deleted;
		return !tls_file_open_mapping(binary, library->pid, m);
	}
	snprintf(path, PATH_MAX, "%.*s%s", (int)(base - library->name), library->name, name);
	origin->name = path;
	return !library->maps && !tls_file_open(binary, AT_FDCWD, path);
}

int tls_libraries__take(struct tls_libraries *l, struct binary *binary,
			const struct tls_origin *origin)
{
	struct binary helper;
	struct tls_origin of_helper;
	char path[PATH_MAX];
	bool has_helper = open_helper(origin, &helper, &of_helper, path);
	size_t before = l->cnt;
	int nr = append(l, binary, origin, has_helper ? helper.fd : -1), err = 0;

	if (has_helper && nr >= 0 && l->cnt > before)
		err = append(l, &helper, &of_helper, -1);
	else if (has_helper)
		binary__close(&helper);
	return err == -ENOMEM ? err : nr;
}
