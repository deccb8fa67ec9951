// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "preload-tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "clock.h"
#include "log.h"
#include "preload-check.h"
#include "preload-numbers.h"
#include "preload-settings.h"
#include "preload.h"
#include "tls-loss.h"
#include "tls-options.h"

#define LIBRARY       "libwirescope-tls.so"
#define OPTION        "--preload"
#define RING_BITS     23 /* 8 MB for each thread; what it does not use is no memory */
#define SAME_CLOCK_NS 1000000

struct tls_preload_hooks tls_preload_hooks;

static struct {
	char preload[2 * PATH_MAX]; /* of LD_PRELOAD */
	char run[PRELOAD_TICKET + 2 * sizeof(struct preload_tls_settings) + 1];
	struct command_variable variables[3];
	char *libraries[TLS_LIBRARIES];
	size_t libraries_cnt;
	uint64_t offset_ns; /* between the clock of records and ours */
	uint64_t damaged;   /* records that made no sense */
	unsigned int ring_bits;
} tls;

const char *tls_preload_library_name(unsigned int library)
{
	return library < tls.libraries_cnt ? tls.libraries[library] : NULL;
}

static unsigned int bits_of(uint64_t bytes)
{
	unsigned int bits = PRELOAD_RING_BITS_MIN;

	while (bytes && bits < PRELOAD_RING_BITS_MAX && (uint64_t)1 << bits < bytes)
		bits++;
	return bytes ? bits : RING_BITS;
}

/* Behind the ticket of the run: see include/preload-settings.h. */
static void write_settings(const struct target *target, enum report_format format)
{
	const struct tls_options *o = &tls_options;
	struct preload_tls_settings s = {
		.max_bytes = o->output.max_bytes,
		.budget = o->budget,
		.uid = o->by_uid ? o->uid : PRELOAD_NO_UID,
		.port = htons(o->port),
		.ring_bits = tls.ring_bits,
		.payload = !o->summary && !o->output.no_data,
		.latency = o->summary || o->output.latency || format == REPORT_JSON,
		.match_len = o->match_len,
	};
	const unsigned char *bytes = (const unsigned char *)&s;
	int len;

	if (target->comm)
		strncpy(s.comm, target->comm, sizeof(s.comm) - 1);
	memcpy(s.match, o->match, o->match_len);
	len = snprintf(tls.run, sizeof(tls.run), "%s:", preload_ticket());
	for (size_t i = 0; i < sizeof(s); i++)
		len += snprintf(tls.run + len, sizeof(tls.run) - len, "%02x", bytes[i]);
}

/* Another library that is preloaded keeps its place before ours. */
static int set_environment(struct target *target, const char *library)
{
	const char *before = getenv("LD_PRELOAD");
	int len = snprintf(tls.preload, sizeof(tls.preload), "%s%s%s", before ?: "",
			   before && *before ? ":" : "", library);

	if (len >= (int)sizeof(tls.preload))
		return refuse(-E2BIG, "LD_PRELOAD is too long already");
	tls.variables[0] = (struct command_variable){"LD_PRELOAD", tls.preload};
	tls.variables[1] = (struct command_variable){PRELOAD_ENVIRONMENT, tls.run};
	target->command.variables = tls.variables;
	target->command.outlives_us = true;
	return 0;
}

static void find_clock(void)
{
	struct timespec t;
	uint64_t own_ns;

	clock_gettime(CLOCK_MONOTONIC, &t);
	own_ns = t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
	tls.offset_ns = clock_now_ns() - own_ns;
	if (tls.offset_ns < SAME_CLOCK_NS)
		tls.offset_ns = 0;
}

/* Libraries have one number in all processes; 0 is one that is not known. */
static unsigned int find_library(const struct preload_process *process, unsigned int index)
{
	char path[PRELOAD_PATH] = "?";
	size_t i;

	if (index < PRELOAD_LIBRARIES)
		memcpy(path, process->region->libraries[index], sizeof(path));
	path[sizeof(path) - 1] = '\0';
	for (i = 0; i < tls.libraries_cnt; i++) {
		if (!strcmp(tls.libraries[i], path))
			return i;
	}
	if (i == TLS_LIBRARIES)
		return 0;
	tls.libraries[i] = strdup(path);
	tls.libraries_cnt += !!tls.libraries[i];
	return i;
}

static bool endpoint_is_right(const struct endpoint *e)
{
	return !e->family || e->family == AF_INET || e->family == AF_INET6;
}

static bool record_is_right(const struct tls_record *r, size_t size)
{
	if (size < sizeof(*r) || r->size != size - sizeof(*r) || r->what >= TLS_WHATS ||
	    r->api >= TLS_APIS || !endpoint_is_right(&r->local) || !endpoint_is_right(&r->remote))
		return false;
	if (r->what == TLS_HANDSHAKE)
		return r->size < TLS_NAME_MAX;
	return r->size <= TLS_PAYLOAD_MAX && r->captured <= r->len && r->offset <= r->captured &&
	       r->size <= r->captured - r->offset;
}

