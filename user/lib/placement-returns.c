// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An instruction is final if on all ways from it to a return, itself included, the result does not
 * change, nor memory but for the stack, and nothing is called. What follows a final instruction is
 * final too: each call enters its final part once, and leaves it by returning. In this part one
 * place is chosen on each way, the last emulated one.
 */
#include "placement-returns.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum cover {
	COVER_OPEN,  /* not known yet */
	COVER_NONE,  /* no place is chosen on any way from here */
	COVER_ONE,   /* one is, on each */
	COVER_MIXED, /* on some of them */
};

struct final {
	bool is_final;
	bool is_forced; /* a return that has no emulated instruction on its way */
	bool is_chosen;
	uint8_t cover;
};

struct search {
	const struct code_flow *flow;
	const struct placement *p;
	struct final *finals; /* by node */
	int32_t *todo;
};

#define ROUNDS_MAX 64 /* over all nodes; each lets a loop know of one inside of it */

static bool keeps_result(const struct code_node *n)
{
	return !(n->in.writes & WRITES_RESULT) && !n->in.stores && !n->in.calls_kernel &&
	       n->in.flow != FLOW_CALL && n->exit != EXIT_UNKNOWN && n->exit != EXIT_DEAD;
}

static bool is_alarm(const struct search *s, int32_t i)
{
	return s->flow->nodes[i].is_alarm;
}

static bool follows_final(const struct search *s, size_t i)
{
	const struct code_node *n = &s->flow->nodes[i];

	for (size_t k = 0; k < 2; k++) {
		if (n->next[k] >= 0 && !is_alarm(s, n->next[k]) && !s->finals[n->next[k]].is_final)
			return false;
	}
	return true;
}

static int find_finals(const struct search *s)
{
	bool changed = true;

	for (size_t i = 0; i < s->flow->cnt; i++)
		s->finals[i].is_final = keeps_result(&s->flow->nodes[i]);
	for (size_t round = 0; changed && round < ROUNDS_MAX; round++) {
		changed = false;
		for (size_t i = s->flow->cnt; i-- > 0;) {
			if (!s->finals[i].is_final || follows_final(s, i))
				continue;
			s->finals[i].is_final = false;
			changed = true;
		}
	}
	return changed ? -E2BIG : 0;
}

/* Programs for the begin and the end must not meet: their order there is not known. */
static bool may_choose(const struct search *s, const struct code_node *n)
{
	return n->in.is_emulated && n->at && n->at != s->p->entry && n->is_reached;
}

static enum cover cover_behind(const struct search *s, const struct code_node *n)
{
	unsigned int seen = 0;

	for (size_t k = 0; k < 2; k++) {
		if (n->next[k] >= 0 && !is_alarm(s, n->next[k]))
			seen |= 1U << s->finals[n->next[k]].cover;
	}
	if (seen & 1U << COVER_OPEN)
		return COVER_OPEN;
	if (seen == 1U << COVER_ONE)
		return COVER_ONE;
	return seen & ~(1U << COVER_NONE) ? COVER_MIXED : COVER_NONE;
}

static void cover(const struct search *s, size_t i)
{
	const struct code_node *n = &s->flow->nodes[i];
	struct final *f = &s->finals[i];

	f->cover = f->is_forced ? COVER_ONE : cover_behind(s, n);
	f->is_chosen = f->is_forced || (f->cover == COVER_NONE && may_choose(s, n));
	if (f->is_chosen)
		f->cover = COVER_ONE;
}

/* A loop without an end stays open. */
static int cover_all(const struct search *s)
{
	bool changed = true, open = false;

	for (size_t i = 0; i < s->flow->cnt; i++) {
		s->finals[i].cover = COVER_OPEN;
		s->finals[i].is_chosen = false;
	}
	for (size_t round = 0; changed && round < ROUNDS_MAX; round++) {
		changed = open = false;
		for (size_t i = s->flow->cnt; i-- > 0;) {
			if (!s->finals[i].is_final || s->finals[i].cover != COVER_OPEN)
				continue;
			cover(s, i);
			changed |= s->finals[i].cover != COVER_OPEN;
			open |= s->finals[i].cover == COVER_OPEN;
		}
	}
	return open ? -ELOOP : 0;
}

/* The returns behind a node without a place in between; how many are new. */
static size_t force_behind(const struct search *s, size_t from)
{
	size_t cnt = 0, forced = 0;

	s->todo[cnt++] = from;
	while (cnt) {
		size_t i = s->todo[--cnt];
		const struct code_node *n = &s->flow->nodes[i];

		if (n->exit == EXIT_RETURN && !s->finals[i].is_forced && n->is_reached) {
			s->finals[i].is_forced = true;
			forced++;
		}
		for (size_t k = 0; k < 2; k++) {
			int32_t next = n->next[k];

			/* Without loops, but by several ways: bounded by the size of todo. */
			if (next >= 0 && !is_alarm(s, next) && cnt < 2 * s->flow->cnt &&
			    s->finals[next].cover != COVER_ONE)
				s->todo[cnt++] = next;
		}
	}
	return forced;
}

