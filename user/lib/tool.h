/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The life of a tool: options, target, load, attach, intervals, signals, report, what was
 * lost, exit status. A tool describes itself and says only what is its own.
 */
#ifndef WIRESCOPE_TOOL_H
#define WIRESCOPE_TOOL_H

#include <argp.h>
#include <stdbool.h>

#include <bpf/libbpf.h>

#include "feed.h"
#include "report.h"
#include "target.h"

/* How each skeleton begins; what tool_main() needs of it. */
struct skel {
	struct bpf_object_skeleton *skeleton;
	struct bpf_object *obj;
};

/* What a mode of a tool needs, and whether this process has it here and now; for --doctor. */
struct tool_mode {
	const char *text;
	bool (*allowed)(void);
};

struct tool {
	const char *name;
	const char *brief;             /* one line, for --help and the README */
	const char *examples;          /* lines of --help, indented by two blanks */
	const char *needs;             /* privileges, a line of --help; default: the usual */
	const char *locked_down;       /* what to try where kernel memory may not be read */
	const struct tool_mode *modes; /* up to one without text; optional */
	void (*costs)(void);           /* more lines of --doctor; optional */
	const struct argp *argp;       /* its own options; optional */
	const char *arguments;         /* its own arguments in --help, "SPEC..."; optional */

	/* Its report has what was sent in secret: -o makes a new file, which only we may read. */
	bool is_secret;

	/*
	 * Once the options are parsed: a descriptor whose functions of a run, open to report, are
	 * used instead of these. For tools with several sources of their numbers. Optional.
	 */
	const struct tool *(*source)(void);

	/*
	 * In place of open to event: records do not come from BPF programs, and no privileges are
	 * needed. Its .report gets NULL for skel. Optional.
	 */
	const struct feed *feed;

	/* An argument that is no option and not of a command; bad ones exit. Optional: all are. */
	void (*argument)(const char *text);
	/* Does .report look up in /proc in which calls processes are? Optional: it does not. */
	bool (*reads_calls)(void);

	struct skel *(*open)(void);
	/* Before loading: set globals, switch programs off. Optional. */
	int (*setup)(void *skel, const struct target *target);
	/* Once all programs are attached whose SEC() says where: the others. Optional. */
	int (*attach)(void *skel, const struct target *target);
	/* Once attached, before the command runs. Optional. */
	int (*started)(void *skel, const struct target *target, uint64_t now_ns);
	/*
	 * One record of the ring buffer, printed or kept; tools that include ring.bpf.h have it,
	 * and the option --buffer. r->events is how many came before. An error ends the run.
	 */
	int (*event)(void *skel, struct report *r, const void *data, size_t size);
	/* Print one report; default: report__print_all(). */
	int (*report)(void *skel, struct report *r);
};

/* Defines open_NAME() for the skeleton NAME_bpf. */
#define TOOL_SKELETON(name)                               \
	static struct skel *open_##name(void)             \
	{                                                 \
		return (struct skel *)name##_bpf__open(); \
	}

/* main() of every tool; returns the exit status. */
int tool_main(const struct tool *tool, int argc, char **argv);

#endif
