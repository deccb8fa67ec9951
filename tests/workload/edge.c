/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One awkward case of UDP calls per run, over loopback.
 *
 * usage: edge [-w] MODE
 *   restart            a blocked receive, 3 signals with SA_RESTART, then a datagram
 *   eintr              the same without SA_RESTART: the program sees EINTR, a tracer ERESTARTSYS
 *   rcvtimeo           with SO_RCVTIMEO a signal does end in EINTR; then the time runs out
 *   kill               SIGKILL for a child that is blocked in a receive
 *   exitgroup          the process exits while a thread is blocked in a receive
 *   exec               the same with an execve; the new image sends one datagram
 *   segv               the same with a fatal signal
 *   blocked-then-sent  a blocked receive ends by a datagram
 *   econnrefused       connected to a closed port: what was sent fails in the next call
 *   eagain1000         1000 receives of nothing
 *   partial4           a batch of 4 whose last message is too long: 3, and the error is lost
 *   wild-pointers      sends from addresses whose top byte is set: 15 times EFAULT
 *   sendfile           sendfile and splice to a socket, splice from it
 *   dup-close          a socket under another number, while its own number is another's
 *
 * -w: in the modes with a blocked receive print "ready PID" when it is blocked, and go on at the
 * end of stdin. A call that a signal ends or restarts is one more call, which leaves the kernel
 * with ERESTARTSYS: those are the "interrupted". sendfile and splice are in "calls" alone, for
 * they are neither batches nor single messages. See truth.h for the rest.
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loopback.h"
#include "ready.h"
#include "truth.h"

#define DATAGRAM_BYTES  500
#define TOO_LONG        66000
#define LONGEST_PAYLOAD 65507 /* of IPv4: 65535 less 20 of IP and 8 of UDP */
#define SIGNALS         3

static struct truth truth;
static char payload[TOO_LONG];
static const char *program;
static bool hold;
static int bound;
static struct loopback address;
static volatile pid_t receiver_tid;
static volatile sig_atomic_t signals_handled;

static int open_connected(void)
{
	struct loopback self;
	int fd = loopback_open(false, SOCK_CLOEXEC, &self);

	loopback_connect(fd, &address);
	return fd;
}

static void record(enum truth_call call, ssize_t result)
{
	truth_call(&truth, call, 1, result < 0 ? -1 : 1, result < 0 ? 0 : result);
}

static void send_byte(int fd, const struct loopback *to)
{
	const struct sockaddr *addr = to ? (const struct sockaddr *)&to->addr : NULL;

	record(TRUTH_SENDTO, sendto(fd, payload, 1, 0, addr, to ? to->len : 0));
}

static void receive(int fd, int flags)
{
	record(TRUTH_RECVFROM, recvfrom(fd, payload, sizeof(payload), flags, NULL, NULL));
}

/* errno says nothing of these: the tracer sees the kernel's own code. */
static void record_interrupted(unsigned long count)
{
	truth_add(&truth.calls[TRUTH_RECVFROM], count);
	truth_add(&truth.args[TRUTH_RX][truth_slot(1)], count);
	truth_add(&truth.interrupted[TRUTH_RX], count);
}

static void *receive_once(void *arg)
{
	(void)arg;
	receiver_tid = gettid();
	receive(bound, 0);
	return NULL;
}

static void *receive_despite_signals(void *arg)
{
	long result;

	(void)arg;
	receiver_tid = gettid();
	do
		result = recvfrom(bound, payload, sizeof(payload), 0, NULL, NULL);
	while (result < 0 && errno == EINTR);
	record(TRUTH_RECVFROM, result);
	return NULL;
}

static void wait_receiver(pid_t tid)
{
	ready_wait_recvfrom(tid);
	if (hold)
		ready_wait_go();
}

static pthread_t start_receiver(void *(*body)(void *))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, body, NULL))
		errx(1, "failed to start a thread");
	while (!receiver_tid)
		usleep(1000);
	wait_receiver(receiver_tid);
	return thread;
}

static void on_usr1(int number)
{
	(void)number;
	signals_handled++;
}

