// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "log.h"
#include "ring.h"
#include "tool.h"

#define NEEDS "Needs root, or CAP_BPF and CAP_PERFMON (--doctor says more).\n"

enum option_key {
	KEY_FOLLOW = 0x1000,
	KEY_CGROUP,
	KEY_COMM,
	KEY_BTF,
	KEY_JSON,
	KEY_STRICT,
	KEY_DOCTOR,
	KEY_USAGE,
	KEY_BUFFER,
};

static const struct argp_option target_options[] = {
	{NULL, 0, NULL, 0, "Target (none: the whole system)", 10},
	{"pid", 'p', "PID", 0, "this process (PID,PID...; may repeat)", 10},
	{"cmd", 'c', "CMD", 0, "run CMD and trace it; or: -- CMD ARGS", 10},
	{"follow", KEY_FOLLOW, "no", OPTION_ARG_OPTIONAL, "descendants too (default with -c)", 10},
	{"user", 'u', "NAME", 0, "run CMD as this user", 10},
	{"cgroup", KEY_CGROUP, "PATH", 0, "processes of a cgroup", 10},
	{"comm", KEY_COMM, "NAME", 0, "processes of this name", 10},
	{0},
};

static const struct argp_option output_options[] = {
	{NULL, 0, NULL, 0, "Output", 11},
	{"duration", 'd', "TIME", 0, "stop after 10, 10s, 500ms, 2m", 11},
	{"interval", 'i', "TIME", 0, "print every TIME, not only at the end", 11},
	{"output", 'o', "FILE", 0, "write to FILE instead of stdout", 11},
	{"format", 'f', "FORMAT", 0, "text (default) or json", 11},
	{"json", KEY_JSON, NULL, 0, "the same as -f json", 11},
	{"strict", KEY_STRICT, NULL, 0, "exit with 3 if anything was lost", 11},
	{"quiet", 'q', NULL, 0, "errors only on stderr", 11},
	{"verbose", 'v', NULL, 0, "say what is done, and libbpf's log", 11},
	{"btf", KEY_BTF, "FILE", 0, "BTF of the kernel, if /sys has none", 11},
	{"doctor", KEY_DOCTOR, NULL, 0, "check what this system offers", 11},
	{"help", 'h', NULL, 0, "print this help", 11},
	{"version", 'V', NULL, 0, "print name and version", 11},
	{"usage", KEY_USAGE, NULL, OPTION_HIDDEN, NULL, 11},
	{0},
};

static const struct argp_option buffer_options[] = {
	{"buffer", KEY_BUFFER, "SIZE", 0, "room for events not yet read: 64M (4K to 1G)", 11},
	{0},
};

void bad_value(const char *option, const char *text, const char *expected)
{
	refuse(-EINVAL, "'%s' is not a value for %s", text, option);
	suggest("%s %s", option, expected);
	exit(USAGE_ERROR);
}

unsigned long parse_number(const char *option, const char *text, unsigned long min,
			   unsigned long max)
{
	char expected[64];
	unsigned long value;

	if (parse_unsigned(text, min, max, &value)) {
		snprintf(expected, sizeof(expected), "%lu (up to %lu)", min, max);
		bad_value(option, text, expected);
	}
	return value;
}

static void set_time(const char *option, const char *text, uint64_t *ns)
{
	if (parse_duration(text, ns))
		bad_value(option, text, "10, 10s, 500ms, 2m");
}

static void set_buffer(struct options *o, const char *text)
{
	if (parse_size(text, &o->buffer_bytes) || o->buffer_bytes < RING_BYTES_MIN ||
	    o->buffer_bytes > RING_BYTES_MAX)
		bad_value("--buffer", text, "64M (4K to 1G)");
}

static void set_format(struct options *o, const char *text)
{
	if (!strcmp(text, "json"))
		o->format = REPORT_JSON;
	else if (!strcmp(text, "text"))
		o->format = REPORT_TEXT;
	else
		bad_value("--format", text, "text or json");
}

