// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "call.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "preload-settings.h"

#define DEPTH 4 /* of calls within calls */

/* stack: where the stack was; a call that was left by a jump stays here, but not below it. */
static __thread struct {
	unsigned int cnt;
	struct {
		const void *handle;
		uintptr_t stack;
	} calls[DEPTH];
} within __attribute__((tls_model("initial-exec")));

static struct preload_tls_settings settings;

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? at - digits : -1;
}

bool thread_on_start(const char *text, uint8_t *ring_bits)
{
	unsigned char *bytes = (unsigned char *)&settings;

	if (strlen(text) != 2 * sizeof(settings))
		return false;
	for (size_t i = 0; i < sizeof(settings); i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = high << 4 | low;
	}
	*ring_bits = settings.ring_bits;
	return settings.match_len <= sizeof(settings.match);
}

void thread_on_connect(struct preload_region *region)
{
	library_tell(region);
}

void thread_on_change(struct thread *t)
{
	t->passes = (settings.uid == PRELOAD_NO_UID || settings.uid == t->uid) &&
		    (!*settings.comm || !strncmp(settings.comm, t->comm, sizeof(t->comm) - 1));
}

/* Before main(): a program may give up the right to make sockets. Most have no use for one. */
__attribute__((constructor)) static void start(void)
{
	thread_start();
	if (library_is_there(TLS_OPENSSL) || library_is_there(TLS_GNUTLS))
		thread_connect();
}

uint64_t call_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

static bool is_within(const void *handle, uintptr_t stack)
{
	while (within.cnt && within.calls[within.cnt - 1].stack <= stack)
		within.cnt--;
	for (unsigned int i = 0; i < within.cnt; i++) {
		if (within.calls[i].handle == handle)
			return true;
	}
	return within.cnt == DEPTH;
}

bool call_is_within(const void *handle)
{
	return is_within(handle, (uintptr_t)__builtin_frame_address(0));
}

bool call_begin(struct call *call, const void *handle, enum tls_api api, enum function function)
{
	uintptr_t stack = (uintptr_t)__builtin_frame_address(0);
	struct thread *t;

	if (__builtin_expect(!process, false))
		thread_start();
	*call = (struct call){.handle = handle};
	/* Before its connection, whose number is one of the process that is connected. */
	t = thread_self();
	call->connection = handle ? connection_of(handle, api) : NULL;
	call->lib = call->connection ? call->connection->lib : library_of(handle, api);
	if (__builtin_expect(!call->lib || !call->lib->functions[function], false)) {
		errno = ENOSYS;
		return false;
	}
	if (!handle || is_within(handle, stack))
		return true;
	if (!t || !thread_is_heard())
		return true;
	call->thread = t;
	call->depth = within.cnt++;
	within.calls[call->depth].handle = handle;
	within.calls[call->depth].stack = stack;
	if (settings.latency)
		call->begin_ns = call_now_ns();
	return true;
}

void call_begin_handshake(struct call *call)
{
	struct connection *c = call->connection;

	if (!call->thread || !c)
		return;
	if (!c->begin_ns) {
		c->begin_ns = call->begin_ns ?: call_now_ns();
		c->calls = 0;
		/* Since the last time somebody may have renamed it, or become somebody else. */
		thread_identify(call->thread);
	}
	c->calls++;
}

void call_end(struct call *call)
{
	if (call->thread)
		within.cnt = call->depth;
}

static void find_ends(struct call *call)
{
	const struct library *l = call->lib;
	int fd = -1;

	/* To ask what has no BIO would leave an error in the queue. */
	if (l->api == TLS_OPENSSL && HAS(l, SSL_get_rfd) && HAS(l, SSL_get_rbio) &&
	    CALL(l, SSL_get_rbio)(call->handle))
		fd = CALL(l, SSL_get_rfd)(call->handle);
	else if (l->api == TLS_GNUTLS && HAS(l, gnutls_transport_get_int))
		fd = CALL(l, gnutls_transport_get_int)((void *)call->handle);
	connection__find_ends(call->connection, fd);
	call->connection->passes = !settings.port ||
				   call->connection->record.local.port == settings.port ||
				   call->connection->record.remote.port == settings.port;
}

static bool call_passes(struct call *call)
{
	if (!call->thread || !call->thread->passes)
		return false;
	if (!call->connection)
		return !settings.port;
	if (!call->connection->has_ends)
		find_ends(call);
	return call->connection->passes;
}

