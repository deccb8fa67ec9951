/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the TLS workloads share: two processes that talk over 127.0.0.1, each of which writes down
 * what its TLS library gave it and took from it. Each side of a connection and each direction
 * has two files in the folder of the truth, PID-LOCAL-REMOTE-read and -write (of ports):
 *
 *   .data    the bytes of all calls, in order
 *   .calls   a line for each call that moved something: how many bytes
 *
 * What a library has of the conversation is its own affair: see struct tls_way.
 */
#ifndef WORKLOAD_TLS_PEER_H
#define WORKLOAD_TLS_PEER_H

#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ready.h"
#include "truth.h"

#define TLS_LENGTHS_MAX 16
#define TLS_BUFFER      (1 << 20)

/* Around every limit of a TLS record and of those who look at them, and an empty one. */
static const unsigned int tls_sizes[] = {0,    1,     4095,  4096,  8191,    8192, 100,
					 8193, 16384, 16385, 65536, 1 << 20, 17};
/* How much is asked for, in turn: less than a record, as much, and more. */
static const unsigned int tls_asked[] = {1, 512, 4096, 8191, 8192, 16384, 70000};

#define TLS_COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct tls_plan {
	const char *truth;   /* a folder */
	unsigned int seed;   /* of what is sent */
	unsigned int rounds; /* of all lengths, in each direction */
	unsigned int lengths[TLS_LENGTHS_MAX + 1];
	size_t lengths_cnt;
	unsigned int ask; /* of each read; 0: tls_asked[] in turn */
	const char *text; /* instead of bytes by chance: its length is that of each message */
	unsigned int connections;
	bool one_way; /* only the client sends */
	bool wait;    /* before the first connection, until the end of stdin */
};

enum tls_direction { TLS_PEER_READ, TLS_PEER_WRITE, TLS_PEER_DIRECTIONS };

struct tls_way;

struct tls_peer {
	const struct tls_plan *plan;
	const struct tls_way *way;
	void *handle; /* of the library */
	int fd;
	uint16_t local, remote; /* ports */
	unsigned int number;    /* of the connection, from 0 on, the same on both sides */
	bool is_server;
	FILE *data[TLS_PEER_DIRECTIONS];
	FILE *calls[TLS_PEER_DIRECTIONS];
};

/*
 * How a library does it. read and write return what they moved, 0 at the end, and wait by
 * themselves if the socket does not block.
 */
struct tls_way {
	void (*begin)(bool is_server); /* once in each process; NULL: nothing to do */
	void (*open)(struct tls_peer *peer);
	size_t (*read)(struct tls_peer *peer, void *buf, size_t len);
	size_t (*write)(struct tls_peer *peer, const void *buf, size_t len);
	void (*close)(struct tls_peer *peer);
	int buffer;     /* of the sockets, bytes; 0: as they are */
	bool once_more; /* another connection when all have ended */
};

static inline uint16_t tls_peer_port(int fd, bool local)
{
	struct sockaddr_in addr = {0};
	socklen_t len = sizeof(addr);

	if ((local ? getsockname : getpeername)(fd, (struct sockaddr *)&addr, &len))
		err(1, "failed to learn a port");
	return ntohs(addr.sin_port);
}

static inline FILE *tls_peer_file(const struct tls_peer *peer, enum tls_direction way,
				  const char *suffix)
{
	static const char *const directions[] = {"read", "write"};
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%d-%u-%u-%s.%s", peer->plan->truth, getpid(), peer->local,
		 peer->remote, directions[way], suffix);
	file = fopen(path, "wxe");
	if (!file)
		err(1, "failed to open '%s'", path);
	return file;
}

/* A call of the library has moved bytes. A direction without any has no files. */
static inline void tls_peer_moved(struct tls_peer *peer, enum tls_direction way, const void *buf,
				  size_t len)
{
	if (!len)
		return;
	if (!peer->data[way]) {
		peer->data[way] = tls_peer_file(peer, way, "data");
		peer->calls[way] = tls_peer_file(peer, way, "calls");
	}
	if (fwrite(buf, 1, len, peer->data[way]) != len ||
	    fprintf(peer->calls[way], "%zu\n", len) < 0)
		err(1, "failed to write the truth");
}

static inline void tls_peer_close_files(struct tls_peer *peer)
{
	for (int way = 0; way < TLS_PEER_DIRECTIONS; way++) {
		if (peer->data[way] && (fclose(peer->data[way]) || fclose(peer->calls[way])))
			err(1, "failed to write the truth");
	}
}

