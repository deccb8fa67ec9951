// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "probe-spec.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "probe-term.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
	const char *name;
	enum probe_source source;
} sources[] = {
	{"usdt", PROBE_USDT},
	{"uprobe", PROBE_UPROBE},
	{"uretprobe", PROBE_URETPROBE},
	{"tp", PROBE_TRACEPOINT},
	{"tracepoint", PROBE_TRACEPOINT},
	{"rawtp", PROBE_RAW_TRACEPOINT},
	{"raw_tp", PROBE_RAW_TRACEPOINT},
	{"rawtracepoint", PROBE_RAW_TRACEPOINT},
};

/* How a place of each source is written, and of which fields. */
static const struct {
	const char *form;
	bool binary;
	bool group;
} forms[PROBE_SOURCES] = {
	[PROBE_USDT] = {"usdt:BINARY:PROVIDER:PROBE", true, true},
	[PROBE_UPROBE] = {"uprobe:BINARY:FUNCTION", true, false},
	[PROBE_URETPROBE] = {"uretprobe:BINARY:FUNCTION", true, false},
	[PROBE_TRACEPOINT] = {"tp:GROUP:EVENT", false, true},
	[PROBE_RAW_TRACEPOINT] = {"rawtp:EVENT", false, false},
};

/* Blanks around what compares or separates mean nothing: "if:len >= 1200" is one word. */
static void join_words(char *text)
{
	static const char joins[] = "=!<>&,";
	char *to = text;

	for (const char *at = text; *at; at++) {
		const char *next = at + strspn(at, " \t\n");

		if (next == at) {
			*to++ = *at;
			continue;
		}
		if (*next && to > text && !strchr(joins, *next) && !strchr(joins, to[-1]))
			*to++ = ' ';
		at = next - 1;
	}
	*to = '\0';
}

static char *next_word(char **rest)
{
	char *word = strsep(rest, " ");

	return word && *word ? word : NULL;
}

int linear_parse(struct linear *linear, const char *text)
{
	__s64 *const to[] = {&linear->min, &linear->max, &linear->step};
	char *end;

	for (size_t i = 0; i < COUNT(to); i++) {
		errno = 0;
		*to[i] = strtoll(text, &end, 0);
		if (end == text || errno || *end != (i + 1 < COUNT(to) ? ',' : '\0') ||
		    isspace((unsigned char)*text))
			return -EINVAL;
		text = end + 1;
	}
	if (linear->step <= 0 || linear->min >= linear->max)
		return -EINVAL;
	/* Unsigned, where the distance of two numbers always fits. */
	if (((uint64_t)linear->max - (uint64_t)linear->min) / (uint64_t)linear->step >
	    LINEAR_ROWS_MAX - 2)
		return -EINVAL;
	return ((uint64_t)linear->max - (uint64_t)linear->min) % (uint64_t)linear->step ? -EINVAL
											: 0;
}

/* "lhist(0,100,10):" */
static int parse_linear(struct probe_spec *spec, char **text)
{
	char *end;

	if (strncmp(*text, "lhist(", 6))
		return 0;
	end = strstr(*text, "):");
	if (end)
		*end = '\0';
	if (!end || linear_parse(&spec->linear, *text + 6)) {
		refuse(-EINVAL, "'%s' does not say how wide rows are", *text);
		why("it takes MIN,MAX,STEP: up to %d rows of STEP from MIN to MAX",
		    LINEAR_ROWS_MAX - 2);
		suggest("lhist(0,1500,100):PROBE:VALUE");
		return -EINVAL;
	}
	*text = end + 2;
	return 0;
}

enum how { HOW_DEFAULT, HOW_HIST, HOW_COUNT, HOW_SUM, HOW_LATENCY };

/* "sum:", off the text. */
static enum how cut_aggregation(char **text)
{
	static const struct {
		const char *text;
		enum how how;
	} hows[] = {
		{"hist:", HOW_HIST},
		{"count:", HOW_COUNT},
		{"sum:", HOW_SUM},
		{"lat:", HOW_LATENCY},
	};