/* What is not of the connection. */
static void fill(const struct call *call, struct tls_record *r, uint64_t end_ns)
{
	const struct thread *t = call->thread;
	struct connection *c = call->connection;

	if (c)
		*r = c->record;
	else
		*r = (struct tls_record){.fd = -1, .api = call->lib->api, .lib = call->lib->number};
	r->end_ns = end_ns;
	r->latency_ns = call->begin_ns ? end_ns - call->begin_ns : 0;
	r->tgid = t->tgid;
	r->tid = t->tid;
	r->uid = t->uid;
	memcpy(r->comm, t->comm, sizeof(r->comm));
}

/* Who reads it at the end finds there what no record has told. */
static struct preload_loss *take_loss(const struct call *call, const struct tls_record *r)
{
	struct preload_loss *losses = process->region->losses;
	uint32_t nobody;

	_Static_assert(sizeof(*r) <= sizeof(losses->about), "a loss is about a record");
	for (unsigned int i = 0; i < PRELOAD_LOSSES; i++) {
		nobody = 0;
		if (!__atomic_compare_exchange_n(&losses[i].taken, &nobody, 1, false,
						 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			continue;
		memcpy(losses[i].about, r, sizeof(*r));
		call->connection->loss = &losses[i];
		return &losses[i];
	}
	return NULL;
}

static void lose(const struct call *call, const struct tls_record *r, uint64_t bytes)
{
	struct connection *c = call->connection;
	struct preload_loss *loss = c ? c->loss ?: take_loss(call, r) : NULL;
	bool cut = r->offset;

	thread_lose(call->thread, bytes, cut);
	if (!loss)
		return;
	__atomic_fetch_add(&loss->bytes, bytes, __ATOMIC_RELAXED);
	if (!cut)
		__atomic_fetch_add(&loss->calls, 1, __ATOMIC_RELAXED);
}

/* With what its connection has lost until now, if anything. */
static bool put(const struct call *call, struct tls_record *r, const void *payload)
{
	struct preload_loss *loss = call->connection ? call->connection->loss : NULL;

	r->lost_calls = loss ? __atomic_load_n(&loss->calls, __ATOMIC_RELAXED) : 0;
	r->lost_bytes = loss ? __atomic_load_n(&loss->bytes, __ATOMIC_RELAXED) : 0;
	if (!thread_put(call->thread, r->end_ns, r, sizeof(*r), payload, r->size))
		return false;
	if (__builtin_expect(r->lost_calls || r->lost_bytes, false)) {
		__atomic_fetch_sub(&loss->calls, r->lost_calls, __ATOMIC_RELAXED);
		__atomic_fetch_sub(&loss->bytes, r->lost_bytes, __ATOMIC_RELAXED);
	}
	return true;
}

/* How much of a payload is wanted; spends the budget. */
static uint64_t capture(struct call *call, uint64_t len, uint16_t *flags)
{
	struct connection *c = call->connection;
	uint64_t left;

	if (!settings.payload)
		return 0;
	if (settings.max_bytes && len > settings.max_bytes)
		len = settings.max_bytes;
	if (!settings.budget || !c)
		return len;
	left = c->spent < settings.budget ? settings.budget - c->spent : 0;
	if (len > left) {
		*flags |= TLS_SPENT;
		len = left;
	}
	c->spent += len;
	return len;
}

static bool matches(const void *payload, uint64_t len)
{
	return !settings.match_len || (payload && len >= settings.match_len &&
				       !memcmp(payload, settings.match, settings.match_len));
}

void call_moved(struct call *call, enum tls_what what, uint16_t flags, const void *payload,
		uint64_t len)
{
	struct tls_record r;

	if (!call_passes(call) || !matches(payload, len))
		return;
	fill(call, &r, call_now_ns());
	r.what = what;
	r.len = len;
	r.captured = payload ? capture(call, len, &flags) : 0;
	r.flags = flags;
	r.offset = 0;
	do {
		uint64_t left = r.captured - r.offset;

		r.size = left < TLS_PAYLOAD_MAX ? left : TLS_PAYLOAD_MAX;
		if (!put(call, &r, (const char *)payload + r.offset)) {
			lose(call, &r, r.offset ? left : len);
			return;
		}
		r.offset += r.size;
	} while (r.offset < r.captured);
}

void call_handshake(struct call *call, uint16_t flags, int32_t error, uint32_t error_library,
		    const char *server_name)
{
	struct connection *c = call->connection;
	struct tls_record r;

	if (!c || !c->begin_ns || !call_passes(call))
		return;
	fill(call, &r, call_now_ns());
	r.latency_ns = r.end_ns - c->begin_ns;
	r.what = TLS_HANDSHAKE;
	r.flags = flags;
	r.calls = c->calls;
	r.error = error;
	r.error_library = error_library;
	r.size = server_name ? strnlen(server_name, TLS_NAME_MAX - 1) : 0;
	c->begin_ns = 0;
	if (!put(call, &r, server_name))
		lose(call, &r, 0);
}