/* What only we know. The record is a copy of our own. */
static void complete(struct tls_record *record, const struct preload_process *process)
{
	record->comm[sizeof(record->comm) - 1] = '\0';
	record->end_ns += tls.offset_ns;
	record->connection = preload_number(record->connection);
	record->lib = find_library(process, record->lib);
	if (process->pid)
		record->tgid = process->pid;
}

static void on_loss(const struct preload_process *process, const struct preload_loss *loss)
{
	struct tls_record record;

	memcpy(&record, loss->about, sizeof(record));
	if (tls_preload_hooks.record || !endpoint_is_right(&record.local) ||
	    !endpoint_is_right(&record.remote))
		return;
	complete(&record, process);
	tls_loss_add(&(struct tls_part){
		.record = &record, .lost_calls = loss->calls, .lost_bytes = loss->bytes});
}

static int on_record(void *arg, const struct preload_process *process, const void *bytes,
		     size_t size)
{
	struct tls_record *record = (struct tls_record *)bytes;
	struct report *r = arg;
	int err;

	if (!record_is_right(record, size)) {
		tls.damaged++;
		return 0;
	}
	complete(record, process);
	if (tls_preload_hooks.record)
		err = tls_preload_hooks.record(r, record, size);
	else
		err = tls_output_record(r, record, size);
	/* What is counted are calls. */
	r->events += !record->offset;
	return err;
}

static int tls_open(struct target *target, const char *user, uint64_t buffer_bytes,
		    enum report_format format)
{
	char library[PATH_MAX];
	int err = 0;

	if (target->cgroup) {
		refuse(-EINVAL, OPTION " does not know cgroups");
		why("the command and its descendants are seen, wherever they are");
		suggest("without --cgroup, or without " OPTION);
		return -EINVAL;
	}
	if (target->command_path)
		err = preload_check_command(target->command_path, user, OPTION);
	err = err ?: preload_find_library(LIBRARY, user, library);
	tls.ring_bits = bits_of(buffer_bytes);
	err = err ?: preload_open(target, tls.ring_bits, on_loss);
	if (err)
		return err;
	find_clock();
	write_settings(target, format);
	err = set_environment(target, library);
	if (err)
		return err;
	if (tls_preload_hooks.open)
		return tls_preload_hooks.open();
	tls_output_open(&tls_options.output, tls_preload_library_name);
	return 0;
}

static int tls_read(struct report *r, bool all)
{
	return preload_read(on_record, r, all);
}

static int tls_report(void *skel, struct report *r)
{
	(void)skel;
	if (tls_preload_hooks.report)
		return tls_preload_hooks.report(r);
	if (!r->final)
		return 0;
	preload_tell_losses();
	tls_output_close(r);
	return 0;
}

static uint64_t say_lost(const struct report *r, uint64_t lost, const char *reason)
{
	if (lost)
		note("lost %llu of %llu events (%s)", (unsigned long long)lost,
		     (unsigned long long)(r->events + lost), reason);
	return lost;
}

static uint64_t tls_lost(const struct report *r)
{
	struct preload_lost lost = preload_lost();
	char full[96], cut[160], many[64];

	snprintf(full, sizeof(full), "ring of a thread full; try --buffer %uM or a filter",
		 2u << tls.ring_bits >> 20 ?: 1);
	snprintf(cut, sizeof(cut), "their first bytes are there, then %s", full);
	snprintf(many, sizeof(many), "more than %d threads of a process", PRELOAD_SLOTS);
	if (lost.unseen > 1)
		note("%llu processes were not seen", (unsigned long long)lost.unseen);
	return lost.unseen + say_lost(r, lost.calls, full) + say_lost(r, lost.cut, cut) +
	       say_lost(r, lost.unslotted, many) +
	       say_lost(r, lost.damaged + tls.damaged, "a process has damaged its ring");
}

static void tls_close(void)
{
	preload_close();
	preload_numbers_free();
	for (size_t i = 0; i < tls.libraries_cnt; i++)
		free(tls.libraries[i]);
	tls.libraries_cnt = 0;
}

static const struct feed feed = {
	.option = OPTION,
	.open = tls_open,
	.fd = preload_fd,
	.timeout_ms = preload_timeout_ms,
	.read = tls_read,
	.took = preload_took,
	.running = preload_running,
	.lost = tls_lost,
	.close = tls_close,
};

const struct tool tls_preload_source = {
	.name = "sslsniff",
	.feed = &feed,
	.report = tls_report,
};
