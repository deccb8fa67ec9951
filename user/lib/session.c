// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "doctor.h"
#include "kernel.h"
#include "links.h"
#include "log.h"
#include "privilege.h"

/* What a feed tells of begins with the command. */
static int session__open_feed(struct session *s)
{
	const struct options *o = &s->options;
	const struct feed *feed = s->source->feed;

	if (o->argv)
		return feed->open(&s->target, o->user, o->buffer_bytes, o->format);
	refuse(-EINVAL, "%s is for a command", feed->option);
	why("%s", s->target.pids_cnt ? "it cannot get into a process that runs"
				     : "it cannot get into all processes");
	suggest("%s -c 'CMD ARGS', or without %s", feed->option, feed->option);
	exit(USAGE_ERROR);
}

int session__start_command(struct session *s)
{
	const struct options *o = &s->options;
	int err;

	if (o->argv)
		command_find(o->argv[0], &s->target.command_path);
	err = s->source->feed ? session__open_feed(s) : 0;
	if (err || !o->argv)
		return err;
	if (!geteuid() && getenv("SUDO_USER") && !o->user)
		note("running '%s' as root; use -u %s to run it as you", o->argv[0],
		     getenv("SUDO_USER"));
	return command__start(&s->target.command, o->argv, o->user);
}

static int session__on_event(void *arg, const void *data, size_t size)
{
	struct session *s = arg;
	int err = s->source->event(s->skel, &s->report, data, size);

	s->report.events++;
	return err;
}

int session__load(struct session *s)
{
	struct bpf_object *obj;
	int err;

	if (s->source->feed)
		return 0;
	err = kernel_adapt();
	if (err)
		return err;
	s->skel = s->source->open();
	if (!s->skel)
		return doctor_explain(s->tool, -errno, "failed to open the BPF object");
	obj = s->skel->obj;
	err = target__configure(&s->target, obj);
	if (!err && s->source->event)
		err = ring_set_size(obj, s->options.buffer_bytes);
	if (!err && s->source->setup)
		err = s->source->setup(s->skel, &s->target);
	err = err ?: kernel_describe(obj);
	if (err)
		return err;
	err = bpf_object__load_skeleton(s->skel->skeleton);
	if (err)
		return doctor_explain(s->tool, err, "failed to load the BPF programs");
	err = kernel_check(obj);
	err = err ?: target__arm(&s->target, obj);
	err = err ?: report__open(&s->report, obj);
	if (!err && s->source->event)
		err = ring__open(&s->ring, obj, session__on_event, s);
	return err;
}

static int session__attach_skeleton(struct session *s)
{
	int err = bpf_object__attach_skeleton(s->skel->skeleton);

	if (err)
		return doctor_explain(s->tool, err, "failed to attach the BPF programs");
	err = s->source->attach ? s->source->attach(s->skel, &s->target) : 0;
	return err ?: target__add_descendants(&s->target);
}

int session__attach(struct session *s)
{
	int err = s->skel ? session__attach_skeleton(s) : 0;

	if (err)
		return err;
	s->report.start_ns = s->reported_ns = clock_now_ns();
	if (s->source->started)
		err = s->source->started(s->skel, &s->target, s->report.start_ns);
	if (s->skel)
		verbose("attached");
	return err;
}

/* The command has what it got when it was forked. */
int session__drop_privileges(const struct session *s)
{
	struct privilege_rest rest = {
		.obj = s->skel ? s->skel->obj : NULL,
		.command = s->target.command.pid,
		.reads_calls = s->tool->reads_calls && s->tool->reads_calls(),
	};

	return privilege_drop(&rest);
}

int session__fd(const struct session *s)
{
	return s->source->feed ? s->source->feed->fd() : ring__fd(&s->ring);
}

int session__timeout_ms(const struct session *s)
{
	return s->source->feed ? s->source->feed->timeout_ms() : ring__timeout_ms(&s->ring);
}

int session__read(struct session *s, bool *took)
{
	const struct feed *feed = s->source->feed;
	int err = feed ? feed->read(&s->report, false) : ring__read(&s->ring);

	*took = feed ? feed->took() : s->ring.taken;
	return err;
}

int session__drain(struct session *s, bool drop)
{
	if (s->skel)
		target__stop(s->skel->obj);
	if (drop)
		return 0;
	return s->source->feed ? s->source->feed->read(&s->report, true) : ring__drain(&s->ring);
}

size_t session__running(const struct session *s)
{
	return s->source->feed ? s->source->feed->running() : target__running(&s->target);
}

uint64_t session__lost(const struct session *s)
{
	return s->source->feed ? s->source->feed->lost(&s->report) : report__lost(&s->report);
}

void session__unload(struct session *s)
{
	if (s->source->feed)
		s->source->feed->close();
	ring__close(&s->ring);
	report__close(&s->report);
	links_leave();
	links_destroy();
	if (s->skel)
		bpf_object__destroy_skeleton(s->skel->skeleton);
}
