/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * TLS through memory, within one process, by a libssl that the program has loaded itself: each
 * thread has a client and a server, and what one writes the other reads.
 *
 * usage: preload-load [OPTION]... CERT KEY
 *   -t   threads at once (1)
 *   -n   writes of each thread (10)
 *   -s   bytes of each write (100)
 *   -o   so many threads one after the other before (0), with one write each
 *   -l   every other thread uses this libssl
 *   -f   at the end a child of fork does the same again, with the connections it was given
 *   -e   at the end it executes itself, without -e
 *   -k   at the end it kills itself
 *   -m   in the middle it has all of its memory locked, and says "shared N", in kB
 *   -u   in the middle each thread goes to a network of its own
 *   -w   once all threads have done the first half, it says "half" and waits for a file
 *
 * Says "calls PID N": the calls that moved something.
 */
#include <dlfcn.h>
#include <err.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PEM         1 /* SSL_FILETYPE_PEM */
#define THREADS_MAX 256
#define FLIGHTS     20
#define ROOM        (1 << 17)

typedef void *(*pointer_fn)(void);
typedef void *(*new_fn)(void *);
typedef int (*file_fn)(void *, const char *, int);
typedef int (*pair_fn)(void **, size_t, void **, size_t);
typedef void (*bios_fn)(void *, void *, void *);
typedef void (*state_fn)(void *);
typedef int (*shake_fn)(void *);
typedef int (*write_fn)(void *, const void *, int);
typedef int (*read_fn)(void *, void *, int);

struct library {
	void *handle;
	void *client_context, *server_context;
};

struct thread {
	pthread_t id;
	const struct library *lib;
	void *client;
	void *server;
	unsigned long calls;
	unsigned int writes;
};

static struct {
	unsigned int threads, writes, size, ones;
	const char *other, *file;
	bool forks, executes, kills, locks, moves;
} options = {.threads = 1, .writes = 10, .size = 100};

static struct library libraries[2];
static unsigned int libraries_cnt;
static struct thread threads[THREADS_MAX];

static void *function(const struct library *library, const char *name)
{
	void *found = dlsym(library->handle, name);

	if (!found)
		errx(1, "libssl has no %s", name);
	return found;
}

#define F(type, name) ((type)function(l, name))

static bool load(const char *file, const char *cert, const char *key)
{
	struct library *l = &libraries[libraries_cnt];

	l->handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	if (!l->handle)
		return false;
	l->client_context = F(new_fn, "SSL_CTX_new")(F(pointer_fn, "TLS_client_method")());
	l->server_context = F(new_fn, "SSL_CTX_new")(F(pointer_fn, "TLS_server_method")());
	if (F(file_fn, "SSL_CTX_use_certificate_file")(l->server_context, cert, PEM) != 1 ||
	    F(file_fn, "SSL_CTX_use_PrivateKey_file")(l->server_context, key, PEM) != 1)
		errx(1, "the certificate cannot be used");
	libraries_cnt++;
	return true;
}

static void load_all(const char *other, const char *cert, const char *key)
{
	if (!load("libssl.so.3", cert, key) && !load("libssl.so.1.1", cert, key))
		errx(1, "%s", dlerror());
	if (other && !load(other, cert, key))
		errx(1, "%s", dlerror());
	for (unsigned int i = 0; i < THREADS_MAX; i++)
		threads[i].lib = &libraries[i % libraries_cnt];
}

static void open_connection(struct thread *t)
{
	const struct library *l = t->lib;
	void *bios[2];

	t->client = F(new_fn, "SSL_new")(l->client_context);
	t->server = F(new_fn, "SSL_new")(l->server_context);
	if (F(pair_fn, "BIO_new_bio_pair")(&bios[0], ROOM, &bios[1], ROOM) != 1)
		errx(1, "there is no BIO");
	F(bios_fn, "SSL_set_bio")(t->client, bios[0], bios[0]);
	F(bios_fn, "SSL_set_bio")(t->server, bios[1], bios[1]);
	F(state_fn, "SSL_set_connect_state")(t->client);
	F(state_fn, "SSL_set_accept_state")(t->server);
	for (int i = 0; i < FLIGHTS; i++) {
		F(shake_fn, "SSL_do_handshake")(t->client);
		F(shake_fn, "SSL_do_handshake")(t->server);
	}
}

