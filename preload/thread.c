// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "thread.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "limits.h"

#define ATTEMPTS 100 /* to connect: a tool that is busy refuses, too */

struct process *process;
__thread struct thread thread_state __attribute__((tls_model("initial-exec")));

static struct sockaddr_un address = {.sun_family = AF_UNIX}; /* of the tool */
static socklen_t address_len;                                /* 0: we are not wanted */
static uint8_t ring_bits;
static uint64_t generations;
static uint64_t secret;
static uid_t tool_uid;
static struct preload_region *mapped; /* in a child of fork: the parent's */
static size_t mapped_size;
static pthread_key_t ending;

void spin_lock(uint32_t *lock)
{
	while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE))
		sched_yield();
}

void spin_unlock(uint32_t *lock)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

_Static_assert(sizeof(struct preload_region) <= PRELOAD_RINGS, "rings begin behind the region");

/* Of this thread; 0: not to be found out. */
static uint64_t find_network(void)
{
	struct stat st;

	return stat("/proc/thread-self/ns/net", &st) ? 0 : st.st_ino;
}

/* Whoever could take the name of a tool that has ended would get all that we see. */
static bool is_tool(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) &&
	       (!peer.uid || peer.uid == tool_uid || peer.uid == geteuid());
}

/* A descriptor that is nobody's for longer than it takes to use it: the process may close any. */
static int connect_tool(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	int err = 0;

	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&address, address_len))
		err = errno;
	else if (!is_tool(fd))
		err = ECONNREFUSED;
	if (!err)
		return fd;
	close(fd);
	errno = err;
	return -1;
}

static void wake_tool(void)
{
	int saved = errno, fd;

	__atomic_store_n(&process->region->asleep, 0, __ATOMIC_RELAXED);
	fd = connect_tool();
	if (fd >= 0)
		close(fd);
	else if (errno == ECONNREFUSED && process->network == find_network())
		process->region->stopped = 1; /* nobody is left who would read it */
	errno = saved;
}

/* A thread ends: another one may have its slot. */
static void thread_end(void *arg)
{
	struct thread *t = arg;

	if (t->slot && t->generation == process->generation)
		__atomic_store_n(&t->slot->owner, 0, __ATOMIC_RELEASE);
	t->slot = NULL;
	t->generation = 0;
}

/* Behind the name of the run, which is an address without a file, are its secret and its user. */
static bool read_environment(const char *text)
{
	const char *colon = text ? strchr(text, ':') : NULL;
	size_t len = colon ? colon - text : 0;
	char *end;

	if (!len || len >= PRELOAD_NAME)
		return false;
	secret = strtoull(colon + 1, &end, 16);
	if (*end != ':')
		return false;
	tool_uid = strtoul(end + 1, &end, 16);
	if (*end != ':' || !thread_on_start(end + 1, &ring_bits) ||
	    ring_bits < PRELOAD_RING_BITS_MIN || ring_bits > PRELOAD_RING_BITS_MAX)
		return false;
	memcpy(address.sun_path + 1, text, len);
	address_len = offsetof(struct sockaddr_un, sun_path) + 1 + len;
	return true;
}

static void start_once(void)
{
	long page = sysconf(_SC_PAGESIZE);
	void *memory = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		static struct process none;

		process = &none;
		return;
	}
	process = memory;
	if (!madvise(memory, page, MADV_WIPEONFORK) && !pthread_key_create(&ending, thread_end) &&
	    !read_environment(getenv(PRELOAD_ENVIRONMENT)))
		address_len = 0;
}

void thread_start(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, start_once);
}

/*
 * A ring is out of reach until a thread has it: mlockall() would get memory for all of them. errno
 * says why there is none.
 */
static struct preload_region *map_region(int *fd, size_t size)
{
	char name[PRELOAD_NAME + sizeof(PRELOAD_MEMFD_PREFIX)];
	struct preload_region *region;

