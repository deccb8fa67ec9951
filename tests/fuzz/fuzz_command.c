/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What -c takes, and what the first line of a script can be. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "fuzz.h"

/* Each word in single quotes, and its own ones as '\''. */
static char *quote(char *const argv[])
{
	char *line = NULL;
	size_t size;
	FILE *out = open_memstream(&line, &size);

	for (; *argv; argv++) {
		fputs(" '", out);
		for (const char *at = *argv; *at; at++)
			fputs(*at == '\'' ? "'\\''" : (const char[]){*at, '\0'}, out);
		fputc('\'', out);
	}
	fclose(out);
	return line;
}

static void check_same(char *const argv[])
{
	char *line = quote(argv), **again;

	FUZZ_CHECK(!command_split(line, &again));
	for (size_t i = 0; argv[i] || again[i]; i++)
		FUZZ_CHECK(argv[i] && again[i] && !strcmp(argv[i], again[i]));
	free(again);
	free(line);
}

/* Without anything to interpret, words are what stands between blanks. */
static void check_plain(const char *line, char *const argv[])
{
	static const char blanks[] = " \t\n";

	for (line += strspn(line, blanks); *line; line += strspn(line, blanks)) {
		size_t len = strcspn(line, blanks);

		FUZZ_CHECK(*argv && strlen(*argv) == len && !memcmp(*argv, line, len));
		line += len;
		argv++;
	}
	FUZZ_CHECK(!*argv);
}

static void check_line(const char *line)
{
	char **argv = (char **)line;
	int err = command_split(line, &argv);
	size_t len = 0;

	FUZZ_CHECK(err == 0 || err == -EINVAL);
	FUZZ_CHECK(!err == !!argv);
	if (err)
		return;
	FUZZ_CHECK(argv[0]);
	for (size_t i = 0; argv[i]; i++)
		len += strlen(argv[i]) + (i > 0);
	FUZZ_CHECK(len <= strlen(line));
	if (!strpbrk(line, "'\"\\"))
		check_plain(line, argv);
	check_same(argv);
	free(argv);
}

static void check_script(FILE *script)
{
	char interpreter[COMMAND_INTERPRETER] = "x";

	if (command_interpreter(script, interpreter))
		FUZZ_CHECK(!strpbrk(interpreter, " \t\n"));
	else
		FUZZ_CHECK(!strcmp(interpreter, "x"));
	FUZZ_CHECK(strlen(interpreter) < COMMAND_INTERPRETER);
	fclose(script);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	char *line = fuzz_text(&in);

	check_line(line);
	check_script(fuzz_stream(&in));
	free(line);
	return 0;
}
