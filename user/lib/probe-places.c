// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "probe-places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binaries.h"
#include "kernel.h"
#include "links.h"
#include "log.h"
#include "probe-functions.h"
#include "tracefs.h"
#include "usdt.h"

struct places {
	const struct probe_site *sites;
	size_t cnt;
	const struct probe_programs *programs;
	const char *binary;
	const struct target *target;
	bool *attached;    /* by site: those that are done with its binary */
	const char *group; /* the binary that is being attached to */
};

static bool is_function(const struct probe_place *place)
{
	return place->source == PROBE_UPROBE || place->source == PROBE_URETPROBE;
}

static bool needs_cookie(const struct probe_place *place)
{
	return is_function(place) || place->source == PROBE_TRACEPOINT;
}

static bool shares_program(const struct probe_place *a, const struct probe_place *b)
{
	if (a->source != b->source)
		return false;
	return a->source == PROBE_RAW_TRACEPOINT ||
	       (!strcmp(a->group, b->group) && !strcmp(a->name, b->name));
}

size_t probe_places_copy(const struct probe_site *sites, size_t site)
{
	size_t copy = 0;

	for (size_t i = 0; i < site; i++)
		copy += shares_program(&sites[i].place, &sites[site].place);
	return copy;
}

static bool is_event(const struct probe_place *place)
{
	return place->source >= PROBE_TRACEPOINT;
}

static int check_copies(const struct probe_site *sites, size_t site)
{
	const struct probe_place *place = &sites[site].place;

	if (!is_event(place) || probe_places_copy(sites, site) < PROBE_COPIES)
		return 0;
	if (place->source == PROBE_TRACEPOINT) {
		refuse(-E2BIG, "the tracepoint '%s:%s' has more than %d probes", place->group,
		       place->name, PROBE_COPIES);
		suggest("several runs");
	} else {
		refuse(-E2BIG, "more than %d probes are on raw tracepoints", PROBE_COPIES);
		suggest("tp:GROUP:%s for some of them", place->name);
	}
	return -E2BIG;
}

int probe_places_check(const struct probe_site *sites, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		const struct probe_place *place = &sites[i].place;
		int err = check_copies(sites, i);

		if (err)
			return err;
		if (place->source <= PROBE_URETPROBE && !kernel_has(KERNEL_UPROBE)) {
			refuse(-EOPNOTSUPP, "this kernel has no uprobes");
			why("probes of a binary need Linux 4.17 with CONFIG_UPROBE_EVENTS");
			suggest("tp:GROUP:EVENT or rawtp:EVENT");
			return -EOPNOTSUPP;
		}
		if (!needs_cookie(place) || kernel_has(KERNEL_COOKIES))
			continue;
		refuse(-EOPNOTSUPP, "this kernel cannot tell one probe from another");
		why("functions and tracepoints need Linux 5.15 (BPF cookies)");
		suggest("rawtp:EVENT, or usdt:BINARY:PROVIDER:PROBE with -p PID");
		return -EOPNOTSUPP;
	}
	return 0;
}

static const char *binary_of(const struct places *p, size_t i)
{
	return p->sites[i].place.binary ?: p->binary;
}

static bool is_same_binary(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/*
 * The index of the n-th site to attach to: the ends of latencies first. What is in between has no
 * begin then, which is counted, where otherwise it would have no end, and be met again later.
 */
static size_t nth_site(const struct places *p, size_t n)
{
	size_t ends = 0, seen = 0;

	for (size_t i = 0; i < p->cnt; i++)
		ends += p->sites[i].point.role == ROLE_END;
	for (size_t i = 0; i < p->cnt; i++) {
		bool is_end = p->sites[i].point.role == ROLE_END;

		if (is_end == (n < ends) && seen++ == (n < ends ? n : n - ends))
			return i;
	}
	return 0;
}

/* Is a site in this binary, and not attached yet? */
static bool is_in_group(const struct places *p, size_t i, bool function)
{
	const struct probe_place *place = &p->sites[i].place;

	if (p->attached[i] || is_function(place) != function || place->source > PROBE_URETPROBE)
		return false;
	return is_same_binary(p->group, binary_of(p, i));
}

static int attach_usdt(struct places *p)
{
	struct usdt_probe *probes = calloc(p->cnt, sizeof(*probes));
	size_t cnt = 0;
	int err;

	if (!probes)
		return fail(-ENOMEM, "failed to list the probes");
	for (size_t n = 0; n < p->cnt; n++) {
		size_t i = nth_site(p, n);
		const struct probe_site *site = &p->sites[i];

		if (!is_in_group(p, i, false))
			continue;
		probes[cnt++] = (struct usdt_probe){
			.name = {.provider = site->place.group, .name = site->place.name},
			.older = site->place.older,
			.prog = p->programs->usdt,
			.cookie = i,
			.args_read = probe_site__args(site),
			.optional = site->optional,
		};
		p->attached[i] = true;
	}
	err = usdt_attach_probes(p->group, probes, cnt, p->target);
	free(probes);
	return err;
}

/* Those of the binary that is being attached to, in the order that they are attached in. */
static int attach_functions_in(const struct binary *binary, const char *label, void *arg)
{
	const struct places *p = arg;
	size_t order[PROBE_POINTS], cnt = 0;

	for (size_t n = 0; n < p->cnt; n++) {
		if (is_in_group(p, nth_site(p, n), true))
			order[cnt++] = nth_site(p, n);
	}
	return probe_functions_attach(&(struct probe_functions){
		.sites = p->sites,
		.order = order,
		.cnt = cnt,
		.prog = p->programs->uprobe,
		.binary = binary,
		.label = label,
		.pid = binaries_pid(p->target),
	});
}

static int attach_functions(struct places *p)
{
	int err = binaries_each(p->group, p->target, attach_functions_in, p);

	for (size_t i = 0; i < p->cnt; i++)
		p->attached[i] |= is_in_group(p, i, true);
	return err;
}

static int attach_event(const struct places *p, size_t i)
{
	const struct probe_place *place = &p->sites[i].place;
	size_t copy = probe_places_copy(p->sites, i);
	struct bpf_link *link;

	if (place->source == PROBE_TRACEPOINT)
		return links_keep(tracefs_attach_cookie(p->programs->tracepoint[copy], place->group,
							place->name, i));
	link = bpf_program__attach_raw_tracepoint(p->programs->raw[copy], place->name);
	return link ? links_keep(link)
		    : fail(-errno, "failed to attach to the raw tracepoint '%s'", place->name);
}

int probe_places_attach(const struct probe_site *sites, size_t cnt,
			const struct probe_programs *programs, const char *binary,
			const struct target *target)
{
	bool attached[PROBE_POINTS] = {false};
	struct places p = {sites, cnt, programs, binary, target, attached, NULL};
	int err = 0;

	for (size_t i = 0; !err && i < cnt; i++) {
		if (attached[i])
			continue;
		p.group = binary_of(&p, i);
		if (sites[i].place.source == PROBE_USDT)
			err = attach_usdt(&p);
		else if (is_function(&sites[i].place))
			err = attach_functions(&p);
		else
			err = attach_event(&p, i);
	}
	return err;
}