	snprintf(name, sizeof(name), PRELOAD_MEMFD_PREFIX "%.*s", PRELOAD_NAME - 1,
		 address.sun_path + 1);
	*fd = syscall(SYS_memfd_create, name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd < 0 || ftruncate(*fd, size) ||
	    fcntl(*fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return NULL;
	region = mmap(NULL, size, PROT_NONE, MAP_SHARED | MAP_NORESERVE, *fd, 0);
	if (region == MAP_FAILED)
		return NULL;
	mapped = region;
	mapped_size = size;
	if (mprotect(region, PRELOAD_RINGS, PROT_READ | PROT_WRITE))
		return NULL;
	madvise(region, size, MADV_DONTDUMP);
	region->magic = PRELOAD_MAGIC;
	return region;
}

/* -1: there is none, for a reason. */
static bool send_region(int region_fd, int error)
{
	struct preload_hello hello = {
		.magic = PRELOAD_MAGIC, .ring_bits = ring_bits, .secret = secret, .error = error};
	struct iovec iov = {&hello, sizeof(hello)};
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {.align = {
			     .cmsg_len = CMSG_LEN(sizeof(int)),
			     .cmsg_level = SOL_SOCKET,
			     .cmsg_type = SCM_RIGHTS,
		     }};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = error ? NULL : control.bytes,
		.msg_controllen = error ? 0 : sizeof(control.bytes),
	};
	int fd = connect_tool();
	bool sent;

	memcpy(CMSG_DATA(&control.align), &region_fd, sizeof(region_fd));
	sent = fd >= 0 && sendmsg(fd, &msg, MSG_NOSIGNAL) == sizeof(hello);
	if (fd >= 0)
		close(fd);
	else if (errno != EAGAIN)
		process->attempts = ATTEMPTS;
	return sent;
}

/* The lock is taken. */
static void connect_once(void)
{
	struct preload_region *region = NULL;
	uint32_t slots = limits_slots(ring_bits);
	int fd = -1;

	process->attempts++;
	if (mapped)
		munmap(mapped, mapped_size);
	mapped = NULL;
	errno = ENOMEM;
	if (slots)
		region = map_region(&fd, PRELOAD_RINGS + ((size_t)slots << ring_bits));
	if (!region && errno != EMFILE && errno != ENFILE && send_region(-1, errno))
		process->attempts = ATTEMPTS;
	if (region && send_region(fd, 0)) {
		if (getrandom(&process->nonce, sizeof(process->nonce), GRND_NONBLOCK) < 0)
			process->nonce = getpid();
		process->network = find_network();
		process->slots = slots;
		process->region = region;
		thread_on_connect(region);
		__atomic_store_n(&process->generation, ++generations, __ATOMIC_RELEASE);
	}
	if (fd >= 0)
		close(fd);
}

void thread_connect(void)
{
	int saved = errno;

	thread_start();
	if (address_len && !__atomic_load_n(&process->generation, __ATOMIC_ACQUIRE) &&
	    process->attempts < ATTEMPTS) {
		spin_lock(&process->connecting);
		if (!process->generation)
			connect_once();
		spin_unlock(&process->connecting);
	}
	errno = saved;
}

void thread_identify(struct thread *t)
{
	int saved = errno;

	t->uid = getuid();
	prctl(PR_GET_NAME, t->comm);
	errno = saved;
	thread_on_change(t);
}

static void raise_used(struct preload_region *region, uint32_t used)
{
	uint32_t before = __atomic_load_n(&region->slots_used, __ATOMIC_RELAXED);

	while (before < used &&
	       !__atomic_compare_exchange_n(&region->slots_used, &before, used, false,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

/* Whoever had the slot before has released it after its last record. */
static bool take_slot(struct thread *t)
{
	struct preload_region *region = process->region;

	for (unsigned int i = 0; i < process->slots; i++) {
		struct preload_slot *slot = &region->slots[i];
		char *ring = (char *)region + PRELOAD_RINGS + ((size_t)i << ring_bits);
		uint32_t nobody = 0;

		if (__atomic_load_n(&slot->owner, __ATOMIC_RELAXED) ||
		    !__atomic_compare_exchange_n(&slot->owner, &nobody, t->tid, false,
						 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			continue;
		if (mprotect(ring, (size_t)1 << ring_bits, PROT_READ | PROT_WRITE)) {
			__atomic_store_n(&slot->owner, 0, __ATOMIC_RELEASE);
			return false;
		}
		raise_used(region, i + 1);
		t->slot = slot;
		t->ring = ring;
		t->head = slot->head;
		t->tail = __atomic_load_n(&slot->tail, __ATOMIC_ACQUIRE);
		t->woken_at = UINT64_MAX;
		return true;
	}
	return false;
}

struct thread *thread_attach(struct thread *t)
{
	int saved = errno;

	thread_connect();
	if (!process->generation)
		return NULL;
	if (t->generation != process->generation) {
		t->slot = NULL;
		t->tid = syscall(SYS_gettid);
		t->tgid = getpid();
		t->generation = process->generation;
		thread_identify(t);
	}
	if (!t->slot && take_slot(t))
		pthread_setspecific(ending, t);
	errno = saved;
	return t;
}

static void copy_in(struct thread *t, uint64_t position, const void *from, size_t len)
{
	size_t size = (size_t)1 << ring_bits, at = position & (size - 1);
	size_t first = len < size - at ? len : size - at;

	memcpy(t->ring + at, from, first);
	if (__builtin_expect(first < len, false))
		memcpy(t->ring, (const char *)from + first, len - first);
}

/* Beyond half of the ring: look how far the tool is, and tell it once if it is not there. */
static bool make_room(struct thread *t, size_t needed)
{
	size_t size = (size_t)1 << ring_bits;

	t->tail = __atomic_load_n(&t->slot->tail, __ATOMIC_ACQUIRE);
	if (t->head + needed - t->tail > size / 2 && t->woken_at != t->tail) {
		t->woken_at = t->tail;
		wake_tool();
	}
	return t->head + needed - t->tail <= size;
}

bool thread_put(struct thread *t, uint64_t ns, const void *record, size_t size, const void *payload,
		size_t payload_size)
{
	struct preload_head head = {.size = size + payload_size, .ns = ns};
	size_t needed = PRELOAD_ALIGN(sizeof(head) + head.size);

	if (!t->slot)
		return false;
	if (t->head + needed - t->tail > (size_t)1 << ring_bits >> 1 && !make_room(t, needed))
		return false;
	copy_in(t, t->head, &head, sizeof(head));
	copy_in(t, t->head + sizeof(head), record, size);
	if (payload_size)
		copy_in(t, t->head + sizeof(head) + size, payload, payload_size);
	t->head += needed;
	__atomic_store_n(&t->slot->head, t->head, __ATOMIC_RELEASE);
	/*
	 * Without a fence, which would cost more than all of this: the tool looks again a while
	 * after it said that it sleeps.
	 */
	if (__atomic_load_n(&process->region->asleep, __ATOMIC_RELAXED))
		wake_tool();
	return true;
}

void thread_lose(struct thread *t, uint64_t bytes, bool cut)
{
	struct preload_slot *slot = t->slot;

	if (!slot) {
		__atomic_fetch_add(&process->region->lost_calls, 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&process->region->lost_bytes, bytes, __ATOMIC_RELAXED);
		return;
	}
	__atomic_store_n(&slot->lost_bytes, slot->lost_bytes + bytes, __ATOMIC_RELAXED);
	if (cut)
		__atomic_store_n(&slot->cut_calls, slot->cut_calls + 1, __ATOMIC_RELAXED);
	else
		__atomic_store_n(&slot->lost_calls, slot->lost_calls + 1, __ATOMIC_RELAXED);
}
