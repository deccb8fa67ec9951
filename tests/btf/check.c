// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * usage: check [--skip KERNEL WHY]... [--header OBJECT] [--object OBJECT]... RELEASE=BTF...
 *
 * Checks what vmlinux.h (as every-type.awk makes an object of it) and BPF objects assume
 * against the BTF of kernels. Prints TAP, then what was found: "WHAT: HOW: KERNEL, KERNEL...".
 */
#include "check.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "log.h"
#include "object.h"

/* Something that was found, the same in each of these kernels. */
static struct row {
	enum finding kind;
	const char *how;
	char what[256];
	bool of_kernel[KERNELS_MAX];
} * rows;
static size_t row_cnt;
static int tests, wrong, wrong_before;

bool release_parse(const char *text, unsigned int *release)
{
	char *end;
	unsigned long major = strtoul(text, &end, 10), minor;

	if (end == text || *end != '.')
		return false;
	text = end + 1;
	minor = strtoul(text, &end, 10);
	*release = RELEASE(major, minor);
	return end != text && (!*end || strchr(".-+", *end));
}

static struct row *row_of(enum finding kind, const char *how, const char *what)
{
	struct row *grown;

	for (size_t i = 0; i < row_cnt; i++) {
		if (rows[i].kind == kind && !strcmp(rows[i].how, how) &&
		    !strcmp(rows[i].what, what))
			return &rows[i];
	}
	grown = realloc(rows, (row_cnt + 1) * sizeof(*rows));
	if (!grown)
		return NULL;
	rows = grown;
	rows[row_cnt] = (struct row){.kind = kind, .how = how};
	snprintf(rows[row_cnt].what, sizeof(rows->what), "%s", what);
	return &rows[row_cnt++];
}

void finding(enum finding kind, int kernel, const char *how, const char *what, ...)
{
	struct row *row;
	char text[256];
	va_list args;

	va_start(args, what);
	vsnprintf(text, sizeof(text), what, args);
	va_end(args);
	wrong += kind == FINDING_WRONG;
	row = row_of(kind, how, text);
	if (row && kernel >= 0)
		row->of_kernel[kernel] = true;
}

static void say_rows(const struct kernels *kernels, enum finding kind)
{
	for (size_t i = 0; i < row_cnt; i++) {
		const char *separator = ": ";

		if (rows[i].kind != kind)
			continue;
		printf("# %s: %s", rows[i].what, rows[i].how);
		for (int k = 0; k < kernels->cnt; k++) {
			if (!rows[i].of_kernel[k])
				continue;
			printf("%s%s", separator, kernels->kernel[k].name);
			separator = ", ";
		}
		putchar('\n');
	}
}

void test_end(const char *what, ...)
{
	va_list args;

	printf("%sok %d - ", wrong > wrong_before ? "not " : "", ++tests);
	va_start(args, what);
	vprintf(what, args);
	va_end(args);
	putchar('\n');
	wrong_before = wrong;
}

void test_skip(const char *what, const char *why)
{
	printf("ok %d - %s # SKIP %s\n", ++tests, what, why);
}

static int check_object_against(const struct object *o, const struct kernels *kernels, int kernel)
{
	static const struct {
		const char *what;
		int (*check)(const struct object *o, const struct kernels *kernels, int kernel);
	} checks[] = {
		{"relocations", object__check_relocations},
		{"targets", object__check_targets},
		{"helper calls", object__check_helpers},
		{"kfuncs", object__check_kfuncs},
	};
	size_t len = 0;
	char text[256];

	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		int cnt = checks[i].check(o, kernels, kernel);

		if (cnt < 0)
			return cnt;
		len += snprintf(text + len, sizeof(text) - len, "%s%d %s", i ? ", " : "", cnt,
				checks[i].what);
	}
	test_end("%s against %s: %s", o->name, kernels->kernel[kernel].name, text);
	return 0;
}

int check_object(const char *path, const struct kernels *kernels)
{
	const char *slash = strrchr(path, '/');
	struct object o = {.path = path, .name = slash ? slash + 1 : path};
	int err = 0;

	o.btf = btf__parse(path, &o.ext);
	if (libbpf_get_error(o.btf))
		return fail(-errno, "failed to read the BTF of '%s'", path);
	o.obj = bpf_object__open_file(path, NULL);
	if (libbpf_get_error(o.obj))
		err = fail(-errno, "failed to open '%s'", path);
	else if (object__read_questions(&o) < 0)
		err = -EINVAL;
	for (int i = 0; !err && i < kernels->cnt; i++)
		err = check_object_against(&o, kernels, i);
	bpf_object__close(libbpf_get_error(o.obj) ? NULL : o.obj);
	btf_ext__free(o.ext);
	btf__free(o.btf);
	return err;
}

static int add_kernel(struct kernels *kernels, char *arg)
{
	struct kernel *k = &kernels->kernel[kernels->cnt];
	char *path = strchr(arg, '=');

	if (!path)
		return refuse(-EINVAL, "'%s' is not RELEASE=BTF", arg);
	*path++ = '\0';
	if (kernels->cnt == KERNELS_MAX)
		return refuse(-E2BIG, "more than %d kernels", KERNELS_MAX);
	if (!release_parse(arg, &k->release))
		return refuse(-EINVAL, "'%s' is not a kernel's release", arg);
	k->name = arg;
	k->btf = btf__parse(path, NULL);
	if (libbpf_get_error(k->btf))
		return fail(-errno, "failed to read BTF from '%s'", path);
	kernels->cnt++;
	return 0;
}

static const struct option options[] = {
	{"skip", required_argument, NULL, 's'},
	{"header", required_argument, NULL, 'h'},
	{"object", required_argument, NULL, 'o'},
	{},
};

/* In two passes over the arguments, as kernels come last. */
static int run(int argc, char **argv, const struct kernels *kernels)
{
	int opt, err = 0;

	optind = 1;
	while (!err && (opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (opt == 's')
			test_skip(optarg, argv[optind++]);
		else if (kernels->cnt && opt == 'h')
			err = check_header(optarg, kernels);
		else if (kernels->cnt && opt == 'o')
			err = check_object(optarg, kernels);
	}
	return err;
}

static bool parse_options(int argc, char **argv)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (opt == '?' || (opt == 's' && optind++ >= argc))
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct kernels kernels = {};
	int err = 0;

	log_init("check");
	libbpf_set_print(NULL);
	if (!parse_options(argc, argv))
		return refuse(-EINVAL, "usage: see the head of check.c") ? 2 : 0;
	for (int i = optind; !err && i < argc; i++)
		err = add_kernel(&kernels, argv[i]);
	if (!err)
		err = run(argc, argv, &kernels);
	say_rows(&kernels, FINDING_WRONG);
	say_rows(&kernels, FINDING_NOTE);
	printf("# %d kernels, %zu findings, %d of them wrong\n1..%d\n", kernels.cnt, row_cnt, wrong,
	       tests);
	for (int i = 0; i < kernels.cnt; i++)
		btf__free(kernels.kernel[i].btf);
	free(rows);
	if (err)
		return 2;
	return wrong ? 1 : 0;
}