static void catch_usr1(int flags)
{
	const struct sigaction action = {.sa_handler = on_usr1, .sa_flags = flags};

	if (sigaction(SIGUSR1, &action, NULL))
		err(1, "failed to set a signal handler");
}

static void interrupt_receiver(pthread_t receiver)
{
	for (int sent = 1; sent <= SIGNALS; sent++) {
		pthread_kill(receiver, SIGUSR1);
		while (signals_handled < sent)
			usleep(1000);
		ready_wait_recvfrom(receiver_tid);
	}
	record_interrupted(SIGNALS);
	send_byte(bound, &address);
	pthread_join(receiver, NULL);
}

static void run_restart(void)
{
	catch_usr1(SA_RESTART);
	interrupt_receiver(start_receiver(receive_once));
}

static void run_eintr(void)
{
	catch_usr1(0);
	interrupt_receiver(start_receiver(receive_despite_signals));
}

static void set_timeout(int fd, struct timeval timeout)
{
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)))
		err(1, "failed to set a receive timeout");
}

static void run_rcvtimeo(void)
{
	pthread_t receiver;

	catch_usr1(SA_RESTART);
	set_timeout(bound, (struct timeval){.tv_sec = 1000});
	receiver = start_receiver(receive_once);
	pthread_kill(receiver, SIGUSR1);
	pthread_join(receiver, NULL);
	set_timeout(bound, (struct timeval){.tv_usec = 1000});
	receive(bound, 0);
}

static void run_kill(void)
{
	pid_t child = fork();

	if (child < 0)
		err(1, "failed to fork");
	if (child == 0) {
		receive(bound, 0);
		_exit(1);
	}
	wait_receiver(child);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	record_interrupted(1);
}

/* For the modes that end this program while the receiver is blocked. */
static void leave_receiver(void)
{
	start_receiver(receive_once);
	record_interrupted(1);
	truth_print(&truth);
}

static void run_exitgroup(void)
{
	leave_receiver();
	_exit(0);
}

static void run_exec(void)
{
	leave_receiver();
	execlp(program, program, "after-exec", NULL);
	err(1, "failed to execute '%s'", program);
}

static void run_after_exec(void)
{
	send_byte(bound, &address);
}

static void run_segv(void)
{
	const struct rlimit no_core = {0};

	setrlimit(RLIMIT_CORE, &no_core);
	leave_receiver();
	raise(SIGSEGV);
}

static void run_blocked_then_sent(void)
{
	pthread_t receiver = start_receiver(receive_once);

	send_byte(bound, &address);
	pthread_join(receiver, NULL);
}

/* The answer to each send that passes is there before the next call: loopback is synchronous. */
static void run_econnrefused(void)
{
	int fd = open_connected();

	close(bound);
	for (int i = 0; i < 3; i++)
		send_byte(fd, NULL);
	receive(fd, MSG_DONTWAIT);
	receive(fd, MSG_DONTWAIT);
}

static void run_eagain1000(void)
{
	for (int i = 0; i < 1000; i++)
		receive(bound, MSG_DONTWAIT);
}

static void run_partial4(void)
{
	struct iovec iovs[4];
	struct mmsghdr msgs[4] = {0};
	unsigned long bytes = 0;
	int sent;

	for (int i = 0; i < 4; i++) {
		iovs[i] = (struct iovec){payload, i == 3 ? TOO_LONG : DATAGRAM_BYTES};
		msgs[i].msg_hdr = (struct msghdr){.msg_name = &address.addr,
						  .msg_namelen = address.len,
						  .msg_iov = &iovs[i],
						  .msg_iovlen = 1};
	}
	sent = sendmmsg(bound, msgs, 4, 0);
	for (int i = 0; i < sent; i++)
		bytes += msgs[i].msg_len;
	truth_call(&truth, TRUTH_SENDMMSG, 4, sent, bytes);
}

/* An address is the program's own affair: whatever its bits are, it is only a bad one. */
static void run_wild_pointers(void)
{
	void *wild = (void *)(UINTPTR_MAX << (sizeof(void *) * 8 - 8));

	for (int i = 0; i < 10; i++)
		record(TRUTH_SENDTO, sendto(bound, wild, 1, 0,
					    (const struct sockaddr *)&address.addr, address.len));
	for (int i = 0; i < 5; i++)
		record(TRUTH_SENDMSG, sendmsg(bound, wild, 0));
}

