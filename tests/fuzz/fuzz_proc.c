/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files of /proc, parts of which a process chooses, and of tracefs. The first byte says which. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "fuzz.h"
#include "maps.h"
#include "proc-text.h"
#include "trace-format.h"

static void check_status(struct fuzz_input *in)
{
	char *text = fuzz_text(in);
	struct proc_status status;

	proc_parse_status(text, &status);
	FUZZ_CHECK(status.tgid >= 0 && status.threads >= 0);
	free(text);
}

/* The name must not change what the fields after it say. */
static void check_stat(struct fuzz_input *in)
{
	char *name = fuzz_text(in), *text = NULL;
	struct proc_stat stat = {0};

	proc_parse_stat(name, &stat);
	FUZZ_CHECK(asprintf(&text, "7 (%s) S 42 7 7 0 -1 2129984 1 2 3", name) > 0);
	FUZZ_CHECK(!proc_parse_stat(text, &stat));
	FUZZ_CHECK(stat.parent == 42 && stat.flags == 2129984);
	free(text);
	free(name);
}

static void check_comm(struct fuzz_input *in)
{
	char *text = fuzz_copy(in), comm[16];
	size_t len = strnlen(text, in->size);

	proc_parse_comm(text, in->size, comm, sizeof(comm));
	FUZZ_CHECK(strlen(comm) < sizeof(comm));
	if (in->size > 1)
		FUZZ_CHECK(!strncmp(comm, text, strlen(comm)) && strlen(comm) <= len);
	free(text);
}

static void check_numbers(struct fuzz_input *in)
{
	char *text = fuzz_text(in);
	long nr = proc_parse_syscall(text);
	pid_t pid = proc_parse_pid(text);

	FUZZ_CHECK(nr >= 0 || nr == -EAGAIN);
	FUZZ_CHECK(pid >= 0);
	if (pid)
		FUZZ_CHECK(!text[strspn(text, "0123456789")] && pid == nr);
	free(text);
}

static void check_maps(struct fuzz_input *in)
{
	FILE *text = fuzz_stream(in);
	struct maps maps;

	FUZZ_CHECK(!maps_read(&maps, text));
	for (size_t i = 0; i < maps.cnt; i++) {
		const struct mapping *m = &maps.map[i];

		FUZZ_CHECK(m->start < m->end && m->inode && m->path[0] == '/');
		FUZZ_CHECK(maps__find(&maps, m->path));
		FUZZ_CHECK(maps__find(&maps, strrchr(m->path, '/') + 1));
	}
	FUZZ_CHECK(!maps__find(&maps, "no/such/path"));
	maps__find(&maps, "libssl");
	maps__find(&maps, "");
	maps__free(&maps);
	fclose(text);
}

static void check_cgroup(struct fuzz_input *in)
{
	FILE *file = fuzz_stream(in);
	char path[32] = "", *text = fuzz_text(in);
	struct cgroup_mount mount;

	if (cgroup_parse(file, path, sizeof(path)))
		FUZZ_CHECK(!strchr(path, '\n') && strcmp(path, "/"));
	if (cgroup_parse_mount(text, &mount))
		FUZZ_CHECK(mount.root[0] && mount.dir[0] && !strpbrk(mount.dir, " \n"));
	free(text);
	fclose(file);
}

static void check_format(struct fuzz_input *in)
{
	char *text = fuzz_text(in);
	struct trace_format f;
	int err = trace_format_parse(&f, text);

	FUZZ_CHECK(!err || err == -EBADMSG);
	for (size_t i = 0; i < f.cnt; i++) {
		const struct trace_field *field = &f.fields[i];

		FUZZ_CHECK(*field->name && *field->type);
		FUZZ_CHECK(!strcmp(trace_format__find(&f, field->name)->name, field->name));
		FUZZ_CHECK(field->offset <= 0xffff && field->size <= 0xffff);
		if (field->kind == TRACE_NUMBER || field->kind == TRACE_POINTER)
			FUZZ_CHECK(field->size && !(field->size & (field->size - 1)) &&
				   field->size <= 8);
	}
	trace_format__refuse(&f, "group", "event", text);
	trace_format__free(&f);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const checks[])(struct fuzz_input *) = {
		check_status, check_stat,   check_comm,   check_numbers,
		check_maps,   check_cgroup, check_format,
	};
	struct fuzz_input in = {data, size};
	/* Letters, so that a seed is a text that one can read. */
	size_t which = fuzz_byte(&in) - 'a';

	if (which < sizeof(checks) / sizeof(checks[0]))
		checks[which](&in);
	return 0;
}