static void set_follow(struct options *o, const char *text)
{
	if (text && strcmp(text, "no") && strcmp(text, "yes"))
		bad_value("--follow", text, "(or --follow=no)");
	o->follow_given = true;
	o->target->follow = !text || strcmp(text, "no");
}

static void set_comm(struct options *o, const char *text)
{
	if (!*text || strlen(text) > 15)
		bad_value("--comm", text, "NAME (1 to 15 characters, as in /proc/PID/comm)");
	o->target->comm = text;
}

static void set_command(struct options *o, const char *line)
{
	if (o->argv) {
		refuse(-EINVAL, "a command is given twice");
		suggest("-c 'CMD ARGS' or -- CMD ARGS");
		exit(USAGE_ERROR);
	}
	if (command_split(line, &o->split))
		exit(USAGE_ERROR);
	o->argv = o->split;
}

static void set_arguments(struct options *o, struct argp_state *state)
{
	char **rest = state->argv + state->next;

	if (!state->quoted || state->next < state->quoted) {
		refuse(-EINVAL, "unexpected argument '%s'", *rest);
		suggest("%s -- %s ... to trace a command", log_tool(), *rest);
		exit(USAGE_ERROR);
	}
	if (o->argv)
		set_command(o, "");
	o->argv = rest;
	state->next = state->argc;
}

static void add_pids(struct options *o, const char *list)
{
	int err = target__add_pids(o->target, list);

	if (err)
		exit(err == -EINVAL ? USAGE_ERROR : EXIT_FAILURE);
}

