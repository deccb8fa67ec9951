// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "doctor.h"
#include "envelope.h"
#include "events.h"
#include "log.h"
#include "options.h"
#include "privilege.h"
#include "wait.h"

#define GRACE_MS       2000 /* between SIGTERM and SIGKILL for the command */
#define DESCENDANTS_MS 100  /* how often their end is looked for */

enum { EXIT_LOST = 3 };

static int libbpf_print(enum libbpf_print_level level, const char *fmt, va_list args)
{
	if (level != LIBBPF_DEBUG)
		log_raw(fmt, args);
	return 0;
}

/* A device or a pipe, which is nobody's file; a link to one is not followed. */
static int open_device(const char *path)
{
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || S_ISREG(st.st_mode) || fcntl(fd, F_SETFL, 0)) {
		if (fd >= 0)
			close(fd);
		errno = EEXIST;
		return -1;
	}
	return fd;
}

static FILE *open_secret(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 && errno == EEXIST)
		fd = open_device(path);
	return fd < 0 ? NULL : fdopen(fd, "w");
}

static int open_output(struct session *s)
{
	const char *path = s->options.output;
	int err;

	s->report.out = stdout;
	if (!path)
		return 0;
	s->report.out = s->tool->is_secret ? open_secret(path) : fopen(path, "we");
	if (s->report.out)
		return 0;
	err = fail(-errno, "failed to open '%s'", path);
	if (err == -EEXIST) {
		why("what was sent in secret goes to a new file, which only its owner may read");
		suggest("-o with another name, or remove it");
	}
	return err;
}

static int session__flush(struct session *s)
{
	FILE *out = s->report.out;
	int err = 0;

	if (fflush(out))
		err = -errno;
	else if (ferror(out))
		err = -EIO;
	if (err == -EPIPE)
		s->stop = s->pipe_broke = true;
	else if (err)
		return fail(err, "failed to write the report");
	return 0;
}

/* Print what has come since the last report. */
static int session__report(struct session *s, bool final)
{
	struct report *r = &s->report;
	uint64_t now = clock_now_ns();
	int err;

	r->final = final;
	r->elapsed_ns = now - s->reported_ns;
	r->total_ns = now - r->start_ns;
	s->reported_ns = now;
	err = report__take(r);
	if (err)
		return err;
	if (r->interval)
		envelope_interval(r);
	if (s->source->report)
		err = s->source->report(s->skel, r);
	else
		report__print_all(r);
	return err ?: session__flush(s);
}

static int session__report_now(struct session *s)
{
	/* From now on no report is of the whole run: each says what time it is of. */
	s->report.interval = true;
	return session__report(s, false);
}

/* The end of a command is ours; who asks a second time gets both at once. */
static void session__end(struct session *s, int signo)
{
	struct command *c = &s->target.command;

	if (!c->pid || c->reaped) {
		s->stop = true;
	} else if (s->ending) {
		command__stop(c, GRACE_MS);
	} else {
		s->ending = true;
		/* The terminal sends its Ctrl-C to the command too. */
		if (signo != SIGINT)
			kill(c->pid, signo);
	}
}

static int session__on_signal(struct session *s)
{
	struct signalfd_siginfo info;
	int err = 0;

	while (!err && read(s->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGUSR1)
			err = session__report_now(s);
		else if (info.ssi_signo == SIGPIPE)
			s->stop = s->pipe_broke = true;
		else
			session__end(s, info.ssi_signo);
	}
	return err;
}

/* Do descendants keep the run going when the processes that were asked for have ended? */
static bool session__waits_for_descendants(const struct session *s)
{
	return s->options.keep_following || (s->target.pids_cnt && s->target.follow);
}

/* True once what was asked for has ended. */
static bool session__target_ended(struct session *s)
{
	struct target *t = &s->target;

	if (!target__by_pid(t) || !target__ended(t))
		return false;
	return !session__waits_for_descendants(s) || session__running(s) == 0;
}

static int session__read_records(struct session *s)
{
	bool took;
	int err = session__read(s, &took);

	return err || !took ? err : session__flush(s);
}

static int session__wait_ms(struct session *s)
{
	bool only_descendants = target__by_pid(&s->target) && target__ended(&s->target);
	int records_ms = session__timeout_ms(s);

	if (only_descendants && (records_ms < 0 || records_ms > DESCENDANTS_MS))
		return DESCENDANTS_MS;
	return records_ms;
}

