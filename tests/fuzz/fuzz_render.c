/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Results with any keys and values, as text and as JSON, under the types of the tools' own
 * objects. The first byte chooses the result.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "histogram.h"
#include "render.h"
#include "syscount.skel.h"
#include "udp-syscall.skel.h"

#define RESULTS_MAX 64
#define ROWS_MAX    32

static struct result results[RESULTS_MAX];
static size_t results_cnt;

static void add_results(struct bpf_object *obj)
{
	struct result *list;
	struct bpf_map *map;
	size_t cnt;

	/* Those too that a tool creates only if it is asked to. */
	bpf_object__for_each_map(map, obj)
		bpf_map__set_autocreate(map, true);
	FUZZ_CHECK(!object__results(obj, &list, &cnt));
	FUZZ_CHECK(cnt && results_cnt + cnt <= RESULTS_MAX);
	memcpy(results + results_cnt, list, cnt * sizeof(*list));
	results_cnt += cnt;
	free(list);
}

static void set_up(void)
{
	static struct udp_syscall_bpf *udp;
	static struct syscount_bpf *count;

	udp = udp_syscall_bpf__open();
	count = syscount_bpf__open();
	FUZZ_CHECK(udp && count);
	add_results(udp->obj);
	add_results(count->obj);
}

/* Wide numbers, but small ones too: each slot has a byte that says which. */
static uint64_t read_number(struct fuzz_input *in)
{
	uint64_t number = 0;

	fuzz_bytes(in, &number, fuzz_byte(in) % (sizeof(number) + 1));
	return number;
}

static void read_value(struct fuzz_input *in, const struct result *r, void *value)
{
	struct hist *h = value;

	if (r->kind == RESULT_COUNT) {
		((struct count *)value)->n = read_number(in);
		return;
	}
	h->sum = (int64_t)read_number(in);
	for (size_t i = fuzz_byte(in) % 8; i; i--)
		h->slots[fuzz_byte(in) % HIST_SLOTS] = read_number(in);
}

static void read_table(struct fuzz_input *in, const struct result *r, struct table *t)
{
	void *key;

	*t = (struct table){
		.key_size = bpf_map__key_size(r->map),
		.value_size = bpf_map__value_size(r->map),
	};
	key = malloc(t->key_size);
	while (in->size && t->cnt < (r->keyed ? ROWS_MAX : 1)) {
		fuzz_bytes(in, key, t->key_size);
		read_value(in, r, table__get(t, key));
	}
	free(key);
}

/* Nothing is cut, not even of the longest key. */
static void check_keys(const struct result *r, const struct table *t)
{
	for (size_t i = 0; i < t->cnt; i++) {
		char key[RENDER_KEY_SIZE], longer[4 * RENDER_KEY_SIZE];

		result__format_key(r, table__key(t, i), key, sizeof(key));
		result__format_key(r, table__key(t, i), longer, sizeof(longer));
		FUZZ_CHECK(!strcmp(key, longer));
		FUZZ_CHECK(fuzz_is_printable(key, strlen(key), ""));
	}
}

/* The bar has 52 columns; a count of more than 8 digits moves it by up to 12. */
static void check_row(const char *line, size_t len)
{
	const char *bar = memchr(line, '|', len);
	size_t before = bar ? bar - line : 0;

	FUZZ_CHECK(before >= 16 + 8 + 1 && before <= 16 + 8 + 1 + 12);
	FUZZ_CHECK(len == before + 1 + 52 + 1 && line[len - 1] == '|');
	FUZZ_CHECK(bar[1 + strspn(bar + 1, "@")] != '@');
}

static void check_text(const struct result *r, const struct table *t)
{
	size_t size, lines = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	render_text(out, r, t);
	fclose(out);
	FUZZ_CHECK(fuzz_is_printable(text, size, "\n"));
	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		lines++;
		FUZZ_CHECK(strchr(line, '\n'));
		if (*line == '[' || *line == '(')
			check_row(line, strcspn(line, "\n"));
		else
			FUZZ_CHECK(*line == '@' || *line == '\n');
	}
	FUZZ_CHECK(lines <= t->cnt * (HIST_SLOTS + 2));
	free(text);
}

static uint64_t sum_counts(json_t *data)
{
	const char *key;
	uint64_t sum = 0;
	json_t *at;
	size_t i;

	if (json_is_integer(data))
		return json_integer_value(data);
	if (json_is_array(data)) {
		json_array_foreach(data, i, at)
			sum += json_integer_value(json_object_get(at, "count"));
		return sum;
	}
	FUZZ_CHECK(json_is_object(data));
	json_object_foreach(data, key, at) sum += sum_counts(at);
	return sum;
}

/* jansson reads what it has written, and the parts add up to the whole. */
static void check_json(const struct result *r, const struct table *t)
{
	json_t *line = render_json(r, t), *again;
	char *dump;

	if (!line)
		return;
	dump = json_dumps(line, JSON_COMPACT);
	FUZZ_CHECK(dump && !strchr(dump, '\n'));
	again = json_loads(dump, 0, NULL);
	FUZZ_CHECK(again && json_equal(line, again));
	FUZZ_CHECK(sum_counts(json_object_get(again, "data")) ==
		   (uint64_t)json_integer_value(json_object_get(again, "count")));
	free(dump);
	json_decref(line);
	json_decref(again);
}

static void check_histogram(const struct hist *h)
{
	struct hist twice = *h;

	histogram_add(&twice, h);
	FUZZ_CHECK(histogram_count(&twice) == 2 * histogram_count(h));
}

static void check_slot(int64_t value)
{
	unsigned int slot = histogram_slot(value);
	int64_t min, max;

	FUZZ_CHECK(slot < HIST_SLOTS);
	histogram_bounds(slot, &min, &max);
	FUZZ_CHECK(min <= value && value <= max);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	const struct result *r;
	struct table t;

	if (!results_cnt)
		set_up();
	r = &results[fuzz_byte(&in) % results_cnt];
	read_table(&in, r, &t);
	for (size_t i = 0; i < t.cnt; i++) {
		check_slot(*(int64_t *)table__value(&t, i));
		if (r->kind == RESULT_HIST)
			check_histogram(table__value(&t, i));
	}
	/* Rows of the same text are merged in the table. */
	check_keys(r, &t);
	check_text(r, &t);
	check_json(r, &t);
	table__free(&t);
	return 0;
}
