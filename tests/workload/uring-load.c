// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sends and receives by io_uring, in one of its ways, and says how much:
 *
 *	uring-load WAY [-n ROUNDS] [-N] [-o] [-w]
 *
 * -N: the same on TCP and Unix sockets, which are not to be counted; -o: ordinary calls as well;
 * -w: waits, as ready.h says, when a receive that completes more than once is under way.
 * Prints "uring sends N", "uring send_bytes N", "uring untold N" (sends that tell no result),
 * "uring unsure N" (requests that nobody can tell from those on UDP sockets), "uring_begun sends N"
 * (requests on UDP sockets, whatever their end), and the truth of ordinary calls.
 * Exit status 77: not possible on this kernel.
 */
#include <stdint.h>
#include <sys/uio.h>

#include "ready.h"
#include "ring.h"
#include "socket-pairs.h"
#include "truth.h"
#include "uring-ways.h"

#define SIZE_MAX_LOAD 1400
#define BUFFERS       8
#define BUFFER_SIZE   2048
#define BUFFER_GROUP  1
#define FAILURES      3

enum tag { TAG_SEND = 1, TAG_RECEIVE, TAG_OTHER };

static const struct way *way;
static struct ring ring;
static struct truth truth;
static unsigned long done[TRUTH_DIRS], bytes[TRUTH_DIRS], errors[TRUTH_DIRS][TRUTH_ERRNOS];
static unsigned long begun[TRUTH_DIRS], untold, unsure, noise;
static unsigned int rounds = 20;
static bool with_noise, with_ordinary, waits;
static char buffer[TRUTH_DIRS][70000];
static char chosen[BUFFERS][BUFFER_SIZE];
static struct iovec iov[TRUTH_DIRS];
static struct msghdr msg[TRUTH_DIRS];

static void count(const struct pair *pair, enum truth_dir dir, int res, unsigned long moved)
{
	if (!pair->udp) {
		noise++;
	} else if (res < 0) {
		errors[dir][-res]++;
	} else {
		done[dir]++;
		bytes[dir] += moved;
	}
}

/* What a registered file is, a tool cannot say before it hears of the end. */
static void count_untold(const struct pair *pair)
{
	if (way->sqe_flags & IOSQE_FIXED_FILE) {
		unsure++;
		return;
	}
	count(pair, TRUTH_TX, 0, 0);
	untold += pair->udp;
}

/* A request on len bytes of the direction's buffer, in whichever form its operation takes them. */
static struct io_uring_sqe request(const struct pair *pair, enum truth_dir dir, __u8 op, size_t len)
{
	struct io_uring_sqe sqe = {
		.opcode = op,
		.fd = dir == TRUTH_TX ? pair->tx : pair->rx,
		.flags = way->sqe_flags,
		.addr = (uintptr_t)buffer[dir],
		.len = len,
		.user_data = dir == TRUTH_TX ? TAG_SEND : TAG_RECEIVE,
	};

	iov[dir] = (struct iovec){buffer[dir], len};
	msg[dir] = (struct msghdr){.msg_iov = &iov[dir], .msg_iovlen = 1};
	if (op == IORING_OP_WRITEV || op == IORING_OP_READV)
		sqe.addr = (uintptr_t)&iov[dir];
	if (op == IORING_OP_SENDMSG || op == IORING_OP_RECVMSG || op == IORING_OP_SENDMSG_ZC)
		sqe.addr = (uintptr_t)&msg[dir];
	if (sqe.addr != (uintptr_t)buffer[dir])
		sqe.len = 1;
	if (op == IORING_OP_WRITE_FIXED || op == IORING_OP_READ_FIXED)
		sqe.buf_index = dir;
	if (way->sqe_flags & IOSQE_FIXED_FILE)
		sqe.fd = dir; /* of the registered ones */
	return sqe;
}

/* The next completion, which must be of that request; not the news that a buffer is free. */
static int result_of(enum tag tag, unsigned int *flags)
{
	struct ring_result cqe;

	do {
		cqe = ring_wait(&ring);
	} while (cqe.flags & IORING_CQE_F_NOTIF);
	if (cqe.user_data != tag)
		errx(1, "completion of %llu, not %u", cqe.user_data, tag);
	if (flags)
		*flags = cqe.flags;
	return cqe.res;
}

static void expect_result(enum tag tag, int res)
{
	int seen = result_of(tag, NULL);

	if (seen != res)
		errx(1, "request %u has ended with %d, not %d", tag, seen, res);
}

static void submit(const struct pair *pair, enum truth_dir dir, const struct io_uring_sqe *sqe)
{
	begun[dir] += pair->udp;
	ring_submit(&ring, sqe);
}