/* What one side sends to the other; both can tell. */
static inline unsigned int tls_peer_seed(const struct tls_peer *peer, bool from_server)
{
	return peer->plan->seed * 1000003u + peer->number * 2 + from_server + 1;
}

static inline size_t tls_peer_length(const struct tls_plan *plan, size_t i)
{
	return plan->text ? strlen(plan->text) : plan->lengths[i];
}

static inline void tls_peer_fill(const struct tls_plan *plan, char *buf, size_t len,
				 unsigned int *seed)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = plan->text ? plan->text[i] : (char)(truth_random(seed) >> 4);
}

/* All messages of one direction, each by as many calls as the library needs. */
static inline void tls_peer_send(struct tls_peer *peer)
{
	const struct tls_plan *plan = peer->plan;
	unsigned int seed = tls_peer_seed(peer, peer->is_server);
	char *buf = malloc(TLS_BUFFER);

	for (size_t i = 0; buf && i < plan->rounds * plan->lengths_cnt; i++) {
		size_t len = tls_peer_length(plan, i % plan->lengths_cnt), done = 0;

		tls_peer_fill(plan, buf, len, &seed);
		do {
			size_t moved = peer->way->write(peer, buf + done, len - done);

			tls_peer_moved(peer, TLS_PEER_WRITE, buf + done, moved);
			done += moved;
		} while (done < len);
	}
	free(buf);
}

static inline size_t tls_peer_total(const struct tls_plan *plan)
{
	size_t total = 0;

	for (size_t i = 0; i < plan->lengths_cnt; i++)
		total += tls_peer_length(plan, i);
	return total * plan->rounds;
}

/* The same, seen from the other side; each byte must be the one that was sent. */
static inline void tls_peer_receive(struct tls_peer *peer)
{
	unsigned int seed = tls_peer_seed(peer, !peer->is_server);
	size_t left = tls_peer_total(peer->plan);
	char *buf = malloc(TLS_BUFFER);

	for (size_t i = 0; buf && left; i++) {
		size_t asked = peer->plan->ask ?: tls_asked[i % TLS_COUNT(tls_asked)];
		size_t moved = peer->way->read(peer, buf, asked < left ? asked : left);

		if (!moved)
			errx(1, "the connection ended %zu bytes early", left);
		tls_peer_moved(peer, TLS_PEER_READ, buf, moved);
		left -= moved;
		for (size_t k = 0; !peer->plan->text && k < moved; k++) {
			if (buf[k] != (char)(truth_random(&seed) >> 4))
				errx(1, "the other side did not send this");
		}
	}
	free(buf);
}

static inline void *tls_peer_talk(void *arg)
{
	struct tls_peer *peer = arg;

	peer->way->open(peer);
	if (!peer->is_server)
		tls_peer_send(peer);
	else
		tls_peer_receive(peer);
	if (!peer->plan->one_way && peer->is_server)
		tls_peer_send(peer);
	else if (!peer->plan->one_way)
		tls_peer_receive(peer);
	peer->way->close(peer);
	tls_peer_close_files(peer);
	close(peer->fd);
	return NULL;
}

static inline int tls_peer_socket(int buffer)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		err(1, "failed to make a socket");
	if (buffer && (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer)) ||
		       setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer))))
		err(1, "failed to set a socket's buffer");
	return fd;
}

static inline int tls_peer_listen(int buffer, struct sockaddr_in *addr)
{
	int fd = tls_peer_socket(buffer);
	socklen_t len = sizeof(*addr);

	*addr = (struct sockaddr_in){.sin_family = AF_INET,
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (bind(fd, (struct sockaddr *)addr, len) || listen(fd, 64) ||
	    getsockname(fd, (struct sockaddr *)addr, &len))
		err(1, "failed to listen");
	return fd;
}

static inline int tls_peer_connect(int buffer, const struct sockaddr_in *addr)
{
	int fd = tls_peer_socket(buffer);

	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)))
		err(1, "failed to connect");
	return fd;
}

/* Until the other side has gone too: bytes that nobody reads would reset the connection. */
static inline void tls_peer_drain(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	char rest[4096];

	if (shutdown(fd, SHUT_WR))
		return;
	while (poll(&ready, 1, 10000) == 1 && recv(fd, rest, sizeof(rest), 0) > 0)
		;
}

/* The number of a connection comes before all TLS, so that both sides have the same. */
static inline void tls_peer_agree(struct tls_peer *peer)
{
	ssize_t len = peer->is_server ? recv(peer->fd, &peer->number, sizeof(peer->number), 0)
				      : send(peer->fd, &peer->number, sizeof(peer->number), 0);

	if (len != sizeof(peer->number))
		err(1, "failed to agree on a number");
}