static void expect(enum truth_call call, ssize_t result, ssize_t expected)
{
	if (result != expected)
		errx(1, "%s returned %zd instead of %zd", truth_calls[call], result, expected);
	truth_add(&truth.calls[call], 1);
}

/* One call is one datagram of what it moves, up to the longest: sendfile(2) does not split it. */
static void run_sendfile(void)
{
	int fd = open_connected();
	int file = memfd_create("edge", MFD_CLOEXEC);
	int pipe_fds[2];
	off_t start = 0;

	if (file < 0 || ftruncate(file, TOO_LONG) || pipe(pipe_fds))
		err(1, "failed to open a file and a pipe");
	expect(TRUTH_SENDFILE, sendfile(fd, file, &start, DATAGRAM_BYTES), DATAGRAM_BYTES);
	start = 0;
	expect(TRUTH_SENDFILE, sendfile(fd, file, &start, LONGEST_PAYLOAD + 1), -1);
	if (errno != EMSGSIZE)
		err(1, "sendfile failed otherwise");
	truth_print_count("errors", "sendfile", "EMSGSIZE", 1);
	if (write(pipe_fds[1], payload, DATAGRAM_BYTES) != DATAGRAM_BYTES)
		err(1, "failed to fill a pipe");
	expect(TRUTH_SPLICE, splice(pipe_fds[0], NULL, fd, NULL, DATAGRAM_BYTES, 0),
	       DATAGRAM_BYTES);
	receive(bound, MSG_DONTWAIT);
	receive(bound, MSG_DONTWAIT);
	send_byte(fd, NULL);
	expect(TRUTH_SPLICE, splice(bound, NULL, pipe_fds[1], NULL, DATAGRAM_BYTES, 0), 1);
	receive(bound, MSG_DONTWAIT);
}

static void send_elsewhere(int fd)
{
	for (int i = 0; i < 5; i++) {
		if (sendto(fd, payload, 1, 0, NULL, 0) != 1)
			err(1, "failed to send on a Unix socket");
		truth_add(&truth.other[TRUTH_SENDTO], 1);
	}
}

/* The number of the socket is first UDP, then a Unix socket, then UDP again. */
static void run_dup_close(void)
{
	int number = bound;
	int copy = dup(bound);
	int local[2];

	send_byte(number, &address);
	close(number);
	for (int i = 0; i < 10; i++)
		send_byte(copy, &address);
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, local) || local[0] != number)
		errx(1, "descriptor %d was not used again", number);
	send_elsewhere(number);
	if (dup2(copy, number) != number)
		err(1, "failed to replace descriptor %d", number);
	for (int i = 0; i < 3; i++)
		send_byte(number, &address);
}

static const struct {
	const char *name;
	void (*run)(void);
} modes[] = {
	{"restart", run_restart},
	{"eintr", run_eintr},
	{"rcvtimeo", run_rcvtimeo},
	{"kill", run_kill},
	{"exitgroup", run_exitgroup},
	{"exec", run_exec},
	{"after-exec", run_after_exec},
	{"segv", run_segv},
	{"blocked-then-sent", run_blocked_then_sent},
	{"econnrefused", run_econnrefused},
	{"eagain1000", run_eagain1000},
	{"partial4", run_partial4},
	{"wild-pointers", run_wild_pointers},
	{"sendfile", run_sendfile},
	{"dup-close", run_dup_close},
};

int main(int argc, char **argv)
{
	int option;

	program = argv[0];
	while ((option = getopt(argc, argv, "w")) == 'w')
		hold = true;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (option != -1 || optind != argc - 1 || strcmp(modes[i].name, argv[optind]))
			continue;
		bound = loopback_open(false, SOCK_CLOEXEC, &address);
		modes[i].run();
		truth_print(&truth);
		return 0;
	}
	errx(2, "usage: edge [-w] MODE");
}
