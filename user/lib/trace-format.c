/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "trace-format.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "log.h"
#include "nearest.h"
#include "tracefs.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define FIELD      "field:"
#define OFFSET_MAX 0xffff /* of a record, of which it is a part */

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

/* "LABEL:12;": what follows it in *text. */
static int take_number(const char **text, const char *label, unsigned int *number)
{
	const char *at = *text + strspn(*text, " \t");
	unsigned long value;
	char *end;

	if (!starts_with(at, label) || !isdigit((unsigned char)at[strlen(label)]))
		return -EBADMSG;
	value = strtoul(at + strlen(label), &end, 10);
	if (*end != ';' || value > OFFSET_MAX)
		return -EBADMSG;
	*number = value;
	*text = end + 1;
	return 0;
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* "char comm[16]" is the name "comm" and the type "char[16]". False if there is no name. */
static bool split_declaration(struct trace_field *field, const char *text, size_t len)
{
	size_t end = len, start, type;

	while (end && text[end - 1] == ']') {
		while (end && text[end - 1] != '[')
			end--;
		end -= end > 0;
	}
	for (start = end; start && is_name(text[start - 1]); start--)
		;
	for (type = start; type && text[type - 1] == ' '; type--)
		;
	if (start == end || !type || end - start >= sizeof(field->name))
		return false;
	snprintf(field->name, sizeof(field->name), "%.*s", (int)(end - start), text + start);
	snprintf(field->type, sizeof(field->type), "%.*s%.*s", (int)type, text, (int)(len - end),
		 text + end);
	return true;
}

/*
 * Arguments of system calls are said to be longs without a sign; what the call has of an
 * argument is less.
 */
static void narrow(struct trace_field *field)
{
	static const struct {
		const char *type;
		unsigned int size;
		bool is_signed;
	} types[] = {
		{"int", 4, true},           {"long", 8, true},      {"pid_t", 4, true},
		{"off_t", 8, true},         {"loff_t", 8, true},    {"ssize_t", 8, true},
		{"clockid_t", 4, true},     {"timer_t", 4, true},   {"key_serial_t", 4, true},
		{"unsigned int", 4, false}, {"unsigned", 4, false}, {"u32", 4, false},
		{"__u32", 4, false},        {"uid_t", 4, false},    {"gid_t", 4, false},
		{"umode_t", 2, false},
	};
	const char *type = field->type + (starts_with(field->type, "const ") ? 6 : 0);

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (strcmp(type, types[i].type))
			continue;
		field->size = types[i].size;
		field->is_signed = types[i].is_signed;
		return;
	}
}

