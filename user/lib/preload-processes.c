// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "preload-processes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "process.h"

#define EVENTS 64

/* Somebody who has connected, and has yet to say why. data.ptr of epoll events. */
struct caller {
	struct process_entry *process; /* not NULL: this is about the end of one */
	int fd;
	struct ucred who;
};

static struct {
	const struct target *target;
	char name[PRELOAD_NAME];
	unsigned int ring_bits;
	preload_loss_fn on_loss;
	int socket_fd;
	int epoll_fd;
	bool stopped;
	struct process_entry *first;
	struct preload_lost lost; /* of those that were forgotten */
} all = {.socket_fd = -1, .epoll_fd = -1};

static size_t region_size(void)
{
	return PRELOAD_RINGS + ((size_t)PRELOAD_SLOTS << all.ring_bits);
}

static int watch(int fd, void *arg)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = arg};

	return epoll_ctl(all.epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

int processes_open(const struct target *target, const char *name, unsigned int ring_bits,
		   preload_loss_fn on_loss)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(name);

	all.target = target;
	all.ring_bits = ring_bits;
	all.on_loss = on_loss;
	all.stopped = false;
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

static void accept_callers(void)
{
	int fd;

	raise_limit();
	while ((fd = accept4(all.socket_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		struct caller *c = calloc(1, sizeof(*c));
		socklen_t len = sizeof(c->who);

		if (c && !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c->who, &len) && !watch(fd, c)) {
			c->fd = fd;
			continue;
		}
		free(c);
		close(fd);
	}
}

/* A file that could become smaller would kill us by SIGBUS. */
static bool is_region(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	return seals >= 0 && seals & F_SEAL_SHRINK && !fstat(fd, &st) &&
	       st.st_size >= (off_t)region_size();
}

static void watch_end(struct process_entry *p)
{
	struct caller *c = calloc(1, sizeof(*c));

	p->pidfd = p->shown.pid > 0 ? pidfd_open(p->shown.pid, 0) : -1;
	p->ended = p->pidfd < 0 && errno == ESRCH;
	if (c && p->pidfd >= 0 && !watch(p->pidfd, c)) {
		*c = (struct caller){.process = p, .fd = p->pidfd};
		p->end = c;
	} else {
		free(c);
	}
}

static int add_process(int fd, pid_t pid)
{
	struct process_entry *p = calloc(1, sizeof(*p));
	struct process_entry **last = &all.first;

	if (!p)
		return fail(-ENOMEM, "failed to remember process %d", pid);
	p->size = region_size();
	p->region = mmap(NULL, p->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p->region == MAP_FAILED) {
		free(p);
		return fail(-errno, "failed to map what process %d shares", pid);
	}
	p->shown = (struct preload_process){.pid = pid, .region = p->region};
	for (unsigned int i = 0; i < PRELOAD_SLOTS; i++) {
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
	return 0;
}

/* The one descriptor of a message that was received, or -1; others cannot be in it. */
static int descriptor_of(struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int fd = -1;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(fd)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* Errors print a message. Without a word it has only woken us. */
static int hear(const struct caller *c)
{
	struct preload_hello hello;
	struct iovec iov = {&hello, sizeof(hello)};
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n = recvmsg(c->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int fd = n < 0 ? -1 : descriptor_of(&msg), err = 0;
	bool wanted = all.target->follow || c->who.pid == all.target->command.pid;

	if (fd < 0)
		return 0;
	if (n == sizeof(hello) && hello.magic == PRELOAD_MAGIC &&
	    hello.ring_bits == all.ring_bits && is_region(fd) && wanted)
		err = add_process(fd, c->who.pid);
	else
		verbose("process %d is left out", c->who.pid);
	close(fd);
	return err;
}

static int on_event(struct caller *c)
{
	int err = 0;

	if (!c) {
		accept_callers();
		return 0;
	}
	epoll_ctl(all.epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
	if (c->process) {
		c->process->ended = true;
		c->process->end = NULL;
	} else {
		err = hear(c);
		close(c->fd);
	}
	free(c);
	return err;
}

/* Who has just been accepted may have been heard all along: until there is nothing new. */
int processes_accept(void)
{
	struct epoll_event events[EVENTS];
	int cnt, err = 0;

	while (!err && (cnt = epoll_wait(all.epoll_fd, events, EVENTS, 0)) > 0) {
		for (int i = 0; !err && i < cnt; i++)
			err = on_event(events[i].data.ptr);
	}
	return err;
}

unsigned int processes_slots(const struct process_entry *p)
{
	unsigned int used = __atomic_load_n(&p->region->slots_used, __ATOMIC_ACQUIRE);

	return used < PRELOAD_SLOTS ? used : PRELOAD_SLOTS;
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

struct needle {
	const char *text;
	size_t cnt;
};

static bool file_has(pid_t pid, const char *name, const char *text)
{
	char path[64], *block = NULL;
	bool found = false;
	size_t size = 0;
	ssize_t len;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	f = fopen(path, "re");
	if (!f)
		return false;
	/* environ is one line; of maps a line is enough. */
	while (!found && (len = getline(&block, &size, f)) > 0)
		found = memmem(block, len, text, strlen(text));
	free(block);
	fclose(f);
	return found;
}

/* A program may have written over its environment, or not have had a use for the library yet. */
static int count_if_ours(pid_t pid, void *arg)
{
	struct needle *n = arg;

	if (pid != getpid() && process_runs(pid) &&
	    (file_has(pid, "maps", n->text) || file_has(pid, "environ", n->text)))
		n->cnt++;
	return 0;
}

size_t processes_running(void)
{
	struct needle n = {.text = all.name};

	process_each(count_if_ours, &n);
	return n.cnt;
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
	close(all.socket_fd);
	close(all.epoll_fd);
	all.socket_fd = all.epoll_fd = -1;
}
