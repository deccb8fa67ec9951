/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a user says is to be probed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "linear.h"
#include "probe-spec.h"

/* A text of the spec is part of the text that it was read from. */
static void check_part(const char *part, const char *text, size_t size)
{
	FUZZ_CHECK(!part || (part >= text && part < text + size));
	FUZZ_CHECK(!part || strlen(part) < (size_t)(text + size - part));
}

static void check_place(const struct probe_place *place, const char *text, size_t size)
{
	FUZZ_CHECK(place->source < PROBE_SOURCES && place->name && *place->name);
	FUZZ_CHECK(!place->offset || place->source == PROBE_UPROBE);
	FUZZ_CHECK(!place->binary || place->source <= PROBE_URETPROBE);
	FUZZ_CHECK(!place->group || place->source == PROBE_USDT ||
		   place->source == PROBE_TRACEPOINT);
	check_part(place->binary, text, size);
	check_part(place->group, text, size);
	check_part(place->name, text, size);
}

static void check_term(const struct probe_term *term, const char *text, size_t size)
{
	FUZZ_CHECK(term->kind != TERM_NONE && term->kind <= TERM_COMM && term->text);
	FUZZ_CHECK(term->size == 0 || (term->size <= 8 && !(term->size & (term->size - 1))));
	FUZZ_CHECK(term->arg <= 99);
	check_part(term->text, text, size);
}

static void check_spec(const struct probe_spec *s, const char *text, size_t size)
{
	FUZZ_CHECK(s->places_cnt == 1 || (s->places_cnt == 2 && s->is_latency));
	FUZZ_CHECK(s->keys_cnt <= PROBE_KEYS && s->filters_cnt <= PROBE_FILTERS &&
		   s->matches_cnt <= PROBE_MATCHES);
	FUZZ_CHECK(!s->matches_cnt || s->places_cnt == 2);
	FUZZ_CHECK(!s->name || (*s->name && strlen(s->name) < PROBE_NAME));
	FUZZ_CHECK(!s->linear.step || (linear__rows(&s->linear) <= LINEAR_ROWS_MAX &&
				       s->aggregation == AGGREGATE_HIST));
	FUZZ_CHECK(!s->value.kind == (s->is_latency || s->aggregation == AGGREGATE_COUNT));
	check_part(s->name, text, size);
	for (size_t i = 0; i < s->places_cnt; i++)
		check_place(&s->place[i], text, size);
	if (s->value.kind)
		check_term(&s->value, text, size);
	for (size_t i = 0; i < s->keys_cnt; i++)
		check_term(&s->keys[i], text, size);
	for (size_t i = 0; i < s->matches_cnt; i++)
		check_term(&s->matches[i], text, size);
	for (size_t i = 0; i < s->filters_cnt; i++) {
		check_term(&s->filters[i].term, text, size);
		FUZZ_CHECK(s->filters[i].op <= OP_BITS);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	char *text = fuzz_text(&in);
	size_t len = strlen(text) + 1;
	struct probe_spec spec;
	int err = probe_spec__parse(&spec, text);

	FUZZ_CHECK(err == 0 || err == -EINVAL);
	if (!err)
		check_spec(&spec, text, len);
	free(text);
	return 0;
}
