// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tls-attach.h"

#include <errno.h>
#include <stdlib.h>

#include "log.h"
#include "privilege.h"
#include "tls-inner.h"
#include "tls-probe.h"
#include "uprobe.h"

/* The programs, and whether they are at a return probe or where placement.h says. */
enum place {
	CALL_BEGIN,
	CALL_END,
	CALL_RETURN,
	NAME_END,
	NAME_RETURN,
	NAME_BEGIN,
	CTRL_BEGIN,
	ERROR_BEGIN,
	HANDLE_CLOSED,
	PLACES,
};

/* Those of ends first: what is in between then has no begin, which does no harm. */
static const enum place order[] = {CALL_RETURN, CALL_END,    NAME_RETURN,   NAME_END,  NAME_BEGIN,
				   CTRL_BEGIN,  ERROR_BEGIN, HANDLE_CLOSED, CALL_BEGIN};

struct sites {
	struct uprobe_site *site;
	size_t cnt;
};

struct plan {
	struct sites of[PLACES];
	size_t room; /* for sites, of each program */
};

static struct bpf_program *program_of(const struct tls_programs *p, enum place place)
{
	struct bpf_program *const programs[PLACES] = {
		[CALL_BEGIN] = p->call_begin,       [CALL_END] = p->call_end,
		[CALL_RETURN] = p->call_end,        [NAME_END] = p->name_end,
		[NAME_RETURN] = p->name_end,        [NAME_BEGIN] = p->name_begin,
		[CTRL_BEGIN] = p->ctrl_begin,       [ERROR_BEGIN] = p->error_begin,
		[HANDLE_CLOSED] = p->handle_closed,
	};

	return programs[place];
}

static bool is_return(enum place place)
{
	return place == CALL_RETURN || place == NAME_RETURN;
}

int tls_attach_prepare(const struct tls_programs *programs)
{
	int err = 0;

	for (enum place i = CALL_BEGIN; !err && i < PLACES; i++)
		err = uprobe_prepare(program_of(programs, i));
	return err ? fail(err, "failed to prepare the probes") : 0;
}

static enum place begin_of(enum tls_role role)
{
	switch (role) {
	case TLS_ROLE_SET_NAME:
	case TLS_ROLE_SET_NAME_3:
		return NAME_BEGIN;
	case TLS_ROLE_CTRL:
		return CTRL_BEGIN;
	case TLS_ROLE_CLOSE:
	case TLS_ROLE_CLEAR:
		return HANDLE_CLOSED;
	case TLS_ROLE_ERROR:
	case TLS_ROLE_ERROR_1_1:
	case TLS_ROLE_ERROR_NSS:
		return ERROR_BEGIN;
	default:
		return CALL_BEGIN;
	}
}

static bool names_server(enum tls_role role)
{
	return role == TLS_ROLE_NAME || begin_of(role) == NAME_BEGIN ||
	       begin_of(role) == CTRL_BEGIN;
}

static void add(struct plan *plan, enum place place, uint64_t offset, uint64_t cookie)
{
	struct sites *s = &plan->of[place];

	s->site[s->cnt++] = (struct uprobe_site){offset, cookie};
}

static const struct tls_function *find_role(const struct tls_library *library, enum tls_role role)
{
	for (size_t i = 0; i < library->functions_cnt; i++) {
		const struct tls_function *f = &library->functions[i];

		if (tls_calls[f->call].role == role && !f->is_bio)
			return f;
	}
	return NULL;
}

/*
 * Where all calls of a pair of roles meet: the one takes its place, the other one needs no probe
 * any more. False if that is not known.
 */
static bool meet(const struct tls_library *library, enum tls_role ex, enum tls_role plain,
		 struct tls_function *inner)
{
	const struct tls_function *wrapper = find_role(library, ex);
	const struct tls_function *other = find_role(library, plain);

	if (!wrapper || !other)
		return false;
	inner->call = wrapper->call;
	inner->offset = tls_inner_find(library->binary.fd, wrapper, other);
	return inner->offset;
}