static void exchange(const struct pair *pair, const struct op_pair *ops, size_t len)
{
	struct io_uring_sqe send = request(pair, TRUTH_TX, ops->send, len);
	struct io_uring_sqe receive = request(pair, TRUTH_RX, ops->receive, len);

	receive.flags &= ~IOSQE_CQE_SKIP_SUCCESS;
	if (way->receive_first)
		submit(pair, TRUTH_RX, &receive);
	submit(pair, TRUTH_TX, &send);
	if (send.flags & IOSQE_CQE_SKIP_SUCCESS) {
		count_untold(pair);
	} else if (!way->receive_first) {
		expect_result(TAG_SEND, len);
		count(pair, TRUTH_TX, len, len);
	}
	if (!way->receive_first) {
		submit(pair, TRUTH_RX, &receive);
		expect_result(TAG_RECEIVE, len);
		count(pair, TRUTH_RX, len, len);
		return;
	}
	for (int left = 2; left; left--) {
		struct ring_result cqe = ring_wait(&ring);

		if (cqe.res != (int)len)
			errx(1, "result %d, not %zu", cqe.res, len);
		count(pair, cqe.user_data == TAG_SEND ? TRUTH_TX : TRUTH_RX, len, len);
	}
}

/* Too large, and where nothing waits. */
static void fail_some(const struct pair *pair)
{
	for (int i = 0; i < FAILURES; i++) {
		struct io_uring_sqe send = request(pair, TRUTH_TX, IORING_OP_SEND, 66000);
		struct io_uring_sqe receive = request(pair, TRUTH_RX, IORING_OP_RECV, 100);

		submit(pair, TRUTH_TX, &send);
		expect_result(TAG_SEND, -EMSGSIZE);
		count(pair, TRUTH_TX, -EMSGSIZE, 0);
		receive.msg_flags = MSG_DONTWAIT;
		submit(pair, TRUTH_RX, &receive);
		expect_result(TAG_RECEIVE, -EAGAIN);
		count(pair, TRUTH_RX, -EAGAIN, 0);
	}
}

static size_t size_of_round(unsigned int round)
{
	return 1 + round * 97 % SIZE_MAX_LOAD;
}

/* The ring has room for twice as many completions as requests. */
static void run_overflow(const struct pair *pair)
{
	for (unsigned int i = 0; i < 2 * RING_ENTRIES + rounds; i++) {
		struct io_uring_sqe send = request(pair, TRUTH_TX, IORING_OP_SEND, 10);

		submit(pair, TRUTH_TX, &send);
		if (i < 2 * RING_ENTRIES)
			count(pair, TRUTH_TX, 10, 10);
		else
			unsure++;
	}
	for (unsigned int i = 0; i < 2 * RING_ENTRIES + rounds; i++)
		expect_result(TAG_SEND, 10);
}

static void run_exchanges(const struct pair *pair)
{
	if (way->ops == file_ops)
		ring_register(&ring, IORING_REGISTER_BUFFERS,
			      (struct iovec[]){{buffer[0], 70000}, {buffer[1], 70000}}, 2);
	if (way->sqe_flags & IOSQE_FIXED_FILE)
		ring_register(&ring, IORING_REGISTER_FILES, (int[]){pair->tx, pair->rx}, 2);
	for (unsigned int i = 0; i < rounds; i++)
		exchange(pair, &way->ops[i % way->ops_cnt], size_of_round(i));
	if (pair->udp && way->ops == socket_ops && !(way->sqe_flags & IOSQE_CQE_SKIP_SUCCESS))
		fail_some(pair);
	if (way->ops == file_ops)
		ring_register(&ring, IORING_UNREGISTER_BUFFERS, NULL, 0);
	if (way->sqe_flags & IOSQE_FIXED_FILE)
		ring_register(&ring, IORING_UNREGISTER_FILES, NULL, 0);
}

static void provide(unsigned int first, unsigned int cnt)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_PROVIDE_BUFFERS,
		.fd = cnt,
		.addr = (uintptr_t)chosen[first],
		.len = BUFFER_SIZE,
		.off = first,
		.buf_group = BUFFER_GROUP,
		.user_data = TAG_OTHER,
	};

	ring_submit(&ring, &sqe);
	expect_result(TAG_OTHER, 0);
}

static void arm_shots(const struct pair *pair)
{
	struct io_uring_sqe sqe = request(pair, TRUTH_RX, way->shots_op, 0);

	sqe.flags |= IOSQE_BUFFER_SELECT;
	sqe.buf_group = BUFFER_GROUP;
	if (way->shots_op == OP_READ_SHOTS)
		sqe.addr = 0;
	else
		sqe.ioprio = IORING_RECV_MULTISHOT;
	msg[TRUTH_RX] = (struct msghdr){.msg_namelen = sizeof(struct sockaddr_in6),
					.msg_controllen = 64};
	ring_submit(&ring, &sqe);
}

static unsigned long shot_bytes(int res, unsigned int flags)
{
	struct io_uring_recvmsg_out out;

	if (way->shots_op != IORING_OP_RECVMSG || res < 0)
		return res;
	memcpy(&out, chosen[flags >> IORING_CQE_BUFFER_SHIFT], sizeof(out));
	return out.payloadlen;
}

