// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "probe-term.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "values.h"

static const struct {
	const char *name;
	uint8_t size;
	bool is_signed;
} casts[] = {
	{"int", 4, true},   {"uint", 4, false},   {"int8", 1, true},  {"uint8", 1, false},
	{"int16", 2, true}, {"uint16", 2, false}, {"int32", 4, true}, {"uint32", 4, false},
	{"int64", 8, true}, {"uint64", 8, false}, {"char", 1, true},  {"short", 2, true},
	{"long", 8, true},  {"s32", 4, true},     {"u32", 4, false},  {"s64", 8, true},
	{"u64", 8, false},  {"u16", 2, false},    {"u8", 1, false},   {"s16", 2, true},
};

static const struct {
	const char *name;
	enum probe_term_kind kind;
} words[] = {
	{"ret", TERM_RETURN}, {"retval", TERM_RETURN}, {"pid", TERM_PID},
	{"tid", TERM_TID},    {"cpu", TERM_CPU},       {"comm", TERM_COMM},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static int refuse_term(const char *text)
{
	refuse(-EINVAL, "'%s' is nothing that can be read", text);
	suggest("arg0, ret, a field such as len, pid, tid, comm, cpu, str(arg0), (int32)arg0");
	return -EINVAL;
}

/* "(int32)arg0" */
static int parse_cast(struct probe_term *term, char **text)
{
	char *end = **text == '(' ? strchr(*text, ')') : NULL;

	if (!end)
		return 0;
	*end = '\0';
	for (size_t i = 0; i < COUNT(casts); i++) {
		if (strcmp(*text + 1, casts[i].name))
			continue;
		term->size = casts[i].size;
		term->is_signed = casts[i].is_signed;
		*text = end + 1;
		return 0;
	}
	refuse(-EINVAL, "'%s' is not a type to read a number as", *text + 1);
	suggest("(int32), (uint32), (int16), (uint8), (int64) ...");
	return -EINVAL;
}

static char *strip_string(struct probe_term *term, char *text)
{
	size_t len = strlen(text);

	if (strncmp(text, "str(", 4) || text[len - 1] != ')')
		return text;
	text[len - 1] = '\0';
	term->is_string = true;
	return text + 4;
}

/* arg0, not arg, arg0x or arg00000000000. */
static bool is_argument(const char *text, unsigned int *arg)
{
	unsigned long nr;

	if (strncmp(text, "arg", 3) || parse_unsigned(text + 3, 0, 99, &nr))
		return false;
	*arg = nr;
	return true;
}

/* Names, "->", "." and "[1]", in no order that matters here. */
static bool is_field(const char *text)
{
	if (!isalpha((unsigned char)*text) && *text != '_')
		return false;
	for (; *text; text++) {
		bool arrow = text[0] == '-' && text[1] == '>';

		if (!isalnum((unsigned char)*text) && !strchr("_.[]", *text) && !arrow)
			return false;
		text += arrow;
	}
	return true;
}

static enum probe_term_kind find_word(const char *text)
{
	for (size_t i = 0; i < COUNT(words); i++) {
		if (!strcmp(text, words[i].name))
			return words[i].kind;
	}
	return TERM_NONE;
}

static bool can_be_text(enum probe_term_kind kind)
{
	return kind == TERM_ARG || kind == TERM_FIELD || kind == TERM_RETURN;
}

/* args.pid is the field, pid the process. */
static char *strip_args(char *text)
{
	if (!strncmp(text, "args.", 5))
		return text + 5;
	return strncmp(text, "args->", 6) ? text : text + 6;
}

int probe_term__parse(struct probe_term *term, char *text)
{
	char *field;
	int err;

	*term = (struct probe_term){0};
	err = parse_cast(term, &text);
	if (err)
		return err;
	text = strip_string(term, text);
	field = strip_args(text);
	term->text = field;
	if (field == text)
		term->kind = find_word(text);
	if (!term->kind && is_argument(field, &term->arg))
		term->kind = TERM_ARG;
	else if (!term->kind && is_field(field))
		term->kind = TERM_FIELD;
	if (!term->kind || (term->is_string && (term->size || !can_be_text(term->kind))))
		return refuse_term(text);
	return 0;
}

int probe_terms_parse(struct probe_term *terms, size_t max, size_t *cnt, char *text)
{
	char *item;
	int err = 0;

	while (!err && (item = strsep(&text, ","))) {
		if (*cnt == max)
			return refuse(-EINVAL, "'%s' is one too many: at most %zu", item, max);
		err = probe_term__parse(&terms[(*cnt)++], item);
	}
	return err;
}

/* The longer ones first. */
static const struct {
	const char *text;
	enum probe_op op;
} ops[] = {
	{"==", OP_EQUAL}, {"!=", OP_NOT_EQUAL}, {"<=", OP_LESS_EQUAL}, {">=", OP_MORE_EQUAL},
	{"=", OP_EQUAL},  {"<", OP_LESS},       {">", OP_MORE},        {"&", OP_BITS},
};

/* Where the operator of a comparison is, not an arrow's; NULL if there is none. */
static char *find_op(char *text)
{
	for (char *at = text; *at; at++) {
		if (at[0] == '-' && at[1] == '>')
			at++;
		else if (strchr("=!<>&", *at))
			return at;
	}
	return NULL;
}

bool probe_is_filter(const char *text)
{
	return find_op((char *)text);
}

static int refuse_filter(const char *text)
{
	refuse(-EINVAL, "'%s' is not a comparison", text);
	suggest("arg1>0, with one of == != < <= > >= & and a number");
	return -EINVAL;
}

static int parse_filter(struct probe_filter *filter, char *text)
{
	char *at = find_op(text), *number, *end;
	size_t i = 0;

	while (at && i < COUNT(ops) && strncmp(at, ops[i].text, strlen(ops[i].text)))
		i++;
	if (!at || at == text || i == COUNT(ops))
		return refuse_filter(text);
	number = at + strlen(ops[i].text);
	errno = 0;
	filter->op = ops[i].op;
	filter->number = strtoll(number, &end, 0);
	/* All 64 bits, where the sign does not matter. */
	if (errno == ERANGE && (filter->op <= OP_NOT_EQUAL || filter->op == OP_BITS)) {
		errno = 0;
		filter->number = strtoull(number, &end, 0);
	}
	if (end == number || *end || errno || isspace((unsigned char)*number))
		return refuse_filter(text);
	*at = '\0';
	return probe_term__parse(&filter->term, text);
}

int probe_filters_parse(struct probe_filter *filters, size_t *cnt, char *text)
{
	int err = 0;

	while (!err && text) {
		char *item = text, *both = strstr(text, "&&"), *comma = strchr(text, ',');
		char *end = !both || (comma && comma < both) ? comma : both;

		text = end ? end + (end == both ? 2 : 1) : NULL;
		if (end)
			*end = '\0';
		if (*cnt == PROBE_FILTERS)
			return refuse(-EINVAL, "'%s' is one comparison too many: at most %d", item,
				      PROBE_FILTERS);
		err = parse_filter(&filters[(*cnt)++], item);
	}
	return err;
}

static int refuse_there(const struct probe_term *term, const char *reason, const char *instead)
{
	refuse(-EINVAL, "'%s' is not known there", term->text);
	why("%s", reason);
	suggest("%s", instead);
	return -EINVAL;
}

static int check_at(const struct probe_term *term, const struct probe_place *place, bool returns)
{
	bool user = place->source <= PROBE_URETPROBE;

	/* Of events it is a field or an argument: sys_exit has one. */
	if (term->kind == TERM_RETURN && !returns && user)
		return refuse_there(term, "only the return of a function has a value",
				    "uretprobe:BINARY:FUNCTION:ret");
	if (term->kind == TERM_FIELD && user)
		return refuse_there(term, "probes of programs have no names for what they pass",
				    "arg0, arg1 ...");
	if (term->kind == TERM_ARG && place->source == PROBE_URETPROBE)
		return refuse_there(term, "a function that returns has no arguments any more",
				    "ret, or uprobe: instead of uretprobe:");
	if (term->kind == TERM_ARG && place->source == PROBE_TRACEPOINT)
		return refuse_there(term, "a tracepoint has fields, not arguments",
				    "a name of those that -l tp:GROUP:EVENT lists, or rawtp:EVENT");
	return 0;
}

static int check_number(const struct probe_term *term)
{
	if (term->kind != TERM_COMM && !term->is_string)
		return 0;
	refuse(-EINVAL, "'%s' is a text, not a number", term->text);
	suggest("by:%s", term->kind == TERM_COMM ? "comm" : "str(...)");
	return -EINVAL;
}

/* Of a latency, what it returns is known at its end, all else at its begin. */
static int check_term(const struct probe_spec *spec, const struct probe_term *term)
{
	const struct probe_place *last = &spec->place[spec->places_cnt - 1];
	bool returns = last->source == PROBE_URETPROBE ||
		       (spec->is_latency && spec->places_cnt == 1);

	return check_at(term, term->kind == TERM_RETURN ? last : &spec->place[0], returns);
}

int probe_spec__check_terms(const struct probe_spec *spec)
{
	int err = check_number(&spec->value);

	err = err ?: check_term(spec, &spec->value);
	for (size_t i = 0; !err && i < spec->keys_cnt; i++)
		err = check_term(spec, &spec->keys[i]);
	for (size_t i = 0; !err && i < spec->filters_cnt; i++) {
		err = check_number(&spec->filters[i].term);
		err = err ?: check_term(spec, &spec->filters[i].term);
	}
	for (size_t i = 0; !err && i < spec->matches_cnt; i++) {
		err = check_number(&spec->matches[i]);
		for (size_t p = 0; !err && p < spec->places_cnt; p++)
			err = check_at(&spec->matches[i], &spec->place[p], false);
	}
	return err;
}
