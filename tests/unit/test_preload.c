/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Processes that announce themselves: this one, again and again, as the library does it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "preload-numbers.h"
#include "preload.h"

#define BITS PRELOAD_RING_BITS_MIN
#define SIZE (PRELOAD_RINGS + ((size_t)PRELOAD_SLOTS << BITS))

static struct target target = TARGET_INIT;
static char seen[256];
static unsigned int seen_cnt, losses;

static int on_record(void *arg, const struct preload_process *process, const void *record,
		     size_t size)
{
	(void)arg;
	assert_int_equal(process->pid, getpid());
	assert_in_range(size, 1, PRELOAD_RING_BITS_MAX * 1024);
	strncat(seen, record, 1);
	seen_cnt++;
	return 0;
}

static void on_loss(const struct preload_process *process, const struct preload_loss *loss)
{
	assert_int_equal(process->pid, getpid());
	losses += loss->calls;
}

static int connect_tool(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strcspn(preload_ticket(), ":");
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path + 1, preload_ticket(), len);
	assert_return_code(connect(fd, (struct sockaddr *)&address,
				   offsetof(struct sockaddr_un, sun_path) + 1 + len),
			   0);
	return fd;
}

static void say(int socket_fd, const struct preload_hello *hello, int region_fd)
{
	struct iovec iov = {(void *)hello, sizeof(*hello)};
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {.align = {.cmsg_len = CMSG_LEN(sizeof(int)),
			       .cmsg_level = SOL_SOCKET,
			       .cmsg_type = SCM_RIGHTS}};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.bytes,
			     .msg_controllen = sizeof(control.bytes)};

	memcpy(CMSG_DATA(&control.align), &region_fd, sizeof(region_fd));
	assert_int_equal(sendmsg(socket_fd, &msg, 0), sizeof(*hello));
	close(socket_fd);
	close(region_fd);
}

static int make_region(size_t size, int seals, struct preload_region **region)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_return_code(ftruncate(fd, size), 0);
	*region = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(*region, MAP_FAILED);
	if (seals)
		assert_return_code(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static uint64_t secret(void)
{
	return strtoull(strchr(preload_ticket(), ':') + 1, NULL, 16);
}

static struct preload_region *announce(void)
{
	struct preload_hello hello = {PRELOAD_MAGIC, BITS, secret(), 0, 0};
	struct preload_region *region;
	int fd = make_region(SIZE, F_SEAL_SHRINK, &region);

	region->slots_used = 2;
	say(connect_tool(), &hello, fd);
	return region;
}

static void write_record(struct preload_region *region, unsigned int slot, uint64_t ns, char c)
{
	struct preload_slot *s = &region->slots[slot];
	char *at = (char *)region + PRELOAD_RINGS + ((size_t)slot << BITS) + s->head;
	struct preload_head head = {.size = 8, .ns = ns};

	memcpy(at, &head, sizeof(head));
	at[sizeof(head)] = c;
	s->head += PRELOAD_ALIGN(sizeof(head) + head.size);
}

static void read_all(bool all)
{
	memset(seen, 0, sizeof(seen));
	seen_cnt = 0;
	assert_int_equal(preload_read(on_record, NULL, all), 0);
}

static int set_up(void **state)
{
	(void)state;
	target.follow = true;
	losses = 0;
	return preload_open(&target, BITS, on_loss);
}

static int tear_down(void **state)
{
	(void)state;
	preload_close();
	return 0;
}

static void test_order_of_times(void **state)
{
	struct preload_region *one = announce(), *two = announce();

	(void)state;
	write_record(one, 0, 1, 'a');
	write_record(one, 0, 4, 'd');
	write_record(one, 1, 3, 'c');
	write_record(two, 0, 2, 'b');
	write_record(two, 1, 5, 'e');
	/* Its time is to come: what was before it may not be there yet. */
	write_record(two, 1, UINT64_MAX - 1, 'f');
	read_all(false);
	assert_string_equal(seen, "abcde");
	assert_true(preload_took());
	read_all(false);
	assert_string_equal(seen, "");
	read_all(true);
	assert_string_equal(seen, "f");
	assert_int_equal(one->stopped, 1);
	munmap(one, SIZE);
	munmap(two, SIZE);
}

static void test_sleep_is_told(void **state)
{
	struct preload_region *region = announce();
	int first;

	(void)state;
	write_record(region, 0, 1, 'a');
	read_all(false);
	assert_int_equal(region->asleep, 0);
	first = preload_timeout_ms();
	read_all(false);
	assert_int_equal(region->asleep, 1);
	read_all(false);
	assert_true(preload_timeout_ms() > first);
	/* Somebody who only knocks. */
	close(connect_tool());
	write_record(region, 0, 2, 'b');
	read_all(false);
	assert_string_equal(seen, "b");
	assert_int_equal(region->asleep, 0);
	munmap(region, SIZE);
}

/* None of these is mapped: it could shrink, is too small, is none, of another build or user. */
static void test_wrong_regions(void **state)
{
	static const struct {
		size_t size;
		int seals;
		uint32_t magic, bits, other_secret;
	} wrong[] = {
		{SIZE, 0, PRELOAD_MAGIC, BITS, 0},
		{PRELOAD_RINGS + (1 << BITS) - 4096, F_SEAL_SHRINK, PRELOAD_MAGIC, BITS, 0},
		{SIZE, F_SEAL_SHRINK, PRELOAD_MAGIC + 1, BITS, 0},
		{SIZE, F_SEAL_SHRINK, PRELOAD_MAGIC, BITS + 1, 0},
		{SIZE, F_SEAL_SHRINK, PRELOAD_MAGIC, BITS, 1},
	};
	struct preload_region *region;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct preload_hello hello = {wrong[i].magic, wrong[i].bits,
					      secret() ^ wrong[i].other_secret, 0, 0};
		int fd = make_region(wrong[i].size, wrong[i].seals, &region);

		region->slots_used = 1;
		if (wrong[i].size == SIZE)
			write_record(region, 0, 1, 'x');
		say(connect_tool(), &hello, fd);
		munmap(region, wrong[i].size);
	}
	say(connect_tool(), &(struct preload_hello){PRELOAD_MAGIC, BITS, secret(), 0, 0},
	    open("/dev/zero", O_RDWR | O_CLOEXEC));
	read_all(true);
	assert_int_equal(seen_cnt, 0);
}

