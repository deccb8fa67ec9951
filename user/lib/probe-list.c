// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "probe-list.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "binaries.h"
#include "elf-probes.h"
#include "elf-symbols.h"
#include "escape.h"
#include "kernel.h"
#include "log.h"
#include "raw-events.h"
#include "trace-format.h"
#include "tracefs.h"

struct listing {
	const char *pattern;
	const char *name; /* of the binary, as the user gave it */
	const char *group;
	size_t cnt;
};

/* Names in a file are its author's. */
static void print_name(const char *name, size_t len)
{
	char text[1024];

	escape(text, sizeof(text), name, len, ESCAPE_TERMINAL);
	fputs(text, stdout);
}

static bool matches(const struct listing *l, const char *name)
{
	return !l->pattern || !fnmatch(l->pattern, name, 0);
}

/* "arg0 int64, arg1 uint32": a note says how many bytes each has, below 0 if it has a sign. */
static void print_arguments(const char *args)
{
	for (int i = 0; args && *args; i++) {
		long size = strtol(args, NULL, 10);

		printf("%s arg%d %sint%ld", i ? "," : " ", i, size < 0 ? "" : "u", labs(size) * 8);
		args += strcspn(args, " ");
		args += strspn(args, " ");
	}
}

static int compare_probes(const void *a, const void *b)
{
	const struct elf_probe *x = a, *y = b;
	int order = strcmp(x->provider, y->provider);

	return order ?: strcmp(x->name, y->name);
}

static void print_probe(struct listing *l, const struct elf_probe *probe, size_t sites)
{
	printf("usdt:%s:", l->name);
	print_name(probe->provider, strlen(probe->provider));
	putchar(':');
	print_name(probe->name, strlen(probe->name));
	if (probe->args)
		print_arguments(probe->args);
	else
		printf(" arguments that cannot be read");
	printf(" (%zu site%s%s)\n", sites, sites > 1 ? "s" : "",
	       probe->semaphore ? ", semaphore" : "");
	l->cnt++;
}

/* Probes of one name are next to each other once sorted. */
static void list_probes(struct listing *l, struct elf_probes *elf)
{
	size_t sites;

	qsort(elf->list, elf->cnt, sizeof(*elf->list), compare_probes);
	for (size_t i = 0; i < elf->cnt; i += sites) {
		const struct elf_probe *probe = &elf->list[i];

		sites = 1;
		while (i + sites < elf->cnt && !compare_probes(probe, &elf->list[i + sites]))
			sites++;
		if (matches(l, probe->name))
			print_probe(l, probe, sites);
	}
}

static int list_functions(struct listing *l, int fd)
{
	struct elf_symbols symbols = {0};
	struct elf_symbol *list = NULL;
	ssize_t cnt;
	int err = elf_symbols__read(&symbols, fd, ELF_DEBUG_DIR);

	cnt = err ? err : elf_symbols__match(&symbols, l->pattern ?: "*", &list);
	for (ssize_t i = 0; i < cnt; i++) {
		printf("uprobe:%s:", l->name);
		print_name(list[i].name, list[i].name_len);
		if (list[i].version && list[i].is_old) {
			putchar('@');
			print_name(list[i].version, strlen(list[i].version));
		}
		puts(list[i].is_ifunc ? " (chooses a function when loaded)" : "");
		l->cnt++;
	}
	free(list);
	elf_symbols__free(&symbols);
	return cnt < 0 ? cnt : 0;
}

static int list_binary(const struct binary *binary, const char *label, void *arg)
{
	struct listing *l = arg;
	struct elf_probes elf = {0};
	int fd = open(binary->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err;

	if (fd < 0)
		return fail(-errno, "failed to open '%s'", label);
	l->name = label;
	/* A file of 32 bits has functions, but no probes that can be read. */
	err = elf_probes__read(&elf, fd);
	if (!err)
		list_probes(l, &elf);
	err = list_functions(l, fd);
	elf_probes__free(&elf);
	close(fd);
	if (err == -ENOEXEC)
		return refuse(err, "'%s' is no program and no library", label);
	return err ? fail(err, "failed to read '%s'", label) : 0;
}

static int list_tracepoint(const char *group, const char *event, void *arg)
{
	struct listing *l = arg;
	struct trace_format format = {0};

	if (fnmatch(l->group, group, 0) || !matches(l, event))
		return 0;
	printf("tp:%s:%s\n", group, event);
	l->cnt++;
	if (!trace_format_of_event(&format, group, event)) {
		for (size_t i = 0; i < format.cnt; i++) {
			if (!format.fields[i].is_common)
				printf("    %-24s %s\n", format.fields[i].name,
				       format.fields[i].type);
		}
	}
	trace_format__free(&format);
	return 0;
}

static int list_tracepoints(struct listing *l, const char *what)
{
	const char *colon = strchr(what, ':');
	char *group = colon ? strndup(what, colon - what) : strdup(what);
	int err;

	if (!group)
		return fail(-ENOMEM, "failed to list the tracepoints");
	l->group = group;
	l->pattern = colon ? colon + 1 : "*";
	err = tracefs_each_event(list_tracepoint, l);
	free(group);
	return err ? fail(err, "failed to list the tracepoints") : 0;
}

static int list_raw(const struct raw_event *event, void *arg)
{
	struct listing *l = arg;

	printf("rawtp:%s\n", event->name);
	for (size_t i = 0; i < event->cnt; i++)
		printf("    arg%-2zu %-24s %s\n", i, event->args[i].name ?: "-",
		       event->args[i].type);
	l->cnt++;
	return 0;
}

static int list_raw_tracepoints(struct listing *l, const char *what)
{
	struct btf *btf = kernel_btf();
	int err;

	if (!btf) {
		refuse(-EOPNOTSUPP, "this kernel does not say which raw tracepoints it has");
		why("it has no BTF ('" KERNEL_BTF_PATH "')");
		suggest("--btf FILE, or -l tp:*");
		return -EOPNOTSUPP;
	}
	l->pattern = what;
	err = raw_events_each(btf, what, list_raw, l);
	return err ? fail(err, "failed to list the raw tracepoints") : 0;
}

int probe_list(const char *what, const char *pattern, const struct target *target)
{
	struct listing l = {.pattern = pattern};
	int err;

	if (!strncmp(what, "tp:", 3))
		err = list_tracepoints(&l, what + 3);
	else if (!strncmp(what, "rawtp:", 6))
		err = list_raw_tracepoints(&l, what + 6);
	else
		err = binaries_each(what, target, list_binary, &l);
	if (err || l.cnt)
		return err;
	refuse(-ENOENT, "nothing in '%s' matches '%s'", what, l.pattern ?: "*");
	suggest("probehist -l %s '*WORD*'", what);
	return -ENOENT;
}