static void talk(struct thread *t, unsigned int writes)
{
	const struct library *l = t->lib;
	write_fn write_it = F(write_fn, "SSL_write");
	read_fn read_it = F(read_fn, "SSL_read");
	char *data = calloc(1, options.size), *got = calloc(1, options.size);

	for (unsigned int i = 0; i < writes; i++) {
		memset(data, 'a' + i % 26, options.size);
		if (write_it(t->client, data, options.size) != (int)options.size)
			errx(1, "write failed");
		t->calls++;
		for (unsigned int n = 0; n < options.size; t->calls++) {
			int ret = read_it(t->server, got, options.size);

			if (ret <= 0 || memcmp(data, got, ret) != 0)
				errx(1, "read failed");
			n += ret;
		}
	}
	free(data);
	free(got);
}

static void *run(void *arg)
{
	struct thread *t = arg;

	if (!t->client)
		open_connection(t);
	else if (options.moves && unshare(CLONE_NEWNET))
		err(1, "unshare");
	talk(t, t->writes);
	return NULL;
}

static void run_all(struct thread *first, unsigned int cnt, unsigned int writes)
{
	for (unsigned int i = 0; i < cnt; i++) {
		first[i].writes = writes;
		if (pthread_create(&first[i].id, NULL, run, &first[i]))
			errx(1, "there is no thread");
	}
	for (unsigned int i = 0; i < cnt; i++)
		pthread_join(first[i].id, NULL);
}

static void say_calls(unsigned long more)
{
	for (unsigned int i = 0; i < options.threads; i++)
		more += threads[i].calls;
	printf("calls %d %lu\n", getpid(), more);
	fflush(stdout);
}

static void wait_for_go(void)
{
	if (!options.file)
		return;
	puts("half");
	fflush(stdout);
	while (access(options.file, F_OK) != 0)
		usleep(1000);
}

static void lock_memory(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];

	if (!f || mlockall(MCL_CURRENT | MCL_FUTURE))
		err(1, "mlockall");
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "RssShmem:", 9))
			printf("shared %s", line + 9);
	}
	fclose(f);
}

static void run_child(void)
{
	int status;

	if (!fork()) {
		for (unsigned int i = 0; i < options.threads; i++)
			threads[i].calls = 0;
		run_all(threads, options.threads, options.writes);
		say_calls(0);
		_exit(0);
	}
	if (wait(&status) < 0 || status)
		errx(1, "the child failed");
}

static void parse(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "t:n:s:o:l:w:fekmu")) != -1) {
		unsigned int value = optarg && c != 'l' && c != 'w' ? strtoul(optarg, NULL, 10) : 1;

		if (c == 't' && value <= THREADS_MAX)
			options.threads = value;
		else if (c == 'n')
			options.writes = value;
		else if (c == 's')
			options.size = value;
		else if (c == 'o')
			options.ones = value;
		else if (c == 'l')
			options.other = optarg;
		else if (c == 'w')
			options.file = optarg;
		else if (c == 'f' || c == 'e')
			*(c == 'f' ? &options.forks : &options.executes) = true;
		else if (c == 'k')
			options.kills = true;
		else if (c == 'm' || c == 'u')
			*(c == 'm' ? &options.locks : &options.moves) = true;
		else
			errx(2, "usage: see the source");
	}
	if (argc - optind != 2)
		errx(2, "usage: see the source");
}

int main(int argc, char **argv)
{
	const struct library *l = &libraries[0];
	unsigned long before = 0;

	parse(argc, argv);
	load_all(options.other, argv[optind], argv[optind + 1]);
	for (unsigned int i = 0; i < options.ones; i++) {
		struct thread one = {.lib = l};

		run_all(&one, 1, 1);
		F(state_fn, "SSL_free")(one.client);
		F(state_fn, "SSL_free")(one.server);
		before += one.calls;
	}
	run_all(threads, options.threads, options.writes / 2);
	wait_for_go();
	if (options.locks)
		lock_memory();
	run_all(threads, options.threads, options.writes - options.writes / 2);
	say_calls(before);
	if (options.forks)
		run_child();
	if (options.executes) {
		char size[16],
			*again[] = {argv[0], "-s", size, argv[optind], argv[optind + 1], NULL};

		snprintf(size, sizeof(size), "%u", options.size);
		execv("/proc/self/exe", again);
		err(1, "exec");
	}
	if (options.kills)
		kill(getpid(), SIGKILL);
	return 0;
}
