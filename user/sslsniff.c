// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Plaintext and cost of TLS: calls of TLS libraries as bcc's sslsniff shows them, or summed up. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <bpf/bpf.h>

#include "binaries.h"
#include "kernel.h"
#include "log.h"
#include "object.h"
#include "options.h"
#include "preload-tls.h"
#include "privilege.h"
#include "sslsniff.skel.h"
#include "tls-attach.h"
#include "tls-connection.h"
#include "tls-found.h"
#include "tls-libraries.h"
#include "tls-losses.h"
#include "tls-options.h"
#include "tls-output.h"
#include "tls-pieces.h"
#include "tls-summary.h"
#include "tls-sweep.h"
#include "tool.h"
#include "uprobe-cost.h"

static const struct target *current_target;

TOOL_SKELETON(sslsniff)

static struct tls_programs programs_of(const struct sslsniff_bpf *s)
{
	return (struct tls_programs){
		.call_begin = s->progs.call_begin,
		.call_end = s->progs.call_end,
		.name_end = s->progs.name_end,
		.name_begin = s->progs.name_begin,
		.ctrl_begin = s->progs.ctrl_begin,
		.error_begin = s->progs.error_begin,
		.handle_closed = s->progs.handle_closed,
	};
}

/* What was sent in secret is not to be found in our core file, nor by other processes. */
static void keep_secrets(void)
{
	const struct rlimit none = {0};

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
}

static int check_kernel(void)
{
	if (kernel_has(KERNEL_UPROBE) && kernel_has(KERNEL_COOKIES))
		return 0;
	refuse(-EOPNOTSUPP, "this kernel cannot tell one probe from another");
	why("functions need Linux 5.15 with CONFIG_UPROBE_EVENTS (BPF cookies)");
	suggest("--preload, with a command");
	return -EOPNOTSUPP;
}

static void choose_maps(struct sslsniff_bpf *s)
{
	static const char *const results[] = {"read_bytes", "write_bytes", "read_latencies",
					      "write_latencies", "handshake_latencies"};
	const struct tls_options *o = &tls_options;

	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		char by[32];

		snprintf(by, sizeof(by), "%s_by", results[i]);
		if (!o->summary || o->by)
			object__disable_map(s->obj, results[i]);
		if (!o->summary || !o->by)
			object__disable_map(s->obj, by);
	}
}

/*
 * Before 6.1 (96da3f7d489d) maps that allocate are warned of in the kernel's log, where some panic,
 * and a kernel for real time refuses them.
 */
static void allocate_maps(struct sslsniff_bpf *s)
{
	struct bpf_map *const maps[] = {s->maps.tls_connections, s->maps.tls_losses,
					s->maps.tls_names, s->maps.tls_threads_met};

	if (kernel_has_struct("bpf_mem_alloc"))
		return;
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		bpf_map__set_map_flags(maps[i], 0);
}

/* Since 6.3 (40e0b0908142); without it the ends of some connections are not known. */
static void choose_programs(struct sslsniff_bpf *s)
{
	bool wanted = !tls_options.summary || tls_options.by == TLS_BY_CONNECTION ||
		      tls_options.port;

	if (!wanted || !kernel_has_tracepoint("sock_send_length", 3))
		return;
	bpf_program__set_autoload(s->progs.socket_sent, true);
	bpf_program__set_autoload(s->progs.socket_received, true);
}

static void tell_programs(struct sslsniff_bpf *s, const struct target *target)
{
	const struct tls_options *o = &tls_options;

	(void)target;
	s->rodata->hist_atomic = true;
	s->rodata->socket_cast = kernel_has(KERNEL_RDONLY_CAST);
	s->rodata->tls_summary = o->summary;
	s->rodata->tls_by = o->by;
	s->rodata->tls_with_connections = !o->summary || o->by == TLS_BY_CONNECTION || o->port;
	s->rodata->tls_no_data = o->output.no_data;
	s->rodata->tls_max_bytes = o->output.max_bytes;
	s->rodata->tls_budget = o->budget;
	s->rodata->tls_by_uid = o->by_uid;
	s->rodata->tls_uid = o->uid;
	s->rodata->tls_port = htons(o->port);
	s->rodata->tls_match_len = o->match_len;
	memcpy((void *)s->rodata->tls_match, o->match, o->match_len);
}