	for (size_t i = 0; i < COUNT(hows); i++) {
		if (!strncmp(*text, hows[i].text, strlen(hows[i].text))) {
			*text += strlen(hows[i].text);
			return hows[i].how;
		}
	}
	return HOW_DEFAULT;
}

/* "NAME=", off the text. */
static int cut_name(struct probe_spec *spec, char **text)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789_.-";
	char *end = strpbrk(*text, ":=");

	if (!end || *end != '=')
		return 0;
	*end = '\0';
	spec->name = **text == '@' ? *text + 1 : *text;
	*text = end + 1;
	if (*spec->name && !spec->name[strspn(spec->name, allowed)] &&
	    strlen(spec->name) < PROBE_NAME)
		return 0;
	refuse(-EINVAL, "'%s' is not a name for a result", spec->name);
	why("it may have up to %d letters, digits, '_', '.' and '-'", PROBE_NAME - 1);
	return -EINVAL;
}

/* One field off the text, NULL if there is none; "::" is part of a function's name. */
static char *cut_field(char **text, bool function)
{
	char *field = *text, *end = field;

	if (!field)
		return NULL;
	end += strcspn(end, ":");
	while (function && end[0] == ':' && end[1] == ':')
		end += 2 + strcspn(end + 2, ":");
	*text = *end ? end + 1 : NULL;
	*end = '\0';
	return field;
}

static int refuse_place(const char *text, enum probe_source source)
{
	refuse(-EINVAL, "'%s' does not name a probe", text);
	if (source < PROBE_SOURCES) {
		suggest("%s", forms[source].form);
		return -EINVAL;
	}
	why("it is one of %s, %s, %s, %s, %s", forms[0].form, forms[1].form, forms[2].form,
	    forms[3].form, forms[4].form);
	suggest("%s --help", log_tool());
	return -EINVAL;
}

/* "FUNCTION+0x10" */
static int parse_offset(struct probe_place *place, char *name)
{
	char *plus = strrchr(name, '+'), *end;

	if (!plus || !isdigit((unsigned char)plus[1]))
		return 0;
	if (plus == name)
		return refuse_place(name, place->source);
	errno = 0;
	place->offset = strtoull(plus + 1, &end, 0);
	if (*end || errno || place->offset > UINT32_MAX)
		return refuse(-EINVAL, "'%s' is not an offset into a function", plus + 1);
	if (place->source == PROBE_URETPROBE) {
		refuse(-EINVAL, "'%s' has an offset: a function returns as a whole", name);
		suggest("the same without %s", plus);
		return -EINVAL;
	}
	*plus = '\0';
	return 0;
}

/* Cuts a place off the text; what follows it is left, NULL if nothing does. */
static int parse_place(struct probe_place *place, char **text)
{
	char *source = cut_field(text, false), *binary;
	bool function;

	place->source = PROBE_SOURCES;
	for (size_t i = 0; source && i < COUNT(sources); i++) {
		if (!strcmp(source, sources[i].name))
			place->source = sources[i].source;
	}
	if (place->source == PROBE_SOURCES)
		return refuse_place(source ?: "", PROBE_SOURCES);
	function = place->source == PROBE_UPROBE || place->source == PROBE_URETPROBE;
	if (forms[place->source].binary) {
		binary = cut_field(text, false);
		place->binary = binary && *binary ? binary : NULL;
	}
	if (forms[place->source].group)
		place->group = cut_field(text, false);
	place->name = cut_field(text, function);
	if (!place->name || !*place->name || (forms[place->source].group && !*place->group))
		return refuse_place(source, place->source);
	return function ? parse_offset(place, (char *)place->name) : 0;
}

static int parse_value(struct probe_spec *spec, enum how how, char *text)
{
	if (text) {
		if (how == HOW_COUNT || how == HOW_LATENCY) {
			refuse(-EINVAL, "'%s' is a value, of which %s has none", text,
			       how == HOW_COUNT ? "count:" : "lat:");
			suggest("by:%s or if:%s>0", text, text);
			return -EINVAL;
		}
		return probe_term__parse(&spec->value, text);
	}
	if (how == HOW_HIST || how == HOW_SUM) {
		refuse(-EINVAL, "'%s' has no value to make a histogram or sum of",
		       spec->place[0].name);
		suggest("PROBE:VALUE, such as arg0, or count:PROBE");
		return -EINVAL;
	}
	return 0;
}

