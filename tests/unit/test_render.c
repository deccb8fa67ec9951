/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Results of a tool's object that was opened but not loaded. */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "hist.h"
#include "render.h"
#include "udp-syscall.h"
#include "udp-syscall.skel.h"

static struct udp_syscall_bpf *skel;
static struct result *results;
static const struct result *latencies; /* by thread and socket */

static int open_object(void **state)
{
	size_t cnt;

	(void)state;
	skel = udp_syscall_bpf__open();
	if (!skel || object__results(skel->obj, &results, &cnt))
		return 1;
	for (size_t i = 0; i < cnt; i++) {
		if (results[i].keyed && !strcmp(results[i].name, "rx_latencies"))
			latencies = &results[i];
	}
	return !latencies;
}

static int close_object(void **state)
{
	(void)state;
	free(results);
	udp_syscall_bpf__destroy(skel);
	return 0;
}

static void set_endpoint(struct endpoint *e, unsigned int last)
{
	memset(e->addr, 0xfe, sizeof(e->addr));
	e->addr[15] = last;
	e->family = AF_INET6;
	e->port = 0xffff;
}

/* What a table of one CPU would have. */
static void add_row(struct table *t, const struct udp_key *key, int64_t sum)
{
	struct hist *h = table__get(t, key);

	h->sum = sum;
	h->slots[5] = 1;
}

static struct table new_table(void)
{
	assert_int_equal(bpf_map__key_size(latencies->map), sizeof(struct udp_key));
	return (struct table){.key_size = sizeof(struct udp_key),
			      .value_size = sizeof(struct hist)};
}

/* Two that differ in their last digit only must not become one row. */
static void test_longest_keys(void **state)
{
	struct udp_key key = {.thread = {.tid = 4194303}};
	char text[RENDER_KEY_SIZE], longer[4096];
	struct table t = new_table();
	json_t *line, *data;

	(void)state;
	memset(key.thread.comm, 0x1b, sizeof(key.thread.comm));
	set_endpoint(&key.local, 1);
	for (unsigned int last = 1; last <= 2; last++) {
		set_endpoint(&key.peer, last);
		result__format_key(latencies, &key, text, sizeof(text));
		result__format_key(latencies, &key, longer, sizeof(longer));
		assert_string_equal(text, longer);
		add_row(&t, &key, 1);
	}
	line = render_json(latencies, &t);
	data = json_object_get(json_object_get(line, "data"), "@rx_latencies");
	assert_int_equal(json_object_size(data), 2);
	json_decref(line);
	table__free(&t);
}

/* Sums wrap, as they do on the BPF side; the sanitizer sees one that is not meant to. */
static void test_sum_wraps(void **state)
{
	struct table t = new_table();
	struct udp_key key = {.thread = {.tid = 1, .comm = "a"}};
	json_t *line;

	(void)state;
	add_row(&t, &key, INT64_MAX);
	key.thread.tid = 2;
	add_row(&t, &key, INT64_MAX);
	line = render_json(latencies, &t);
	assert_int_equal(json_integer_value(json_object_get(line, "sum")), -2);
	assert_int_equal(json_integer_value(json_object_get(line, "count")), 2);
	json_decref(line);
	table__free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_longest_keys),
		cmocka_unit_test(test_sum_wraps),
	};

	return cmocka_run_group_tests(tests, open_object, close_object);
}