static int session__wait(struct session *s)
{
	int err = 0;

	while (!err && !s->stop && !session__target_ended(s)) {
		int fds[] = {s->signal_fd, s->interval_fd, s->duration_fd, session__fd(s)};

		err = wait_for(&s->target, fds, sizeof(fds) / sizeof(fds[0]), session__wait_ms(s));
		err = err ?: session__read_records(s);
		err = err ?: session__on_signal(s);
		if (!err && !s->stop && events_timer_expired(s->interval_fd))
			err = session__report(s, false);
		if (events_timer_expired(s->duration_fd))
			s->stop = true;
	}
	return err;
}

static int session__finish(struct session *s)
{
	struct target *t = &s->target;
	struct report *r = &s->report;
	size_t descendants = 0;
	uint64_t lost;
	int err;

	err = session__drain(s, s->pipe_broke);
	err = err || s->pipe_broke ? err : session__report(s, true);
	if (t->follow && t->command.reaped)
		descendants = session__running(s);
	if (descendants)
		note("%zu descendants of the command still run (--follow waits for them)",
		     descendants);
	if (!r->events && !s->source->report)
		report__say_idle(r);
	lost = session__lost(s);
	if (!err && !s->pipe_broke) {
		envelope_end(r, lost, &t->command);
		err = session__flush(s);
	}
	return err ?: (lost && s->options.strict ? EXIT_LOST : 0);
}

static int session__run(struct session *s)
{
	const struct options *o = &s->options;
	struct command *c = &s->target.command;
	int err = session__load(s);

	err = err ?: session__attach(s);
	if (err)
		return err;
	s->interval_fd = events_open_timer(o->interval_ns, true);
	s->duration_fd = events_open_timer(o->duration_ns, false);
	if ((o->interval_ns && s->interval_fd < 0) || (o->duration_ns && s->duration_fd < 0))
		return fail(-EMFILE, "failed to create a timer");
	if (c->pid) {
		s->exec_status = command__go(c, o->argv[0]);
		if (s->exec_status)
			return s->exec_status < 0 ? s->exec_status : 0;
	}
	err = session__drop_privileges(s);
	if (err)
		return err;
	envelope_begin(&s->report, s->tool->name);
	err = session__wait(s);
	return err ?: session__finish(s);
}

/* What a shell expects: the command's own status, or why there is none. */
static int session__exit_status(const struct session *s, int err, bool ours_ended_it)
{
	bool command = s->options.argv;

	if (s->exec_status > 0)
		return s->exec_status;
	if (err < 0)
		return command ? COMMAND_OUR_FAILURE : EXIT_FAILURE;
	if (err > 0 || !command || ours_ended_it)
		return err;
	return command__exit_status(&s->target.command);
}

static void session__close(struct session *s)
{
	int fds[] = {s->signal_fd, s->interval_fd, s->duration_fd};

	session__unload(s);
	target__close(&s->target);
	if (s->report.out && s->report.out != stdout)
		fclose(s->report.out);
	free(s->options.split);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

int tool_main(const struct tool *tool, int argc, char **argv)
{
	struct session s = {
		.tool = tool,
		.target = TARGET_INIT,
		.signal_fd = -1,
		.interval_fd = -1,
		.duration_fd = -1,
	};
	bool ours_ended_it;
	int err;

	log_init(tool->name);
	libbpf_set_print(libbpf_print);
	s.options.target = &s.target;
	options_parse(&s.options, tool, argc, argv);
	s.source = tool->source ? tool->source() : tool;
	err = privilege_check_caller();
	if (s.options.doctor)
		return err ? EXIT_FAILURE : doctor_run(tool);
	s.report.format = s.options.format;
	s.report.target = &s.target;
	s.report.interval = s.options.interval_ns;
	s.signal_fd = events_open_signals();
	if (s.signal_fd < 0)
		err = fail(s.signal_fd, "failed to wait for signals");
	err = err ?: open_output(&s);
	err = err ?: session__start_command(&s);
	err = err ?: session__run(&s);
	ours_ended_it = s.target.command.pid && !command__reap(&s.target.command, false);
	if (ours_ended_it)
		command__stop(&s.target.command, GRACE_MS);
	err = session__exit_status(&s, err, ours_ended_it);
	session__close(&s);
	return err;
}
