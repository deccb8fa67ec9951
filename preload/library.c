// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "library.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "thread.h"

#define OBJECTS  512 /* of a process, that are looked through */
#define WORDS    16  /* of a handle, that are looked at */
#define KINDS    2
#define NOT_HARD KINDS

static const char *const names[FUNCTIONS] = {
#define X(name) [FN_##name] = #name,
	ALL_FUNCTIONS(X)
#undef X
};

static const struct kind {
	const char *file;          /* how the names of its files begin */
	enum function first, last; /* of its functions; a library of the kind has the first */
	enum function interposed;  /* the last one that is */
} kinds[KINDS] = {
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
};

static struct library libraries[LIBRARIES];
static unsigned int libraries_cnt;
static unsigned long long seen_loads[KINDS + 1]; /* how often the process had loaded something */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static struct object object_of(const struct dl_phdr_info *info)
{
	struct object o = {.path = info->dlpi_name, .start = UINTPTR_MAX};

	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t at = info->dlpi_addr + p->p_vaddr;

		if (p->p_type != PT_LOAD)
			continue;
		o.start = at < o.start ? at : o.start;
		o.end = at + p->p_memsz > o.end ? at + p->p_memsz : o.end;
	}
	return o;
}

static int note_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct object o = object_of(info);
	uintptr_t self = (uintptr_t)&libraries;
	struct search *s = arg;

	(void)size;
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

static bool is_known(uintptr_t start)
{
	for (unsigned int i = 0; i < __atomic_load_n(&libraries_cnt, __ATOMIC_ACQUIRE); i++) {
		if (libraries[i].start == start)
			return true;
	}
	return false;
}

/* The handle of dlopen() that l has is of no use then. */
static bool add_library(struct library *l)
{
	bool is_new;

	spin_lock(&process->adding);
	is_new = libraries_cnt < LIBRARIES && !is_known(l->start);
	if (is_new) {
		l->number = libraries_cnt;
		libraries[libraries_cnt] = *l;
		__atomic_store_n(&libraries_cnt, libraries_cnt + 1, __ATOMIC_RELEASE);
		if (process->region)
			library_tell(process->region);
	}
	spin_unlock(&process->adding);
	return is_new;
}

/*
 * What has no name of a TLS library may be one all the same. The handle of dlopen() is kept: the
 * library must not go away while we may call it. No lock of ours is taken while the loader is
 * asked: it may be loading what waits for us.
 */
static void try_object(const struct object *o, enum tls_api api)
{
	const struct kind *k = &kinds[api];
	struct library l = {.api = api, .start = o->start, .end = o->end};
	void *handle;

	if (is_known(o->start))
		return;
	handle = dlopen(o->path, RTLD_LAZY | RTLD_NOLOAD);
	if (!handle)
		return;
	if (object__has(o, real_dlsym(handle, names[k->first]))) {
		snprintf(l.path, sizeof(l.path), "%s", o->path);
		for (enum function f = k->first; f <= k->last; f++)
			l.functions[f] = real_dlsym(handle, names[f]);
		if (add_library(&l))
			return;
	}
	dlclose(handle);
}

static bool is_named(const struct object *o, enum tls_api api)
{
	return !strncmp(base_name(o->path), kinds[api].file, strlen(kinds[api].file));
}

/* By name, or all: to look into all objects takes a while. */
static void search_objects(unsigned long long loads, enum tls_api hard)
{
	struct search *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (s == MAP_FAILED)
		return;
	dl_iterate_phdr(note_object, s);
	for (size_t i = 0; i < s->cnt; i++) {
		for (unsigned int api = 0; api < KINDS; api++) {
			if (api == hard || is_named(&s->objects[i], api))
				try_object(&s->objects[i], api);
		}
	}
	munmap(s, sizeof(*s));
	__atomic_store_n(&seen_loads[NOT_HARD], loads, __ATOMIC_RELAXED);
	__atomic_store_n(&seen_loads[hard], loads, __ATOMIC_RELAXED);
}

/* hard: in all objects, for a kind of which none of the libraries that are known can be meant. */
static void look_for(enum tls_api hard)
{
	unsigned long long loads = 0;
	int saved = errno;

	/* A constructor that runs before ours may ask. */
	if (!process)
		thread_start();
	dl_iterate_phdr(note_loads, &loads);
	if (loads != __atomic_load_n(&seen_loads[hard], __ATOMIC_RELAXED))
		search_objects(loads, hard);
	errno = saved;
}

bool library_is_there(enum tls_api api)
{
	look_for(NOT_HARD);
	for (unsigned int i = 0; i < __atomic_load_n(&libraries_cnt, __ATOMIC_ACQUIRE); i++) {
		if (libraries[i].api == api)
			return true;
	}
	return false;
}

struct place {
	uintptr_t address;
	bool found;
};

static int find_place(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct object o = object_of(info);
	struct place *p = arg;

	(void)size;
	p->found = *o.path && p->address >= o.start && p->address < o.end;
	return p->found;
}

bool library_has(const void *address)
{
	struct place p = {.address = (uintptr_t)address};

	dl_iterate_phdr(find_place, &p);
	return p.found;
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
	look_for(NOT_HARD);
	l = find_library(handle, api, false);
	if (l)
		return l;
	look_for(api);
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
