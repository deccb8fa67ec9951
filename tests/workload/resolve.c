/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * usage: resolve functions FILE [DEBUG_DIR]    of each function: NAME ADDRESS OFFSET SIZE, "ifunc"
 *        resolve find FILE NAME                the same of one
 *        resolve fields                        of each tracepoint: GROUP:EVENT NAME OFFSET SIZE
 * SIGNED resolve raw EVENT EXPRESSION...       EXPRESSION KIND SIZE SIGNED SHIFT WIDTH OFFSET...
 *        resolve events PATTERN                of each raw tracepoint: NAME(TYPE ARGUMENT, ...)
 *
 * Prints what the library finds, for tests that have it from elsewhere too.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elf-symbols.h"
#include "kernel.h"
#include "log.h"
#include "raw-events.h"
#include "trace-format.h"
#include "tracefs.h"

static void print_functions(const struct elf_symbol *list, ssize_t cnt)
{
	for (ssize_t i = 0; i < cnt; i++)
		printf("%s %" PRIx64 " %" PRIx64 " %" PRIu64 "%s\n", list[i].name, list[i].addr,
		       list[i].offset, list[i].size, list[i].is_ifunc ? " ifunc" : "");
}

static int functions(const char *path, const char *name, const char *debug_dir)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct elf_symbol *list = NULL;
	struct elf_symbols s;
	ssize_t cnt;
	int err = elf_symbols__read(&s, fd, debug_dir);

	if (err)
		return fail(err, "failed to read '%s'", path);
	cnt = name ? elf_symbols__find(&s, name, &list) : elf_symbols__match(&s, "*", &list);
	if (!cnt)
		elf_symbols__refuse(&s, path, name ?: "");
	print_functions(list, cnt);
	free(list);
	elf_symbols__free(&s);
	return cnt > 0 ? 0 : -1;
}

static int print_fields(const char *group, const char *event, void *arg)
{
	struct trace_format f;
	int err = trace_format_of_event(&f, group, event);

	(void)arg;
	/* Events of ftrace's own have no format. */
	for (size_t i = 0; !err && i < f.cnt; i++)
		printf("%s:%s %s %u %u %d\n", group, event, f.fields[i].name, f.fields[i].offset,
		       f.fields[i].size, f.fields[i].is_signed);
	trace_format__free(&f);
	return 0;
}

static int raw(const char *name, char **expressions)
{
	static const char *const kinds[] = {"number", "pointer", "string"};
	struct raw_event event;
	struct raw_value v;
	int err = raw_event_find(&event, kernel_btf(), name);

	for (; !err && *expressions; expressions++) {
		err = raw_event__resolve(&event, *expressions, &v);
		if (err)
			break;
		printf("%s %s %u %d %u %u", *expressions, kinds[v.kind], v.size, v.is_signed,
		       v.shift, v.width);
		for (unsigned int i = 0; i < v.steps_cnt; i++)
			printf(" %u", v.steps[i]);
		printf("\n");
	}
	return err;
}

static int print_event(const struct raw_event *event, void *arg)
{
	(void)arg;
	printf("%s(", event->name);
	for (size_t i = 0; i < event->cnt; i++)
		printf("%s%s %s", i ? ", " : "", event->args[i].type, event->args[i].name ?: "?");
	printf(")\n");
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int err = -2;

	log_init("resolve");
	if (!strcmp(what, "functions") && argc > 2)
		err = functions(argv[2], NULL, argc > 3 ? argv[3] : NULL);
	else if (!strcmp(what, "find") && argc == 4)
		err = functions(argv[2], argv[3], NULL);
	else if (!strcmp(what, "fields"))
		err = tracefs_each_event(print_fields, NULL);
	else if (!strcmp(what, "raw") && argc > 3)
		err = raw(argv[2], argv + 3);
	else if (!strcmp(what, "events") && argc == 3)
		err = raw_events_each(kernel_btf(), argv[2], print_event, NULL);
	else
		refuse(-1, "usage: resolve functions|find|fields|raw|events ...");
	return err ? 1 : 0;
}