static int parse_head(struct probe_spec *spec, char *word)
{
	int err = cut_name(spec, &word);
	enum how how;

	err = err ?: parse_linear(spec, &word);
	if (err)
		return err;
	how = spec->linear.step ? HOW_HIST : cut_aggregation(&word);
	if (how == HOW_HIST && spec->linear.step && !strncmp(word, "lat:", 4)) {
		word += 4;
		how = HOW_LATENCY;
	}
	spec->is_latency = how == HOW_LATENCY;
	err = parse_place(&spec->place[0], &word);
	spec->places_cnt = 1;
	err = err ?: parse_value(spec, how, word);
	if (how == HOW_SUM)
		spec->aggregation = AGGREGATE_SUM;
	else if (!spec->value.kind && !spec->is_latency)
		spec->aggregation = AGGREGATE_COUNT;
	return err;
}

static int parse_end(struct probe_spec *spec, char *word)
{
	int err;

	if (!spec->is_latency || spec->places_cnt > 1 || !word) {
		refuse(-EINVAL, "'to' is between the two probes of a latency");
		suggest("lat:PROBE to PROBE");
		return -EINVAL;
	}
	err = parse_place(&spec->place[1], &word);
	spec->places_cnt = 2;
	return err ?: parse_value(spec, HOW_LATENCY, word);
}

static int parse_word(struct probe_spec *spec, char *word, char **rest)
{
	if (!strcmp(word, "to"))
		return parse_end(spec, next_word(rest));
	if (!strncmp(word, "by:", 3))
		return probe_terms_parse(spec->keys, PROBE_KEYS, &spec->keys_cnt, word + 3);
	if (!strncmp(word, "on:", 3))
		return probe_terms_parse(spec->matches, PROBE_MATCHES, &spec->matches_cnt,
					 word + 3);
	if (!strncmp(word, "if:", 3))
		return probe_filters_parse(spec->filters, &spec->filters_cnt, word + 3);
	if (probe_is_filter(word))
		return probe_filters_parse(spec->filters, &spec->filters_cnt, word);
	refuse(-EINVAL, "'%s' is no part of a SPEC", word);
	suggest("by:KEY, if:EXPR>0, on:EXPR, or 'to PROBE' after lat:PROBE");
	return -EINVAL;
}

static int check_latency(const struct probe_spec *spec)
{
	const struct probe_place *place = &spec->place[0];

	if (!spec->is_latency && spec->matches_cnt) {
		refuse(-EINVAL, "on: is for the two ends of a latency");
		suggest("lat:PROBE to PROBE on:%s", spec->matches[0].text);
		return -EINVAL;
	}
	if (!spec->is_latency || spec->places_cnt == 2)
		return 0;
	if (place->source != PROBE_UPROBE || place->offset) {
		refuse(-EINVAL, "lat: of '%s' has no end: only a function has a return",
		       place->name);
		suggest("lat:PROBE to PROBE, or lat:uprobe:BINARY:FUNCTION");
		return -EINVAL;
	}
	if (!spec->matches_cnt)
		return 0;
	refuse(-EINVAL, "on: is for two probes: a function's return belongs to its entry");
	suggest("the same without on:");
	return -EINVAL;
}

int probe_spec__parse(struct probe_spec *spec, char *text)
{
	char *rest = text, *word;
	int err;

	*spec = (struct probe_spec){0};
	join_words(text);
	word = next_word(&rest);
	if (!word)
		return refuse_place("", PROBE_SOURCES);
	err = parse_head(spec, word);
	while (!err && (word = next_word(&rest)))
		err = parse_word(spec, word, &rest);
	err = err ?: check_latency(spec);
	return err ?: probe_spec__check_terms(spec);
}