static inline pthread_t tls_peer_start(struct tls_peer *peer, int listener,
				       const struct sockaddr_in *addr)
{
	pthread_t thread;

	peer->fd = peer->is_server ? accept(listener, NULL, NULL)
				   : tls_peer_connect(peer->way->buffer, addr);
	if (peer->fd < 0)
		err(1, "failed to accept");
	peer->local = tls_peer_port(peer->fd, true);
	peer->remote = tls_peer_port(peer->fd, false);
	tls_peer_agree(peer);
	if (pthread_create(&thread, NULL, tls_peer_talk, peer))
		errx(1, "failed to start a thread");
	return thread;
}

/* One side: a thread for each connection. */
static inline void tls_peer_side(const struct tls_plan *plan, const struct tls_way *way,
				 bool is_server, int listener, const struct sockaddr_in *addr)
{
	unsigned int cnt = plan->connections;
	struct tls_peer *peers = calloc(cnt + 1, sizeof(*peers));
	pthread_t *threads = calloc(cnt, sizeof(*threads));

	if (!peers || !threads)
		err(1, "failed to allocate");
	if (way->begin)
		way->begin(is_server);
	for (unsigned int i = 0; i <= cnt; i++)
		peers[i] = (struct tls_peer){
			.plan = plan, .way = way, .number = i, .is_server = is_server};
	for (unsigned int i = 0; i < cnt; i++)
		threads[i] = tls_peer_start(&peers[i], listener, addr);
	for (unsigned int i = 0; i < cnt; i++)
		pthread_join(threads[i], NULL);
	if (way->once_more)
		pthread_join(tls_peer_start(&peers[cnt], listener, addr), NULL);
	free(threads);
	free(peers);
}

/* Both sides. Says "server PID" and "client PID". */
static inline void tls_peer_run(const struct tls_plan *plan, const struct tls_way *way)
{
	struct sockaddr_in addr;
	int listener = tls_peer_listen(way->buffer, &addr), status;
	pid_t pid;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("client %d\n", getpid());
	pid = fork();
	if (pid < 0)
		err(1, "failed to fork");
	if (!pid) {
		tls_peer_side(plan, way, true, listener, NULL);
		exit(0);
	}
	printf("server %d\n", pid);
	printf("port %u\n", ntohs(addr.sin_port));
	if (plan->wait)
		ready_wait_go();
	close(listener);
	tls_peer_side(plan, way, false, -1, &addr);
	if (waitpid(pid, &status, 0) != pid || status)
		errx(1, "the server failed");
}

#define TLS_PLAN_OPTIONS "s:r:l:a:t:n:1w"
#define TLS_PLAN_USAGE                                                                     \
	"  -s SEED   of the bytes that are sent (1)\n"                                     \
	"  -r ROUNDS of all lengths, in each direction (1)\n"                              \
	"  -l LEN    of a message; may repeat (lengths around all limits, up to 1 MiB)\n"  \
	"  -a LEN    that each read asks for (some in turn)\n"                             \
	"  -t TEXT   is what each message is\n"                                            \
	"  -n N      connections at the same time, each with a thread on both sides (1)\n" \
	"  -1        only the client sends\n"                                              \
	"  -w        wait for the end of stdin before the first connection\n"

static inline void tls_plan_init(struct tls_plan *plan)
{
	*plan = (struct tls_plan){.seed = 1, .rounds = 1, .connections = 1};
}

/* One of TLS_PLAN_OPTIONS. */
static inline void tls_plan_option(struct tls_plan *plan, int option, const char *value)
{
	unsigned int *numbers[128] = {['s'] = &plan->seed,
				      ['r'] = &plan->rounds,
				      ['a'] = &plan->ask,
				      ['n'] = &plan->connections,
				      ['l'] = &plan->lengths[plan->lengths_cnt]};

	if (option == 'l' && plan->lengths_cnt++ == TLS_LENGTHS_MAX)
		errx(2, "too many lengths");
	if (option == '?')
		exit(2);
	if (numbers[option])
		*numbers[option] = truth_number(value);
	plan->text = option == 't' ? value : plan->text;
	plan->one_way |= option == '1';
	plan->wait |= option == 'w';
}

/* After all options: what was not said. */
static inline void tls_plan_complete(struct tls_plan *plan, const char *truth)
{
	plan->truth = truth;
	if (plan->text) {
		plan->lengths_cnt = 1;
	} else if (!plan->lengths_cnt) {
		memcpy(plan->lengths, tls_sizes, sizeof(tls_sizes));
		plan->lengths_cnt = TLS_COUNT(tls_sizes);
	}
}

#endif
