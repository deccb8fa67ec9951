// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "preload-processes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "preload-hello.h"
#include "preload-running.h"

#define EVENTS 64
#define ROUNDS 256 /* of events at once: who calls all the time must not keep us */

/* Somebody who has connected, and has yet to say why. data.ptr of epoll events. */
struct caller {
	struct process_entry *process; /* not NULL: this is about the end of one */
	int fd;
	struct ucred who;
	struct caller *next, **at; /* of those that have said nothing yet */
};

static struct {
	const struct target *target;
	char name[PRELOAD_NAME];
	unsigned int ring_bits;
	uint64_t secret;
	preload_loss_fn on_loss;
	int socket_fd;
	int epoll_fd;
	bool stopped;
	bool full; /* there is no descriptor for one more */
	bool deaf; /* so that we do not listen */
	struct caller *silent;
	struct process_entry *first;
	struct preload_lost lost; /* of those that were forgotten */
} all = {.socket_fd = -1, .epoll_fd = -1};

static int watch(int fd, void *arg)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = arg};

	return epoll_ctl(all.epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

int processes_open(const struct target *target, const char *name, uint64_t secret,
		   unsigned int ring_bits, preload_loss_fn on_loss)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(name);

	all.target = target;
	all.secret = secret;
	all.ring_bits = ring_bits;
	all.on_loss = on_loss;
	all.stopped = all.full = all.deaf = false;
	all.lost = (struct preload_lost){0};
	snprintf(all.name, sizeof(all.name), "%s", name);
	memcpy(address.sun_path + 1, name, len);
	all.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	all.socket_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (all.epoll_fd < 0 || all.socket_fd < 0 ||
	    bind(all.socket_fd, (struct sockaddr *)&address,
		 offsetof(struct sockaddr_un, sun_path) + 1 + len) ||
	    listen(all.socket_fd, SOMAXCONN))
		return fail(-errno, "failed to listen for the processes of the command");
	/* NULL: the socket. */
	return watch(all.socket_fd, NULL) ? fail(-errno, "failed to listen") : 0;
}

int processes_fd(void)
{
	return all.epoll_fd;
}

struct process_entry *processes_first(void)
{
	return all.first;
}

/* After the command was forked, which must not see another limit than without us. */
static void raise_limit(void)
{
	static bool raised;
	struct rlimit limit;

	if (!raised && !getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	raised = true;
}

static void caller__link(struct caller *c)
{
	c->at = &all.silent;
	c->next = all.silent;
	if (c->next)
		c->next->at = &c->next;
	all.silent = c;
}

static void caller__free(struct caller *c)
{
	if (c->at)
		*c->at = c->next;
	if (c->next)
		c->next->at = c->at;
	close(c->fd);
	free(c);
}

static void accept_callers(void)
{
	int fd = 0;

	raise_limit();
	for (int i = 0; i < EVENTS && fd >= 0; i++) {
		struct caller *c = calloc(1, sizeof(*c));
		socklen_t len = sizeof(c->who);

		fd = accept4(all.socket_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		all.full = fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM);
		if (c && fd >= 0 && !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c->who, &len) &&
		    !watch(fd, c)) {
			c->fd = fd;
			caller__link(c);
			continue;
		}
		free(c);
		if (fd >= 0)
			close(fd);
	}
}

/* Who has nothing to say goes: a process of the command would try again. */
static void make_descriptors(void)
{
	if (!all.full)
		return;
	all.full = false;
	if (!all.silent && !all.deaf) {
		note("no descriptor is left for one more process: it waits for the end of others");
		suggest("ulimit -n with a larger number");
		all.deaf = !epoll_ctl(all.epoll_fd, EPOLL_CTL_DEL, all.socket_fd, NULL);
	}
	while (all.silent)
		caller__free(all.silent);
}

static void watch_end(struct process_entry *p)
{
	struct caller *c = calloc(1, sizeof(*c));

	errno = 0;
	p->pidfd = p->shown.pid > 0 ? pidfd_open(p->shown.pid, 0) : -1;
	p->ended = p->pidfd < 0 && errno == ESRCH;
	if (c && p->pidfd >= 0 && !watch(p->pidfd, c)) {
		*c = (struct caller){.process = p, .fd = p->pidfd};
		p->end = c;
	} else {
		free(c);
	}
}

static void say_unseen(pid_t pid, int err)
{
	if (all.lost.unseen++)
		return;
	note("process %d is not seen: %s", pid, strerror(err));
	why("it needs %u kB of address space, and of the size of files, for each thread",
	    (1U << all.ring_bits) / 1024);
	suggest("a smaller --buffer, or other limits (ulimit -v, -f, -l)");
}

