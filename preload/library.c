// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "library.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

#include "thread.h"

#define OBJECTS 512 /* of a process, that are looked through */
#define WORDS   16  /* of a handle, that are looked at */

static const char *const names[FUNCTIONS] = {
#define X(name) [FN_##name] = #name,
	ALL_FUNCTIONS(X)
#undef X
};

static const struct kind {
	const char *file;          /* how the names of its files begin */
	enum function first, last; /* of its functions; a library of the kind has the first */
	enum function interposed;  /* the last one that is */
} kinds[] = {
	[TLS_OPENSSL] = {"libssl", FN_SSL_read, FN_OPENSSL_version_major, FN_SSL_free},
	[TLS_GNUTLS] = {"libgnutls", FN_gnutls_record_send, FN_gnutls_cipher_suite_info,
			FN_gnutls_deinit},
};

struct object {
	const char *path; /* the loader's; stays as long as it is loaded */
	uintptr_t start, end;
};

struct search {
	struct object objects[OBJECTS];
	size_t cnt;
	unsigned long long loads; /* how often the process has loaded something */
};

static struct library libraries[LIBRARIES];
static unsigned int libraries_cnt;
static unsigned long long seen_loads;
static uint32_t searching; /* a lock */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int note_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct search *s = arg;
	struct object o = {.path = info->dlpi_name, .start = UINTPTR_MAX};
	uintptr_t self = (uintptr_t)&libraries;

	(void)size;
	s->loads = info->dlpi_adds;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t at = info->dlpi_addr + p->p_vaddr;

		if (p->p_type != PT_LOAD)
			continue;
		o.start = at < o.start ? at : o.start;
		o.end = at + p->p_memsz > o.end ? at + p->p_memsz : o.end;
	}
	/* The program itself has no name: what it has linked in, nobody else's call comes to. */
	if (*o.path && !(o.start <= self && self < o.end) && s->cnt < OBJECTS)
		s->objects[s->cnt++] = o;
	return 0;
}

static int note_loads(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	*(unsigned long long *)arg = info->dlpi_adds;
	return 1;
}

static bool object__has(const struct object *o, const void *address)
{
	return (uintptr_t)address >= o->start && (uintptr_t)address < o->end;
}

static bool is_known(const struct object *o)
{
	for (unsigned int i = 0; i < libraries_cnt; i++) {
		if (libraries[i].start == o->start)
			return true;
	}
	return false;
}

/*
 * What has no name of a TLS library may be one all the same. The handle of dlopen() is kept: the
 * library must not go away while we may call it.
 */
static void try_object(const struct object *o, enum tls_api api)
{
	const struct kind *k = &kinds[api];
	struct library *l = &libraries[libraries_cnt];
	void *handle;

	if (libraries_cnt == LIBRARIES || is_known(o))
		return;
	handle = dlopen(o->path, RTLD_LAZY | RTLD_NOLOAD);
	if (!handle)
		return;
	if (!object__has(o, real_dlsym(handle, names[k->first]))) {
		dlclose(handle);
		return;
	}
	*l = (struct library){
		.api = api, .number = libraries_cnt, .start = o->start, .end = o->end};
	snprintf(l->path, sizeof(l->path), "%s", o->path);
	for (enum function f = k->first; f <= k->last; f++)
		l->functions[f] = real_dlsym(handle, names[f]);
	__atomic_store_n(&libraries_cnt, libraries_cnt + 1, __ATOMIC_RELEASE);
	if (process->region)
		library_tell(process->region);
}

static bool has_any(enum tls_api api)
{
	for (unsigned int i = 0; i < libraries_cnt; i++) {
		if (libraries[i].api == api)
			return true;
	}
	return false;
}

/* By name first: to look into all objects takes a while. The lock is taken. */
static void search_objects(void)
{
	static struct search s;

	s.cnt = 0;
	dl_iterate_phdr(note_object, &s);
	for (size_t i = 0; i < s.cnt; i++) {
		const char *name = base_name(s.objects[i].path);

		for (unsigned int api = 0; api < sizeof(kinds) / sizeof(kinds[0]); api++) {
			if (!strncmp(name, kinds[api].file, strlen(kinds[api].file)))
				try_object(&s.objects[i], api);
		}
	}
	seen_loads = s.loads;
}

static void search_harder(enum tls_api api)
{
	static struct search s;

	s.cnt = 0;
	dl_iterate_phdr(note_object, &s);
	for (size_t i = 0; i < s.cnt; i++)
		try_object(&s.objects[i], api);
}

static void look_for(enum tls_api api, bool hard)
{
	unsigned long long loads = 0;
	int saved = errno;

	dl_iterate_phdr(note_loads, &loads);
	if (loads != __atomic_load_n(&seen_loads, __ATOMIC_RELAXED) || hard) {
		spin_lock(&searching);
		search_objects();
		if (hard && !has_any(api))
			search_harder(api);
		spin_unlock(&searching);
	}
	errno = saved;
}

bool library_is_there(enum tls_api api)
{
	look_for(api, false);
	return has_any(api);
}

/* An SSL has a pointer to its SSL_METHOD, one of its library's tables, among its first members. */
static bool library__owns(const struct library *l, const void *handle)
{
	const uintptr_t *words = handle;

	for (int i = 0; i < WORDS; i++) {
		if (words[i] >= l->start && words[i] < l->end)
			return true;
	}
	return false;
}

/* Of GnuTLS all processes have one. any: where none is known to own the handle, the first one. */
static const struct library *find_library(const void *handle, enum tls_api api, bool any)
{
	unsigned int cnt = __atomic_load_n(&libraries_cnt, __ATOMIC_ACQUIRE);
	const struct library *first = NULL;

	for (unsigned int i = 0; i < cnt; i++) {
		if (libraries[i].api != api)
			continue;
		if (api == TLS_GNUTLS || library__owns(&libraries[i], handle))
			return &libraries[i];
		first = first ?: &libraries[i];
	}
	return any ? first : NULL;
}

/*
 * The loader is asked for what it has loaded only if there is need: its lock can be taken for ever
 * in a child of fork.
 */
const struct library *library_of(const void *handle, enum tls_api api)
{
	const struct library *l = find_library(handle, api, false);

	if (l)
		return l;
	look_for(api, false);
	l = find_library(handle, api, true);
	if (l)
		return l;
	look_for(api, true);
	return find_library(handle, api, true);
}

bool library_interposes(const char *name, enum tls_api *api)
{
	if (strncmp(name, "SSL_", 4) && strncmp(name, "gnutls_", 7))
		return false;
	*api = *name == 'S' ? TLS_OPENSSL : TLS_GNUTLS;
	for (enum function f = kinds[*api].first; f <= kinds[*api].interposed; f++) {
		if (!strcmp(name, names[f]))
			return true;
	}
	return false;
}

void library_tell(struct preload_region *region)
{
	for (unsigned int i = 0; i < libraries_cnt; i++)
		memcpy(region->libraries[i], libraries[i].path, PRELOAD_PATH);
}