/* Is there a way into the final part at this node? */
static bool is_gate(const struct search *s, size_t i, const bool *entered)
{
	return s->flow->nodes[i].is_root || entered[i];
}

static void find_entered(const struct search *s, bool *entered)
{
	for (size_t i = 0; i < s->flow->cnt; i++) {
		const struct code_node *n = &s->flow->nodes[i];

		for (size_t k = 0; !s->finals[i].is_final && k < 2; k++) {
			if (n->next[k] >= 0)
				entered[n->next[k]] = true;
		}
	}
}

/* How many returns have to have a place of their own, that had none. */
static size_t force(const struct search *s, const bool *entered, bool *is_bad)
{
	size_t forced = 0;

	for (size_t i = 0; i < s->flow->cnt; i++) {
		const struct final *f = &s->finals[i];
		bool bad = f->cover == COVER_MIXED ||
			   (f->cover == COVER_NONE && is_gate(s, i, entered));

		if (!f->is_final || !bad)
			continue;
		*is_bad = true;
		forced += force_behind(s, i);
	}
	return forced;
}

/* Returns how many returns were forced, or a negative error if it does not come out. */
static int search(const struct search *s, bool *entered)
{
	int total = 0, err = find_finals(s);
	bool is_bad = true;

	if (!err)
		find_entered(s, entered);
	while (!err && is_bad) {
		size_t forced;

		is_bad = false;
		err = cover_all(s);
		forced = err ? 0 : force(s, entered, &is_bad);
		if (is_bad && !forced)
			err = -ENOTSUP;
		total += forced;
	}
	return err ?: total;
}

static const char *refusal(const struct code_flow *flow)
{
	bool returns = false;

	for (size_t i = 0; i < flow->cnt; i++) {
		const struct code_node *n = &flow->nodes[i];

		if (n->exit == EXIT_UNKNOWN && (n->is_reached || !n->in.is_padding))
			return "it leaves by a jump";
		returns |= n->exit == EXIT_RETURN && n->is_reached;
	}
	return returns ? NULL : "it does not return";
}

/* -ENOSPC: too many; -ENOTSUP: one is not known to be an instruction. */
static int take(struct placement *p, const struct search *s)
{
	const char *kind = NULL;

	for (size_t i = 0; i < s->flow->cnt; i++) {
		const struct code_node *n = &s->flow->nodes[i];

		if (!s->finals[i].is_final || !s->finals[i].is_chosen)
			continue;
		if (!n->is_reached)
			return -ENOTSUP;
		if (p->returns_cnt == PLACEMENT_RETURNS)
			return -ENOSPC;
		p->returns[p->returns_cnt++] = n->at;
		kind = n->in.kind ?: kind;
	}
	if (!p->returns_cnt)
		return -ENOTSUP;
	snprintf(p->why_return, sizeof(p->why_return), "at %zu end%s: %s", p->returns_cnt,
		 p->returns_cnt > 1 ? "s" : "", kind ?: "ret, stepped");
	return 0;
}

static void say(struct placement *p, const char *why)
{
	p->returns_cnt = 0;
	snprintf(p->why_return, sizeof(p->why_return), "%s", why);
}

static void choose(struct placement *p, const struct search *s, bool *entered, bool by_stepping)
{
	int forced = search(s, entered), err;

	if (forced < 0) {
		say(p, "no place for all of its returns is proved");
		return;
	}
	if (forced && !by_stepping) {
		say(p, "a way to return has no emulated instruction");
		return;
	}
	err = take(p, s);
	if (err)
		say(p, err == -ENOSPC ? "it has too many ends" : "its ends are not known");
	p->returns_emulated = !err && !forced;
}

void placement_choose_returns(struct placement *p, const struct code_flow *flow, bool by_stepping)
{
	const char *why = refusal(flow);
	struct search s = {.flow = flow, .p = p};
	bool *entered;

	if (why) {
		say(p, why);
		return;
	}
	s.finals = calloc(flow->cnt, sizeof(*s.finals));
	s.todo = calloc(2 * flow->cnt + 2, sizeof(*s.todo));
	entered = calloc(flow->cnt, sizeof(*entered));
	if (s.finals && s.todo && entered)
		choose(p, &s, entered, by_stepping);
	else
		say(p, "there is no memory for a search");
	free(s.finals);
	free(s.todo);
	free(entered);
}