static void plan_function(struct plan *plan, const struct tls_library *library, unsigned int nr,
			  const struct tls_function *f)
{
	const struct tls_call *call = &tls_calls[f->call];
	bool is_name = names_server(call->role);
	uint32_t number = f->call | (call->api == TLS_NSS ? TLS_CALL_LAYERED : 0) |
			  (f->is_bio ? TLS_CALL_BIO : 0);
	const char *name = tls_function__name(f);
	uint64_t cookie = TLS_COOKIE(nr, call->role, number);
	struct placement p = {0};

	uprobe_place(&p, library->binary.fd, f->offset, f->size, call->args);
	add(plan, begin_of(call->role), f->offset + p.entry, cookie);
	verbose("%s of '%s' at +%#llx: %s", name, library->name, (unsigned long long)p.entry,
		p.why_entry);
	if (!call->returns)
		return;
	for (size_t i = 0; i < p.returns_cnt; i++)
		add(plan, is_name ? NAME_END : CALL_END, f->offset + p.returns[i], cookie);
	if (!p.returns_cnt)
		add(plan, is_name ? NAME_RETURN : CALL_RETURN, f->offset, cookie);
	verbose("%s of '%s', its end: %s", name, library->name, p.why_return);
}

static void plan_library(struct plan *plan, const struct tls_library *library, unsigned int nr)
{
	static const enum tls_role pairs[][2] = {{TLS_ROLE_READ_EX, TLS_ROLE_READ},
						 {TLS_ROLE_WRITE_EX, TLS_ROLE_WRITE}};
	uint32_t done = 0; /* a bit for each role */

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct tls_function inner = {0};

		if (!meet(library, pairs[i][0], pairs[i][1], &inner))
			continue;
		verbose("what %s and its like call of '%s':", tls_calls[inner.call].name,
			library->name);
		plan_function(plan, library, nr, &inner);
		done |= 1U << pairs[i][0] | 1U << pairs[i][1];
	}
	for (size_t i = 0; i < library->functions_cnt; i++) {
		const struct tls_function *f = &library->functions[i];

		if (f->is_bio || !(done & 1U << tls_calls[f->call].role))
			plan_function(plan, library, nr, f);
	}
}

static int plan__open(struct plan *plan, const struct tls_library *library)
{
	plan->room = library->functions_cnt * PLACEMENT_RETURNS;
	for (size_t i = 0; i < PLACES; i++) {
		plan->of[i].site = calloc(plan->room, sizeof(struct uprobe_site));
		if (!plan->of[i].site)
			return fail(-ENOMEM, "failed to list the probes");
	}
	return 0;
}

static void plan__close(struct plan *plan)
{
	for (size_t i = 0; i < PLACES; i++)
		free(plan->of[i].site);
}

static int explain(int err, const struct tls_library *library)
{
	if (err == -ENOTSUPP)
		return refuse(err, "the kernel puts no probes on what is in '%s'", library->name);
	fail(err, "failed to attach to '%s'", library->name);
	if (!privilege_may_probe()) {
		why("this kernel lets only CAP_SYS_ADMIN attach probes to programs");
		suggest("sudo %s ..., or --preload", log_tool());
	}
	return err;
}

int tls_attach_library(const struct tls_programs *programs, const struct tls_library *library,
		       unsigned int nr, pid_t pid)
{
	struct plan plan = {0};
	int err = plan__open(&plan, library);

	if (!err)
		plan_library(&plan, library, nr);
	for (size_t i = 0; !err && i < sizeof(order) / sizeof(order[0]); i++) {
		const struct sites *s = &plan.of[order[i]];

		if (!s->cnt)
			continue;
		err = uprobe_attach(program_of(programs, order[i]), library->binary.path, s->site,
				    s->cnt, pid, is_return(order[i]));
		if (err)
			explain(err, library);
	}
	plan__close(&plan);
	return err;
}
