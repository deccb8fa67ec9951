// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h" /* before cmocka has a macro of the same name as fail() */

#include <cmocka.h>

#include "output.h"
#include "tls-file.h"
#include "tls-libraries.h"

static char dir[] = "/tmp/wirescope-tls-XXXXXX";

static char *path_of(const char *name)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	return path;
}

static char *put_file(const char *name, const void *bytes, size_t size)
{
	char *path = path_of(name);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	return path;
}

static void assert_function(const struct tls_library *l, const char *name, uint64_t offset)
{
	for (size_t i = 0; i < l->functions_cnt; i++) {
		if (strcmp(tls_calls[l->functions[i].call].name, name))
			continue;
		assert_int_equal(l->functions[i].offset, offset);
		assert_int_equal(l->functions[i].size, 16);
		return;
	}
	fail_msg("'%s' was not found", name);
}

static void test_add(void **state)
{
	struct target target = TARGET_INIT;
	struct tls_libraries l = {0};
	struct file f;
	char *path;

	(void)state;
	make_library(&f);
	path = put_file("libssl.so.9", &f, sizeof(f));
	assert_int_equal(tls_libraries__add(&l, &target, path), 0);
	assert_int_equal(tls_libraries__add(&l, &target, path), 0);
	assert_int_equal(l.cnt, 1); /* it is one file */
	assert_string_equal(l.lib[0].name, path);
	assert_int_equal(l.lib[0].functions_cnt, 3);
	assert_function(&l.lib[0], "SSL_write", CODE_OFFSET + 0x10);
	assert_function(&l.lib[0], "SSL_do_handshake", CODE_OFFSET + 0x30);
	assert_function(&l.lib[0], "ERR_put_error", CODE_OFFSET + 0x70);
	assert_int_equal(tls_library__api(&l.lib[0]), TLS_OPENSSL);
	assert_false(tls_library__is_helper(&l.lib[0]));
	unlink(path);
	free(path);
	tls_libraries__free(&l);
}

/* What makes errors is in another file, beside it. */
static void test_helper(void **state)
{
	struct target target = TARGET_INIT;
	struct tls_libraries l = {0};
	struct file f;
	char *path, *helper;

	(void)state;
	make_file(&f);
	add_dynamic(&f, "ERR_vset_error", CODE_AT, 1);
	helper = put_file("libcrypto.so.9", &f, sizeof(f));
	make_library(&f);
	path = put_file("libssl.so.9", &f, sizeof(f));
	assert_int_equal(tls_libraries__add(&l, &target, path), 0);
	assert_int_equal(l.cnt, 2);
	assert_string_equal(l.lib[1].name, helper);
	assert_function(&l.lib[1], "ERR_vset_error", CODE_OFFSET);
	assert_true(tls_library__is_helper(&l.lib[1]));
	unlink(path);
	unlink(helper);
	free(path);
	free(helper);
	tls_libraries__free(&l);
}

static void test_refused(void **state)
{
	struct target target = TARGET_INIT;
	struct tls_libraries l = {0};
	struct output output;
	struct file f;
	char *path;
	int err;

	(void)state;
	make_file(&f);
	add_dynamic(&f, "main", CODE_AT, 1);
	path = put_file("plain", &f, sizeof(f));
	log_init("tool");
	output_begin(&output, STDERR_FILENO);
	err = tls_libraries__add(&l, &target, path);
	output_end(&output, STDERR_FILENO);
	assert_int_equal(err, -ENOENT);
	assert_contains(output.text, "/plain' has no TLS calls\nwhy: ");
	assert_int_equal(l.cnt, 0);
	unlink(path);
	free(path);
	tls_libraries__free(&l);
}

/* ---- processes ---------------------------------------------------------------------------- */

/* A process that maps the files whose paths it reads, and says when it has. */
struct child {
	pid_t pid;
	int to, from;
};

static void map_files(int from, int to)
{
	char path[256];
	ssize_t len;

	for (;;) {
		int fd;

		len = read(from, path, sizeof(path) - 1);
		if (len <= 0)
			_exit(0);
		path[len] = '\0';
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 ||
		    mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED)
			_exit(1);
		close(fd);
		if (write(to, "x", 1) != 1)
			_exit(1);
	}
}

static void child__start(struct child *c)
{
	int there[2], back[2];

	assert_int_equal(pipe2(there, O_CLOEXEC) | pipe2(back, O_CLOEXEC), 0);
	c->pid = fork();
	if (!c->pid) {
		close(there[1]);
		close(back[0]);
		map_files(there[0], back[1]);
	}
	assert_true(c->pid > 0);
	close(there[0]);
	close(back[1]);
	c->to = there[1];
	c->from = back[0];
}

