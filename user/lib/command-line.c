/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a user types as a command: its words, where the first one is, and why it cannot run. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "log.h"
#include "process.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static const char *skip_blanks(const char *in)
{
	for (;;) {
		if (is_blank(*in))
			in++;
		else if (in[0] == '\\' && in[1] == '\n')
			in += 2;
		else
			return in;
	}
}

/*
 * The copy functions take what follows the character that chose them, and return what
 * follows the quoted part, or NULL if the line ends before it does.
 */
static const char *copy_single(const char *in, char **out)
{
	for (; *in != '\''; in++) {
		if (!*in)
			return NULL;
		*(*out)++ = *in;
	}
	return in + 1;
}

static const char *copy_escaped(const char *in, char **out)
{
	if (!*in)
		return NULL;
	if (*in != '\n')
		*(*out)++ = *in;
	return in + 1;
}

static const char *copy_double(const char *in, char **out)
{
	while (*in != '"') {
		if (!*in)
			return NULL;
		if (in[0] == '\\' && in[1] && strchr("$`\"\\\n", in[1]))
			in = copy_escaped(in + 1, out);
		else
			*(*out)++ = *in++;
	}
	return in + 1;
}

/* *last: where the last quote or backslash stands, for the message about it. */
static const char *copy_word(const char *in, char **out, const char **last)
{
	while (in && *in && !is_blank(*in)) {
		*last = in;
		if (*in == '\'')
			in = copy_single(in + 1, out);
		else if (*in == '"')
			in = copy_double(in + 1, out);
		else if (*in == '\\')
			in = copy_escaped(in + 1, out);
		else
			*(*out)++ = *in++;
	}
	*(*out)++ = '\0';
	return in;
}

static int refuse_open(const char *line, const char *open)
{
	if (*open == '\\')
		return refuse(-EINVAL, "nothing follows the last backslash of: %s", line);
	return refuse(-EINVAL, "no closing %c for: %s", *open, open);
}

int command_split(const char *line, char ***argv)
{
	/* Words need a blank between them, and the text never grows. */
	size_t len = strlen(line), max_words = len / 2 + 1, n = 0;
	const char *in = skip_blanks(line), *open = in;
	char **words = calloc(1, (max_words + 1) * sizeof(*words) + len + 1);
	char *out;

	*argv = NULL;
	if (!words)
		return fail(-ENOMEM, "failed to split the command line");
	out = (char *)(words + max_words + 1);
	while (in && *in) {
		words[n++] = out;
		in = copy_word(in, &out, &open);
		if (in)
			in = skip_blanks(in);
	}
	if (in && n) {
		*argv = words;
		return 0;
	}
	free(words);
	return in ? refuse(-EINVAL, "the command line is empty") : refuse_open(line, open);
}

/* -EACCES only if a file is there: a directory of PATH that is closed to us proves nothing. */
static int check_executable(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return -ENOENT;
	if (!S_ISREG(st.st_mode) || faccessat(AT_FDCWD, path, X_OK, AT_EACCESS))
		return -EACCES;
	return 0;
}

static int try_path(char **path, const char *dir, size_t dir_len, const char *name)
{
	int err;

	/* An empty element of PATH is the current directory. */
	if (asprintf(path, "%.*s/%s", dir_len ? (int)dir_len : 1, dir_len ? dir : ".", name) < 0)
		err = -ENOMEM;
	else
		err = check_executable(*path);
	if (!err)
		return 0;
	if (err != -ENOMEM)
		free(*path);
	*path = NULL;
	return err;
}

int command_find(const char *name, char **path)
{
	const char *dir = getenv("PATH");
	int ret = -ENOENT, err;
	size_t len;

	*path = NULL;
	if (!*name)
		return -ENOENT;
	if (strchr(name, '/')) {
		err = check_executable(name);
		*path = err ? NULL : strdup(name);
		return err || *path ? err : -ENOMEM;
	}
	for (dir = dir ? dir : "/bin:/usr/bin"; dir; dir = dir[len] ? dir + len + 1 : NULL) {
		len = strcspn(dir, ":");
		err = try_path(path, dir, len, name);
		if (!err || err == -ENOMEM)
			return err;
		if (err == -EACCES)
			ret = -EACCES;
	}
	return ret;
}

bool command_interpreter(FILE *script, char interpreter[COMMAND_INTERPRETER])
{
	char line[COMMAND_INTERPRETER] = "";
	const char *start;

	if (!fgets(line, sizeof(line), script))
		line[0] = '\0';
	if (strncmp(line, "#!", 2))
		return false;
	start = line + 2 + strspn(line + 2, " \t");
	snprintf(interpreter, COMMAND_INTERPRETER, "%.*s", (int)strcspn(start, " \t\n"), start);
	return true;
}

static bool read_interpreter(const char *path, char interpreter[COMMAND_INTERPRETER])
{
	FILE *script = fopen(path, "re");
	bool found = script && command_interpreter(script, interpreter);

	if (script)
		fclose(script);
	return found;
}

static int report_not_found(const char *name)
{
	refuse(-ENOENT, "command not found: '%s'", name);
	if (strpbrk(name, " \t"))
		suggest("-c with the whole command line, or -- with separate words");
	else if (strchr(name, '/'))
		why("no such file");
	else if (*name && !access(name, X_OK))
		suggest("./%s", name);
	else
		suggest("give a path, or -- CMD ARGS");
	return COMMAND_NOT_FOUND;
}

/* exec says ENOENT, too, of a file that is there but needs another that is not. */
static void report_missing_interpreter(const char *name, const char *path)
{
	char interpreter[COMMAND_INTERPRETER];

	if (file_elf_class(path) > 0)
		refuse(-ENOENT, "cannot execute '%s': its dynamic loader is missing", name);
	else if (read_interpreter(path, interpreter) && access(interpreter, F_OK))
		refuse(-ENOENT, "cannot execute '%s': its interpreter '#!%s' is missing", name,
		       interpreter);
	else
		fail(-ENOENT, "cannot execute '%s'", name);
}

static void report_denied(const char *name)
{
	struct stat st;
	bool known = strchr(name, '/') && !stat(name, &st);

	if (known && S_ISDIR(st.st_mode)) {
		refuse(-EACCES, "cannot execute '%s': it is a directory", name);
		return;
	}
	refuse(-EACCES, "cannot execute '%s': permission denied", name);
	if (known && S_ISREG(st.st_mode) && !(st.st_mode & 0111))
		suggest("chmod +x '%s'", name);
}

int command_explain(const char *name, int err)
{
	char *path;

	/* A search that failed for another user might succeed for us. */
	if (err == -ENOENT || (err == ENOENT && command_find(name, &path)))
		return report_not_found(name);
	if (err == ENOENT) {
		report_missing_interpreter(name, path);
		free(path);
	} else if (abs(err) == EACCES) {
		report_denied(name);
	} else {
		fail(-abs(err), "cannot execute '%s'", name);
	}
	return COMMAND_CANNOT_EXEC;
}
