/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "elf-args.h"

#include <stddef.h>
#include <string.h>

/*
 * What follows "SIZE@": r is a register (what %15[a-z0-9] takes), n a number, a blank as many
 * blanks as there are, all else itself.
 */
static const char *const forms[] = {
	/* x86 */
	"%r",
	"$n",
	"(%r)",
	"n(%r)",
	"(%r,%r)",
	"n(%r,%r)",
	"(%r,%r,n)",
	"n(%r,%r,n)",
	/* arm64; its constants are plain numbers */
	"r",
	"n",
	"[r]",
	"[r, n]",
};

static const char *match_span(const char *text, const char *of, size_t max)
{
	size_t len = strspn(text, of);

	return len && len <= max ? text + len : NULL;
}

static const char *match_number(const char *text, size_t digits)
{
	return match_span(text + (*text == '-'), "0123456789", digits);
}

/* Each returns what follows in the text, or NULL. */
static const char *match_form(const char *text, const char *form)
{
	for (; text && *form; form++) {
		if (*form == 'r')
			text = match_span(text, "abcdefghijklmnopqrstuvwxyz0123456789", 15);
		else if (*form == 'n')
			text = match_number(text, 18);
		else if (*form == ' ')
			text += strspn(text, " ");
		else
			text = *text == *form ? text + 1 : NULL;
	}
	return text && (!*text || *text == ' ') ? text : NULL;
}

static const char *match_argument(const char *text)
{
	const char *rest = NULL;

	text = match_number(text, 2);
	if (!text || *text != '@')
		return NULL;
	for (size_t i = 0; !rest && i < sizeof(forms) / sizeof(forms[0]); i++)
		rest = match_form(text + 1, forms[i]);
	return rest;
}

bool elf_args_are_readable(const char *args)
{
	if (*args == ':') /* for libbpf the same as none */
		return true;
	for (args += strspn(args, " "); *args; args += strspn(args, " ")) {
		args = match_argument(args);
		if (!args)
			return false;
	}
	return true;
}