static void child__map(struct child *c, const char *path)
{
	char done;

	assert_int_equal(write(c->to, path, strlen(path)), strlen(path));
	assert_int_equal(read(c->from, &done, 1), 1);
}

static void child__end(struct child *c)
{
	close(c->to);
	close(c->from);
	assert_int_equal(waitpid(c->pid, NULL, 0), c->pid);
}

static int find(struct tls_libraries *l, const struct target *target)
{
	size_t unseen;
	int cnt = tls_libraries__find(l, target, &unseen);

	assert_int_equal(unseen, 0);
	return cnt;
}

static void test_process(void **state)
{
	struct target target = TARGET_INIT;
	struct tls_libraries l = {0};
	struct child child;
	struct file f;
	char *path, *other, *own;

	(void)state;
	child__start(&child);
	target.pids = &child.pid;
	target.pids_cnt = 1;
	assert_int_equal(find(&l, &target), 0);
	make_library(&f);
	path = put_file("libssl.so.9", &f, sizeof(f));
	child__map(&child, path);
	assert_int_equal(find(&l, &target), 1);
	assert_int_equal(find(&l, &target), 0);
	assert_string_equal(l.lib[0].name, path);
	assert_int_equal(l.lib[0].pid, child.pid);
	assert_false(l.lib[0].is_deleted);
	/* Loaded while the tool runs, then replaced: it is still the file that is mapped. */
	other = put_file("libgone.so", &f, sizeof(f));
	child__map(&child, other);
	unlink(other);
	if (!geteuid()) { /* others may not follow the links of mapped files */
		assert_int_equal(find(&l, &target), 1);
		assert_true(l.lib[1].is_deleted);
		assert_string_equal(l.lib[1].name, other);
		assert_function(&l.lib[1], "SSL_write", CODE_OFFSET + 0x10);
	}
	own = put_file("libwirescope-tls.so", &f, sizeof(f));
	child__map(&child, own);
	assert_int_equal(find(&l, &target), 0);
	child__end(&child);
	unlink(path);
	unlink(own);
	free(path);
	free(other);
	free(own);
	tls_libraries__free(&l);
}

/* More than there are numbers for are counted. */
static void test_many(void **state)
{
	struct target target = TARGET_INIT;
	struct tls_libraries l = {0};
	char name[32], *path;
	struct output output;
	struct file f;
	int err;

	(void)state;
	make_library(&f);
	for (size_t i = 0; i < TLS_LIBRARIES; i++) {
		snprintf(name, sizeof(name), "lib%zu", i);
		path = put_file(name, &f, sizeof(f));
		assert_int_equal(tls_libraries__add(&l, &target, path), 0);
		unlink(path);
		free(path);
	}
	assert_int_equal(l.cnt, TLS_LIBRARIES);
	assert_int_equal(l.left_out, 0);
	path = put_file("one-more", &f, sizeof(f));
	output_begin(&output, STDERR_FILENO);
	err = tls_libraries__add(&l, &target, path);
	output_end(&output, STDERR_FILENO);
	assert_int_equal(err, -E2BIG);
	assert_contains(output.text, "/one-more' is one too many");
	assert_int_equal(l.cnt, TLS_LIBRARIES);
	assert_int_equal(l.left_out, 1);
	unlink(path);
	free(path);
	tls_libraries__free(&l);
}

static void test_list(void **state)
{
	struct target target = TARGET_INIT;
	struct tls_libraries l = {0};
	struct output output;
	struct file f;
	char *path;

	(void)state;
	make_library(&f);
	path = put_file("lib\033[31m", &f, sizeof(f));
	assert_int_equal(tls_libraries__add(&l, &target, path), 0);
	output_begin(&output, STDOUT_FILENO);
	tls_libraries__list(&l, stdout);
	fflush(stdout);
	output_end(&output, STDOUT_FILENO);
	assert_contains(output.text, "LIBRARY");
	assert_contains(output.text, "/lib\\x1b[31m OpenSSL  ");
	assert_null(strchr(output.text, '\033'));
	unlink(path);
	free(path);
	tls_libraries__free(&l);
}

static int set_up(void **state)
{
	(void)state;
	log_init("test");
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),     cmocka_unit_test(test_helper),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_process),
		cmocka_unit_test(test_many),    cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