static error_t parse_target(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'p':
		add_pids(o, arg);
		break;
	case 'c':
		set_command(o, arg);
		break;
	case 'u':
		o->user = arg;
		break;
	case KEY_FOLLOW:
		set_follow(o, arg);
		break;
	case KEY_CGROUP:
		o->target->cgroup = arg;
		break;
	case KEY_COMM:
		set_comm(o, arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

void exit_after_output(void)
{
	exit(fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS);
}

static bool is_heading(const char *line)
{
	return line[0] == ' ' && line[1] != ' ';
}

static bool is_option(const char *line)
{
	return line[strspn(line, " ")] == '-';
}

/* Without the empty lines that argp puts between its groups: all fits on a screen. */
static void print_help(const struct argp_state *state)
{
	char *text = NULL, *line, *rest;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		exit(EXIT_FAILURE);
	argp_state_help(state, f, ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC);
	fclose(f);
	rest = text;
	while ((line = strsep(&rest, "\n")) && rest) {
		if (is_heading(line))
			printf("%s:\n", line + 1);
		else if (*line || !(is_heading(rest) || is_option(rest)))
			puts(line);
	}
	free(text);
	exit_after_output();
}

static void print_and_exit(int key, const struct argp_state *state)
{
	if (key == 'h')
		print_help(state);
	if (key == 'V')
		printf("%s %s\n", log_tool(), WIRESCOPE_VERSION);
	else
		argp_state_help(state, stdout, ARGP_HELP_USAGE);
	exit_after_output();
}

static error_t parse_output(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'd':
		set_time("--duration", arg, &o->duration_ns);
		break;
	case 'i':
		set_time("--interval", arg, &o->interval_ns);
		break;
	case 'o':
		o->output = arg;
		break;
	case 'f':
		set_format(o, arg);
		break;
	case KEY_JSON:
		o->format = REPORT_JSON;
		break;
	case KEY_STRICT:
		o->strict = true;
		break;
	case 'q':
		log_set_level(LOG_QUIET);
		break;
	case 'v':
		log_set_level(LOG_VERBOSE);
		break;
	case KEY_BTF:
		kernel_use_btf(arg);
		break;
	case KEY_DOCTOR:
		o->doctor = true;
		break;
	case 'h':
	case 'V':
	case KEY_USAGE:
		print_and_exit(key, state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static error_t parse_buffer(int key, char *arg, struct argp_state *state)
{
	if (key != KEY_BUFFER)
		return ARGP_ERR_UNKNOWN;
	set_buffer(state->input, arg);
	return 0;
}

/* Of a command is what follows "--". */
static bool is_of_tool(const struct options *o, const struct argp_state *state)
{
	return o->tool->argument && !(state->quoted && state->next > state->quoted);
}

static error_t parse_arguments(int key, char *arg, struct argp_state *state)
{
	const struct options *o = state->input;

	if (key == ARGP_KEY_ARG && is_of_tool(o, state)) {
		o->tool->argument(arg);
		return 0;
	}
	if (key != ARGP_KEY_ARGS)
		return ARGP_ERR_UNKNOWN;
	set_arguments(state->input, state);
	return 0;
}

/* argp gives children their input through this event of their parent. */
static error_t parse_parent(int key, char *arg, struct argp_state *state)
{
	if (key != ARGP_KEY_INIT)
		return parse_arguments(key, arg, state);
	for (size_t i = 0; state->root_argp->children[i].argp; i++)
		state->child_inputs[i] = state->input;
	return 0;
}

/* argp's note that a long option's argument is the short one's too. */
static char *drop_note(int key, const char *text, void *input)
{
	(void)input;
	return key == ARGP_KEY_HELP_DUP_ARGS_NOTE ? NULL : (char *)text;
}

static void check_combination(const struct options *o)
{
	if (o->argv && o->target->pids_cnt) {
		refuse(-EINVAL, "-p and a command exclude each other");
		suggest("one of them");
		exit(USAGE_ERROR);
	}
	if (o->user && !o->argv) {
		refuse(-EINVAL, "--user is for a command");
		suggest("-u NAME -c 'CMD ARGS'");
		exit(USAGE_ERROR);
	}
	if (o->follow_given && !o->argv && !o->target->pids_cnt) {
		refuse(-EINVAL, "--follow needs a process to follow");
		suggest("--follow with -p PID or -c 'CMD ARGS'");
		exit(USAGE_ERROR);
	}
}

void options_parse(struct options *o, const struct tool *tool, int argc, char **argv)
{
	static const struct argp target = {.options = target_options, .parser = parse_target};
	static const struct argp output = {.options = output_options, .parser = parse_output};
	static const struct argp buffer = {.options = buffer_options, .parser = parse_buffer};
	struct argp_child children[5] = {{&target, 0, NULL, 0}, {&output, 0, NULL, 0}};
	size_t cnt = 2;
	char doc[3072], args[64];
	struct argp argp = {
		.parser = parse_parent,
		.args_doc = args,
		.doc = doc,
		.children = children,
		.help_filter = drop_note,
	};

	o->tool = tool;
	if (tool->event)
		children[cnt++] = (struct argp_child){&buffer, 0, NULL, 0};
	children[cnt] = (struct argp_child){tool->argp, 0, NULL, 1};
	snprintf(args, sizeof(args), "%s%s[-p PID | -c 'CMD ARGS' | -- CMD ARGS...]",
		 tool->arguments ?: "", tool->arguments ? " " : "");
	snprintf(doc, sizeof(doc), "%s\v%s%s", tool->brief, tool->examples ?: "",
		 tool->needs ?: NEEDS);
	argp_err_exit_status = USAGE_ERROR;
	argv[0] = (char *)tool->name; /* getopt's messages begin with it */
	/* In order: "x -- y" would become "-- x y", another command. */
	argp_parse(&argp, argc, argv, ARGP_NO_HELP | ARGP_IN_ORDER, NULL, o);
	check_combination(o);
	o->keep_following = o->argv && o->follow_given && o->target->follow;
	if (o->argv && !o->follow_given)
		o->target->follow = true;
}