static void end_shots(const struct pair *pair)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_ASYNC_CANCEL, .addr = TAG_RECEIVE, .user_data = TAG_OTHER};

	ring_submit(&ring, &sqe);
	for (int left = 2; left; left--) {
		struct ring_result cqe = ring_wait(&ring);

		if (cqe.user_data == TAG_RECEIVE)
			count(pair, TRUTH_RX, cqe.res, 0);
		else if (cqe.user_data != TAG_OTHER || cqe.res)
			errx(1, "failed to cancel: %s", strerror(-cqe.res));
	}
}

static void run_shots(const struct pair *pair)
{
	struct ring_result cqe;

	arm_shots(pair);
	if (waits)
		ready_wait_go();
	for (unsigned int i = 0; i < rounds; i++) {
		size_t len = size_of_round(i);

		/* By a call: a completion of its own would come before or after the other. */
		if (send(pair->tx, buffer[TRUTH_TX], len, 0) != (ssize_t)len)
			err(1, "failed to send");
		if (pair->udp)
			truth_call(&truth, TRUTH_SENDTO, 1, 1, len);
		cqe = ring_wait(&ring);
		if (cqe.user_data == TAG_RECEIVE && cqe.res == -EINVAL)
			ring_not_here("this kernel has no receives of several completions");
		if (cqe.user_data != TAG_RECEIVE || !(cqe.flags & IORING_CQE_F_MORE) ||
		    shot_bytes(cqe.res, cqe.flags) != len)
			errx(1, "result %d, not %zu bytes and more", cqe.res, len);
		count(pair, TRUTH_RX, cqe.res, len);
		provide(cqe.flags >> IORING_CQE_BUFFER_SHIFT, 1);
	}
	end_shots(pair);
}

static void run_on(const struct pair *pair)
{
	if (way->shots_op)
		run_shots(pair);
	else if (way->overflows)
		run_overflow(pair);
	else
		run_exchanges(pair);
}

static void make_ordinary_calls(const struct pair *pair)
{
	for (unsigned int i = 0; i < rounds; i++) {
		size_t len = size_of_round(i);

		if (send(pair->tx, buffer[TRUTH_TX], len, 0) != (ssize_t)len ||
		    recv(pair->rx, buffer[TRUTH_RX], sizeof(buffer[TRUTH_RX]), 0) != (ssize_t)len)
			err(1, "failed to send and receive");
		truth_call(&truth, TRUTH_SENDTO, 1, 1, len);
		truth_call(&truth, TRUTH_RECVFROM, 1, 1, len);
	}
}

static void print(void)
{
	static const char *const names[TRUTH_DIRS][2] = {{"sends", "send_bytes"},
							 {"receives", "receive_bytes"}};

	truth_print(&truth);
	for (int dir = 0; dir < TRUTH_DIRS; dir++) {
		truth_print_count("uring", names[dir][0], NULL, done[dir]);
		truth_print_count("uring", names[dir][1], NULL, bytes[dir]);
		truth_print_count("uring_begun", names[dir][0], NULL, begun[dir]);
		for (int error = 1; error < TRUTH_ERRNOS; error++)
			truth_print_count(dir == TRUTH_TX ? "uring_error tx" : "uring_error rx",
					  strerrorname_np(error), NULL, errors[dir][error]);
	}
	truth_print_count("uring", "untold", NULL, untold);
	truth_print_count("uring", "unsure", NULL, unsure);
	truth_print_count("uring_other", NULL, NULL, noise);
}

static void parse(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "n:Now")) != -1) {
		if (option == '?')
			exit(2);
		if (option == 'n')
			rounds = truth_number(optarg);
		with_noise |= option == 'N';
		with_ordinary |= option == 'o';
		waits |= option == 'w';
	}
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (optind == argc - 1 && !strcmp(argv[optind], ways[i].name))
			way = &ways[i];
	}
	if (!way)
		errx(2, "usage: uring-load [-n ROUNDS] [-N] [-o] [-w] WAY");
}

int main(int argc, char **argv)
{
	struct pair pair;

	parse(argc, argv);
	ring_open(&ring, way->ring_flags);
	ring_need_op(&ring, way->shots_op ?: way->ops[0].send);
	if (way->sqe_flags & IOSQE_CQE_SKIP_SUCCESS && !(ring.features & IORING_FEAT_CQE_SKIP))
		ring_not_here("this kernel completes all requests");
	if (way->shots_op)
		provide(0, BUFFERS);
	pair = udp_pair();
	run_on(&pair);
	if (with_ordinary) {
		pair = udp_pair(); /* without what the other may still have in its queue */
		make_ordinary_calls(&pair);
	}
	if (with_noise) {
		pair = tcp_pair();
		run_on(&pair);
		pair = unix_pair();
		if (way->ops != zero_copy_ops) /* which these do not have */
			run_on(&pair);
	}
	print();
	return 0;
}
