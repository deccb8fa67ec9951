// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tls-options.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "options.h"

struct tls_options tls_options;

enum key {
	KEY_HANDSHAKE = 0x300,
	KEY_HEXDUMP,
	KEY_NO_DATA,
	KEY_MAX_BYTES,
	KEY_SUMMARY,
	KEY_BY,
	KEY_PRELOAD,
	KEY_LIB,
	KEY_LIST_LIBS,
	KEY_UID,
	KEY_PORT,
	KEY_MATCH,
	KEY_BUDGET,
};

/* Several options of a line each would make the help too long to be read. */
static const struct argp_option options[] = {
	{NULL, 'a', NULL, 0, "columns: descriptor, ends; -l: time, ms; -x: UID, TID", 1},
	{NULL, 'l', NULL, OPTION_ALIAS, NULL, 1},
	{NULL, 'x', NULL, OPTION_ALIAS, NULL, 1},
	{"addresses", 'a', NULL, OPTION_HIDDEN, NULL, 1},
	{"latency", 'l', NULL, OPTION_HIDDEN, NULL, 1},
	{"extra", 'x', NULL, OPTION_HIDDEN, NULL, 1},
	{"handshake", KEY_HANDSHAKE, NULL, 0, "handshakes too; those that fail always are", 1},
	{"hexdump", KEY_HEXDUMP, NULL, 0, "payload in hexadecimal, or none of it", 1},
	{"no-data", KEY_NO_DATA, NULL, OPTION_ALIAS, NULL, 1},
	{"max-bytes", KEY_MAX_BYTES, "SIZE", 0, "of the payload of each call", 1},
	{"summary", KEY_SUMMARY, NULL, 0, "only histograms; no payload leaves the kernel", 1},
	{"by", KEY_BY, "KEY", 0, "of --summary: process, connection, library", 1},
	{"preload", KEY_PRELOAD, NULL, 0, "a library in the command instead of probes", 1},
	{"lib", KEY_LIB, "FILE", 0, "only this library or program (may repeat)", 1},
	{"list-libs", KEY_LIST_LIBS, NULL, 0, "list what has TLS, and exit", 1},
	{"uid", KEY_UID, "USER", 0, "only processes of this user", 1},
	{"port", KEY_PORT, "PORT", 0, "only connections with this port at either end", 1},
	{"match", KEY_MATCH, "TEXT", 0, "only calls whose payload begins so", 1},
	{"budget", KEY_BUDGET, "SIZE", 0, "of payload of each connection", 1},
	{0},
};

static uint64_t parse_bytes(const char *option, const char *text)
{
	uint64_t bytes;

	if (parse_size(text, &bytes))
		bad_value(option, text, "a size (512, 64K, 1M)");
	return bytes;
}

static enum tls_by parse_by(const char *text)
{
	static const char *const names[] = {
		[TLS_BY_PROCESS] = "process",
		[TLS_BY_CONNECTION] = "connection",
		[TLS_BY_LIBRARY] = "library",
	};

	for (enum tls_by i = TLS_BY_PROCESS; i <= TLS_BY_LIBRARY; i++) {
		if (!strcmp(text, names[i]))
			return i;
	}
	bad_value("--by", text, "process, connection or library");
}

static uid_t parse_uid(const char *text)
{
	const struct passwd *user = getpwnam(text);
	unsigned long uid;

	if (user)
		return user->pw_uid;
	if (parse_unsigned(text, 0, UINT32_MAX - 1, &uid))
		bad_value("--uid", text, "the name or number of a user");
	return uid;
}

static void set_match(const char *text)
{
	tls_options.match_len = strlen(text);
	if (!tls_options.match_len || tls_options.match_len > TLS_MATCH_MAX)
		bad_value("--match", text, "a text of 1 to 64 bytes");
	memcpy(tls_options.match, text, tls_options.match_len);
}

static void add_lib(const char *name)
{
	if (tls_options.libs_cnt == TLS_OPTION_LIBS) {
		refuse(-E2BIG, "too many libraries: at most %d", TLS_OPTION_LIBS);
		exit(USAGE_ERROR);
	}
	tls_options.libs[tls_options.libs_cnt++] = name;
}

/* Those with a value. */
static bool parse_value(int key, const char *arg)
{
	struct tls_options *o = &tls_options;

	switch (key) {
	case KEY_MAX_BYTES:
		o->output.max_bytes = parse_bytes("--max-bytes", arg);
		return true;
	case KEY_BY:
		o->by = parse_by(arg);
		return true;
	case KEY_LIB:
		add_lib(arg);
		return true;
	case KEY_UID:
		o->by_uid = true;
		o->uid = parse_uid(arg);
		return true;
	case KEY_PORT:
		o->port = parse_number("--port", arg, 1, UINT16_MAX);
		return true;
	case KEY_MATCH:
		set_match(arg);
		return true;
	case KEY_BUDGET:
		o->budget = parse_bytes("--budget", arg);
		return true;
	default:
		return false;
	}
}

static bool *flag_of(int key)
{
	struct tls_options *o = &tls_options;

	switch (key) {
	case 'x':
		return &o->output.extra;
	case 'l':
		return &o->output.latency;
	case 'a':
		return &o->output.addresses;
	case KEY_HANDSHAKE:
		return &o->output.handshakes;
	case KEY_HEXDUMP:
		return &o->output.hexdump;
	case KEY_NO_DATA:
		return &o->output.no_data;
	case KEY_SUMMARY:
		return &o->summary;
	case KEY_PRELOAD:
		return &o->preload;
	case KEY_LIST_LIBS:
		return &o->list_libs;
	default:
		return NULL;
	}
}

static void check_combination(void)
{
	const struct tls_options *o = &tls_options;
	bool rows = o->output.extra || o->output.latency || o->output.addresses ||
		    o->output.hexdump || o->output.max_bytes || o->budget || o->output.handshakes;

	if (o->by && !o->summary) {
		refuse(-EINVAL, "--by is for --summary");
		suggest("--summary --by ...");
		exit(USAGE_ERROR);
	}
	if (o->summary && rows) {
		refuse(-EINVAL, "--summary prints no calls");
		why("-x, -l, -a, --handshake, --hexdump, --max-bytes and --budget are about them");
		suggest("the same without --summary, or without those");
		exit(USAGE_ERROR);
	}
	if (o->preload && o->libs_cnt) {
		refuse(-EINVAL, "--preload sees what the command calls, of any library");
		suggest("the same without --lib");
		exit(USAGE_ERROR);
	}
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	bool *flag = flag_of(key);

	(void)state;
	if (flag)
		*flag = true;
	else if (key == ARGP_KEY_END)
		check_combination();
	else if (!parse_value(key, arg))
		return ARGP_ERR_UNKNOWN;
	return 0;
}

const struct argp tls_options_argp = {.options = options, .parser = parse};