static void add_process(int fd, pid_t pid, unsigned int slots)
{
	struct process_entry *p = calloc(1, sizeof(*p));
	struct process_entry **last = &all.first;

	if (!p || !slots) {
		say_unseen(pid, slots ? ENOMEM : EPROTO);
		free(p);
		return;
	}
	p->slots = slots;
	p->size = PRELOAD_RINGS + ((size_t)slots << all.ring_bits);
	p->region = mmap(NULL, p->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p->region == MAP_FAILED) {
		say_unseen(pid, errno);
		free(p);
		return;
	}
	p->shown = (struct preload_process){.pid = pid, .region = p->region};
	for (unsigned int i = 0; i < slots; i++) {
		p->rings[i].slot = &p->region->slots[i];
		p->rings[i].bytes = (char *)p->region + PRELOAD_RINGS +
				    ((size_t)i << all.ring_bits);
		p->rings[i].size = (uint64_t)1 << all.ring_bits;
	}
	watch_end(p);
	p->region->stopped = all.stopped;
	while (*last)
		last = &(*last)->next;
	*last = p;
	verbose("process %d has the library", pid);
}

/* Without a word it has only woken us. */
static void hear(const struct caller *c)
{
	bool wanted = all.target->follow || c->who.pid == all.target->command.pid;
	struct preload_hello hello;
	int fd;

	if (!preload_hello__receive(&hello, c->fd, &fd))
		return;
	if (!wanted || hello.secret != all.secret)
		verbose("process %d is left out", c->who.pid);
	else if (hello.error)
		say_unseen(c->who.pid, (int)hello.error);
	else
		add_process(fd, c->who.pid, preload_hello__slots(&hello, fd, all.ring_bits));
	if (fd >= 0)
		close(fd);
}

static void on_event(struct caller *c)
{
	if (!c) {
		accept_callers();
		return;
	}
	epoll_ctl(all.epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
	if (!c->process) {
		hear(c);
		caller__free(c);
		return;
	}
	c->process->ended = true;
	c->process->end = NULL;
	free(c);
}

/* Who has just been accepted may have been heard all along: until there is nothing new. */
void processes_accept(void)
{
	struct epoll_event events[EVENTS];
	int cnt = 1;

	for (int round = 0; cnt > 0 && round < ROUNDS; round++) {
		cnt = epoll_wait(all.epoll_fd, events, EVENTS, 0);
		for (int i = 0; i < cnt; i++)
			on_event(events[i].data.ptr);
		make_descriptors();
	}
}

unsigned int processes_slots(const struct process_entry *p)
{
	unsigned int used = __atomic_load_n(&p->region->slots_used, __ATOMIC_ACQUIRE);

	return used < p->slots ? used : p->slots;
}

static void add_lost(struct preload_lost *lost, const struct process_entry *p)
{
	const struct preload_region *r = p->region;

	lost->unslotted += __atomic_load_n(&r->lost_calls, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < PRELOAD_SLOTS; i++) {
		lost->calls += __atomic_load_n(&r->slots[i].lost_calls, __ATOMIC_RELAXED);
		lost->cut += __atomic_load_n(&r->slots[i].cut_calls, __ATOMIC_RELAXED);
		lost->damaged += p->rings[i].damaged;
	}
}

void processes_tell_losses(struct process_entry *p)
{
	struct preload_loss loss;

	for (unsigned int i = 0; !p->losses_told && i < PRELOAD_LOSSES; i++) {
		memcpy(&loss, &p->region->losses[i], sizeof(loss));
		if (loss.taken && (loss.calls || loss.bytes))
			all.on_loss(&p->shown, &loss);
	}
	p->losses_told = true;
}

static void free_process(struct process_entry *p)
{
	processes_tell_losses(p);
	add_lost(&all.lost, p);
	munmap(p->region, p->size);
	if (p->pidfd >= 0)
		close(p->pidfd);
	free(p->end);
	free(p);
	if (all.deaf)
		all.deaf = watch(all.socket_fd, NULL);
}

/* What it wrote before it ended is all there. */
static bool is_read(struct process_entry *p)
{
	for (unsigned int i = 0; i < processes_slots(p); i++) {
		if (preload_ring__look(&p->rings[i]))
			return false;
	}
	return true;
}

void processes_forget_ended(void)
{
	struct process_entry **at = &all.first, *p;

	while ((p = *at)) {
		if (!p->ended || !is_read(p)) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		free_process(p);
	}
}

void processes_tell_asleep(bool asleep)
{
	for (struct process_entry *p = all.first; p; p = p->next)
		__atomic_store_n(&p->region->asleep, asleep, __ATOMIC_SEQ_CST);
}

void processes_stop(void)
{
	all.stopped = true;
	for (struct process_entry *p = all.first; p; p = p->next)
		__atomic_store_n(&p->region->stopped, 1, __ATOMIC_SEQ_CST);
}

size_t processes_running(void)
{
	return preload_count_running(all.name);
}

struct preload_lost processes_lost(void)
{
	struct preload_lost lost = all.lost;

	for (struct process_entry *p = all.first; p; p = p->next)
		add_lost(&lost, p);
	return lost;
}

void processes_close(void)
{
	struct process_entry *p;

	while ((p = all.first)) {
		all.first = p->next;
		free_process(p);
	}
	while (all.silent)
		caller__free(all.silent);
	close(all.socket_fd);
	close(all.epoll_fd);
	all.socket_fd = all.epoll_fd = -1;
}
