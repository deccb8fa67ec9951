// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A hash with open addressing: it is read without a lock, since calls are many, and written with
 * one. An entry leads to a place that is filled in before the entry is, and whose handle is
 * compared. Nobody uses a handle while somebody else frees it.
 */
#include "connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "thread.h"

#define ENTRIES (2 * CONNECTIONS)
#define EMPTY   0
#define REMOVED UINT32_MAX

static uint32_t entries[ENTRIES]; /* index of connections + 1 */
static struct connection connections[CONNECTIONS];
static uint32_t used;       /* of connections, ever */
static uint32_t free_first; /* index + 1 */

static uint32_t hash(const void *handle)
{
	return ((uintptr_t)handle >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (ENTRIES - 1);
}

/* Returns its entry, ENTRIES if it has none. */
static uint32_t find_entry(const void *handle)
{
	uint32_t at = hash(handle), entry;

	for (uint32_t i = 0; i < ENTRIES; i++, at = (at + 1) & (ENTRIES - 1)) {
		entry = __atomic_load_n(&entries[at], __ATOMIC_ACQUIRE);
		if (entry == EMPTY)
			break;
		if (entry != REMOVED &&
		    __atomic_load_n(&connections[entry - 1].handle, __ATOMIC_RELAXED) == handle)
			return at;
	}
	return ENTRIES;
}

static struct connection *take_free(void)
{
	struct connection *c;

	if (free_first) {
		c = &connections[free_first - 1];
		free_first = c->next;
		return c;
	}
	return used < CONNECTIONS ? &connections[used++] : NULL;
}

static void fill(struct connection *c, const struct library *library)
{
	uint64_t number = ++process->connections;

	*c = (struct connection){
		.lib = library,
		.generation = process->generation,
		.passes = true,
		.record =
			{
				/* Without a nonce each child of fork would number on from here. */
				.connection = (uint64_t)process->nonce << 32 | number,
				.fd = -1,
				.api = library->api,
				.lib = library->number,
			},
	};
}

/* The lock is taken. */
static struct connection *add(const void *handle, const struct library *library)
{
	struct connection *c = take_free();
	uint32_t at = hash(handle);

	if (!c)
		return NULL;
	fill(c, library);
	while (entries[at] != EMPTY && entries[at] != REMOVED)
		at = (at + 1) & (ENTRIES - 1);
	__atomic_store_n(&c->handle, handle, __ATOMIC_RELAXED);
	__atomic_store_n(&entries[at], c - connections + 1, __ATOMIC_RELEASE);
	return c;
}

static struct connection *find(const void *handle)
{
	uint32_t at = find_entry(handle);

	return at < ENTRIES ? &connections[entries[at] - 1] : NULL;
}

/* A child of fork knows its parent's connections, whose losses its parent tells. */
static struct connection *make_own(struct connection *c)
{
	if (c && c->generation != process->generation) {
		c->generation = process->generation;
		c->loss = NULL;
	}
	return c;
}

struct connection *connection_of(const void *handle, enum tls_api api)
{
	struct connection *c = find(handle);
	const struct library *library;

	if (c)
		return make_own(c);
	library = library_of(handle, api);
	if (!library)
		return NULL;
	spin_lock(&process->tabling);
	c = find(handle) ?: add(handle, library);
	spin_unlock(&process->tabling);
	return c;
}

/* Removed entries make others hard to find; the last ones before an empty one need not stay. */
static void sweep(uint32_t at)
{
	if (entries[(at + 1) & (ENTRIES - 1)] != EMPTY)
		return;
	for (; entries[at] == REMOVED; at = (at - 1) & (ENTRIES - 1))
		__atomic_store_n(&entries[at], EMPTY, __ATOMIC_RELEASE);
}

void connection_forget(const void *handle)
{
	struct connection *c;
	uint32_t at;

	spin_lock(&process->tabling);
	at = find_entry(handle);
	if (at < ENTRIES) {
		c = &connections[entries[at] - 1];
		__atomic_store_n(&entries[at], REMOVED, __ATOMIC_RELEASE);
		sweep(at);
		__atomic_store_n(&c->handle, NULL, __ATOMIC_RELAXED);
		/* Else it is told at the end. */
		if (c->loss && c->generation == process->generation && !c->loss->calls &&
		    !c->loss->bytes)
			__atomic_store_n(&c->loss->taken, 0, __ATOMIC_RELEASE);
		c->next = free_first;
		free_first = c - connections + 1;
	}
	spin_unlock(&process->tabling);
}

static void to_endpoint(struct endpoint *e, const struct sockaddr_storage *address)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

	if (address->ss_family == AF_INET) {
		e->family = AF_INET;
		e->port = v4->sin_port;
		memcpy(e->addr, &v4->sin_addr, sizeof(v4->sin_addr));
	} else if (address->ss_family == AF_INET6) {
		e->family = AF_INET6;
		e->port = v6->sin6_port;
		memcpy(e->addr, &v6->sin6_addr, sizeof(v6->sin6_addr));
	}
}

void connection__find_ends(struct connection *c, int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t len = sizeof(address);
	int saved = errno;

	c->has_ends = true;
	if (fd >= 0 && !getsockname(fd, (struct sockaddr *)&address, &len)) {
		c->record.fd = fd;
		to_endpoint(&c->record.local, &address);
		len = sizeof(address);
		memset(&address, 0, sizeof(address));
		if (!getpeername(fd, (struct sockaddr *)&address, &len))
			to_endpoint(&c->record.remote, &address);
	}
	errno = saved;
}