static bool is_number_size(unsigned int size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

static enum trace_field_kind kind_of(const struct trace_field *field)
{
	const char *type = field->type, *bracket = strchr(type, '[');
	size_t len = bracket ? (size_t)(bracket - type) : strlen(type);

	if (!strcmp(type, "__data_loc char[]") && field->size == 4)
		return TRACE_DATA_LOC;
	if (!strcmp(type, "__rel_loc char[]") && field->size == 4)
		return TRACE_REL_LOC;
	if (bracket && field->size &&
	    ((len == 4 && starts_with(type, "char")) ||
	     (len == 10 && starts_with(type, "const char"))))
		return TRACE_CHARS;
	if (bracket || !is_number_size(field->size) || starts_with(type, "__data_loc") ||
	    starts_with(type, "__rel_loc"))
		return TRACE_OTHER;
	if (strchr(type, '*'))
		return TRACE_POINTER;
	return starts_with(type, "struct ") || starts_with(type, "union ") ? TRACE_OTHER
									   : TRACE_NUMBER;
}

/* What follows "field:" in a line. Returns 1, 0 if it is left out, or an error. */
static int parse_field(struct trace_field *field, const char *line)
{
	const char *end = strchr(line, ';'), *rest = end ? end + 1 : "";
	unsigned int is_signed = 0;
	int err;

	*field = (struct trace_field){0};
	if (!end || !split_declaration(field, line, end - line))
		return 0;
	err = take_number(&rest, "offset:", &field->offset);
	err = err ?: take_number(&rest, "size:", &field->size);
	if (err)
		return err;
	take_number(&rest, "signed:", &is_signed);
	field->is_signed = is_signed;
	field->is_common = starts_with(field->name, "common_");
	field->kind = kind_of(field);
	if (field->kind == TRACE_NUMBER && field->size == 8 && !field->is_signed)
		narrow(field);
	return 1;
}

static size_t count_lines(const char *text)
{
	size_t cnt = 1;

	for (; *text; text++)
		cnt += *text == '\n';
	return cnt;
}

int trace_format_parse(struct trace_format *f, const char *text)
{
	char *copy = strdup(text), *rest = copy, *line;
	int found = 0;

	*f = (struct trace_format){0};
	f->fields = calloc(count_lines(text), sizeof(*f->fields));
	if (!copy || !f->fields)
		found = -ENOMEM;
	while (found >= 0 && (line = strsep(&rest, "\n"))) {
		line += strspn(line, " \t");
		if (starts_with(line, "ID:"))
			f->id = strtol(line + strlen("ID:"), NULL, 10);
		if (!starts_with(line, FIELD))
			continue;
		found = parse_field(&f->fields[f->cnt], line + strlen(FIELD));
		f->cnt += found > 0;
	}
	free(copy);
	return found < 0 ? found : 0;
}

int trace_format_of_event(struct trace_format *f, const char *group, const char *event)
{
	char *text;
	int err = tracefs_read_format(group, event, &text);

	*f = (struct trace_format){0};
	err = err ?: trace_format_parse(f, text);
	free(text);
	return err;
}

void trace_format__free(struct trace_format *f)
{
	free(f->fields);
	*f = (struct trace_format){0};
}

const struct trace_field *trace_format__find(const struct trace_format *f, const char *name)
{
	for (size_t i = 0; i < f->cnt; i++) {
		if (!strcmp(f->fields[i].name, name))
			return &f->fields[i];
	}
	return NULL;
}

bool trace_format__element(const struct trace_format *f, const char *text,
			   struct trace_field *element)
{
	const char *bracket = strchr(text, '['), *dimension;
	unsigned long nr, cnt;
	char *end;

	for (size_t i = 0; bracket && i < f->cnt; i++) {
		const struct trace_field *field = &f->fields[i];
		size_t len = strlen(field->name);

		if (len != (size_t)(bracket - text) || strncmp(field->name, text, len))
			continue;
		dimension = strchr(field->type, '[');
		cnt = dimension ? strtoul(dimension + 1, &end, 10) : 0;
		if (!cnt || strcmp(end, "]") || field->size % cnt || field->is_common)
			return false;
		nr = strtoul(bracket + 1, &end, 10);
		if (!isdigit((unsigned char)bracket[1]) || strcmp(end, "]") || nr >= cnt)
			return false;
		*element = *field;
		element->type[dimension - field->type] = '\0';
		element->size = field->size / cnt;
		element->offset += nr * element->size;
		element->kind = kind_of(element);
		return true;
	}
	return false;
}

int trace_format__refuse(const struct trace_format *f, const char *group, const char *event,
			 const char *name)
{
	char text[NEAREST_TEXT], all[1024] = "";
	struct nearest nearest;
	size_t len = 0;

	nearest_init(&nearest, name);
	for (size_t i = 0; i < f->cnt; i++) {
		const struct trace_field *field = &f->fields[i];

		nearest__add(&nearest, field->name);
		if (!field->is_common && len + 1 + strlen(field->name) < sizeof(all))
			len += snprintf(all + len, sizeof(all) - len, " %s", field->name);
	}
	refuse(-ENOENT, "the tracepoint '%s:%s' has no field '%s'", group, event, name);
	why("its fields are:%s", all[0] ? all : " none");
	nearest__text(&nearest, text);
	if (text[0])
		suggest("%s", text);
	return -ENOENT;
}

/* All events, as GROUP:EVENT. */
struct names {
	char **list;
	size_t cnt;
};

static int add_name(const char *group, const char *event, void *arg)
{
	struct names *names = arg;
	char **list = reallocarray(names->list, names->cnt + 1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	names->list = list;
	if (asprintf(&names->list[names->cnt], "%s:%s", group, event) < 0)
		return -ENOMEM;
	names->cnt++;
	return 0;
}

int trace_event_refuse(const char *group, const char *event)
{
	char word[TRACE_FIELD_TYPE], text[NEAREST_TEXT];
	struct names names = {0};
	struct nearest nearest;

	snprintf(word, sizeof(word), "%s:%s", group, event);
	nearest_init(&nearest, word);
	tracefs_each_event(add_name, &names);
	for (size_t i = 0; i < names.cnt; i++)
		nearest__add(&nearest, names.list[i]);
	/* Of another group: the text behind its colon is the same. */
	for (size_t i = 0; !nearest.cnt && i < names.cnt; i++) {
		if (!strcmp(strchr(names.list[i], ':') + 1, event)) {
			nearest_init(&nearest, names.list[i]);
			nearest__add(&nearest, names.list[i]);
		}
	}
	refuse(-ENOENT, "there is no tracepoint '%s:%s'", group, event);
	nearest__text(&nearest, text);
	if (!names.cnt && kernel_is_locked_down()) {
		why("the kernel is locked down (confidentiality), which leaves tracefs empty");
		suggest("lockdown=integrity");
	} else if (text[0]) {
		suggest("%s", text);
	}
	for (size_t i = 0; i < names.cnt; i++)
		free(names.list[i]);
	free(names.list);
	return -ENOENT;
}