/* A process that may have little memory has few rings; one that may have none says so. */
static void test_small_regions(void **state)
{
	struct preload_hello hello = {PRELOAD_MAGIC, BITS, secret(), 0, 0};
	size_t size = PRELOAD_RINGS + (1 << BITS);
	struct preload_region *region;
	int fd = make_region(size, F_SEAL_SHRINK, &region);

	(void)state;
	/* More than there are. */
	region->slots_used = 2;
	region->slots[1].head = 64;
	write_record(region, 0, 1, 'a');
	say(connect_tool(), &hello, fd);
	hello.error = ENOMEM;
	say(connect_tool(), &hello, open("/dev/null", O_RDONLY | O_CLOEXEC));
	read_all(true);
	assert_string_equal(seen, "a");
	assert_int_equal(preload_lost().unseen, 1);
	munmap(region, size);
}

/* Somebody calls all the time and says nothing: who has something to say is heard. */
static void test_silent_callers(void **state)
{
	struct rlimit before, limit = {.rlim_cur = 64, .rlim_max = 64};
	struct preload_region *region;
	int fds[40];

	(void)state;
	assert_return_code(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit.rlim_max = before.rlim_max;
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		fds[i] = connect_tool();
	assert_return_code(setrlimit(RLIMIT_NOFILE, &limit), 0);
	read_all(false);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		close(fds[i]);
	region = announce();
	write_record(region, 0, 1, 'a');
	read_all(false);
	assert_string_equal(seen, "a");
	setrlimit(RLIMIT_NOFILE, &before);
	munmap(region, SIZE);
}

static void test_hostile_region(void **state)
{
	struct preload_region *region = announce();

	(void)state;
	memset(region, 0xff, SIZE);
	read_all(false);
	for (unsigned int i = 0; i < SIZE / sizeof(int); i++)
		((unsigned int *)region)[i] = random() % 64;
	read_all(false);
	read_all(true);
	assert_true(preload_lost().damaged > 0);
	munmap(region, SIZE);
}

static void test_losses(void **state)
{
	struct preload_region *region = announce();
	struct preload_lost lost;

	(void)state;
	region->slots[0].lost_calls = 3;
	region->slots[1].cut_calls = 4;
	region->lost_calls = 5;
	region->losses[7].taken = 1;
	region->losses[7].calls = 6;
	region->losses[8].calls = 100; /* is not taken */
	read_all(true);
	lost = preload_lost();
	assert_int_equal(lost.calls, 3);
	assert_int_equal(lost.cut, 4);
	assert_int_equal(lost.unslotted, 5);
	preload_tell_losses();
	preload_tell_losses();
	assert_int_equal(losses, 6);
	munmap(region, SIZE);
}

static void test_numbers(void **state)
{
	(void)state;
	assert_int_equal(preload_number(0), 0);
	for (uint64_t i = 1; i <= 5000; i++)
		assert_int_equal(preload_number(i << 32 | 1), i);
	for (uint64_t i = 5000; i; i--)
		assert_int_equal(preload_number(i << 32 | 1), i);
	preload_numbers_free();
	assert_int_equal(preload_number(77), 1);
	preload_numbers_free();
}

/* One that is in use keeps its number, however many come and go. */
static void test_numbers_in_use(void **state)
{
	uint64_t number = preload_number(1);

	(void)state;
	for (uint64_t i = 2; i < 1 << 21; i++) {
		preload_number(i);
		if (i % 1000 == 0)
			assert_int_equal(preload_number(1), number);
	}
	assert_true(preload_number(2) > number + 1);
	preload_numbers_free();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order_of_times, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sleep_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_wrong_regions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_small_regions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_silent_callers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hostile_region, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_losses, set_up, tear_down),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_numbers_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