static int setup(void *skel, const struct target *target)
{
	struct sslsniff_bpf *s = skel;
	struct tls_programs programs = programs_of(s);
	int err = check_kernel();

	if (err)
		return err;
	keep_secrets();
	choose_programs(s);
	choose_maps(s);
	allocate_maps(s);
	tell_programs(s, target);
	return tls_attach_prepare(&programs);
}

static int attach_library(const struct tls_library *library, unsigned int nr, void *arg)
{
	const struct tls_library_info info = {
		.api = tls_library__api(library),
		.layout = library->layout,
	};
	struct sslsniff_bpf *s = arg;
	struct tls_programs programs = programs_of(s);

	if (bpf_map_update_elem(bpf_map__fd(s->maps.tls_infos), &nr, &info, BPF_ANY))
		return fail(-errno, "failed to describe '%s'", library->name);
	return tls_attach_library(&programs, library, nr, binaries_pid(current_target));
}

static void tidy(void *arg)
{
	const struct sslsniff_bpf *s = arg;

	tls_sweep(s->maps.tls_connections);
}

static int attach(void *skel, const struct target *target)
{
	tls_output_open(&tls_options.output, tls_found_name);
	current_target = target;
	return tls_found_attach(target, attach_library, tidy, skel);
}

static int event(void *skel, struct report *r, const void *data, size_t size)
{
	const struct tls_record *record = data;

	(void)skel;
	/* What is counted are calls. */
	if (record->offset)
		r->events--;
	return tls_output_record(r, record, size);
}

static int report(void *skel, struct report *r)
{
	const struct sslsniff_bpf *s = skel;
	int err;

	if (r->final)
		tls_found_check();
	if (tls_options.summary)
		return tls_summary_report(r, tls_found_name);
	if (!r->final)
		return 0;
	/* What a call lacks at its end is part of what its connection has lost. */
	tls_pieces_close();
	err = tls_losses_add(s->maps.tls_losses, s->maps.tls_connections);
	tls_output_close(r);
	return err;
}

static const struct tool probes = {
	.open = open_sslsniff,
	.setup = setup,
	.attach = attach,
	.event = event,
	.report = report,
};

static int record_by_preload(struct report *r, const struct tls_record *record, size_t size)
{
	return tls_summary_add(r, record, size);
}

static int report_by_preload(struct report *r)
{
	return tls_summary_report_added(r, tls_preload_library_name);
}

static const struct tool *source(void)
{
	if (!tls_options.preload)
		return &probes;
	if (tls_options.summary)
		tls_preload_hooks = (struct tls_preload_hooks){
			.record = record_by_preload,
			.report = report_by_preload,
		};
	return &tls_preload_source;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const struct options *o = state->input;
	struct tls_libraries libraries = {0};
	size_t unseen = 0;

	(void)arg;
	if (key != ARGP_KEY_END)
		return ARGP_ERR_UNKNOWN;
	if (!tls_options.list_libs)
		return 0;
	for (size_t i = 0; i < tls_options.libs_cnt; i++) {
		if (tls_libraries__add(&libraries, o->target, tls_options.libs[i]))
			exit(EXIT_FAILURE);
	}
	if (!tls_options.libs_cnt && tls_libraries__find(&libraries, o->target, &unseen) < 0)
		exit(EXIT_FAILURE);
	tls_libraries__list(&libraries, stdout);
	exit_after_output();
}

static const struct argp_child children[] = {{&tls_options_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {.parser = parse, .children = children};

static const struct tool_mode modes[] = {
	{"probes: CAP_SYS_ADMIN (some kernels: CAP_PERFMON)", privilege_may_probe},
	{0},
};

static const char examples[] =
	"  sslsniff -p $(cat /run/nginx.pid) --follow  nginx, with all its workers\n"
	"  sslsniff -c 'curl https://example.org'      one command\n"
	"  sslsniff --summary -d 10                    sizes and times, of all\n";

static const struct tool tool = {
	.name = "sslsniff",
	.brief = "Plaintext of TLS, and what TLS costs.",
	.examples = examples,
	.needs = "Needs root, or CAP_SYS_ADMIN (see --doctor).\n",
	.locked_down = "lockdown=integrity, or --preload",
	.costs = uprobe_print_costs,
	.is_secret = true,
	.modes = modes,
	.argp = &argp,
	.source = source,
	.event = event, /* so that there is --buffer */
};

int main(int argc, char **argv)
{
	return tool_main(&tool, argc, argv);
}
