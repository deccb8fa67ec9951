// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "placement.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "code-flow.h"
#include "placement-returns.h"

static void __attribute__((format(printf, 2, 3)))
say(char why[PLACEMENT_WHY], const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(why, PLACEMENT_WHY, format, ap);
	va_end(ap);
}

/*
 * The way from the begin as far as it is straight, up to the first emulated instruction: its
 * index, or the negative index of what is in the way.
 */
static ssize_t straight(const struct code_flow *flow, uint32_t args)
{
	for (size_t i = 0; i < flow->cnt; i++) {
		const struct instruction *in = &flow->nodes[i].in;

		if (in->is_emulated)
			return i;
		if (in->flow != FLOW_ON || in->calls_kernel || in->writes & args ||
		    (args && in->stores))
			return -(ssize_t)i - 1;
	}
	return -(ssize_t)flow->cnt;
}

static const char *obstacle(const struct instruction *in, uint32_t args)
{
	if (in->writes & args)
		return "an argument is overwritten";
	if (args && in->stores)
		return "memory is written";
	return "it branches, calls or ends";
}

/*
 * Where code goes that we do not see, can it come to one of the first last nodes? Compilers keep
 * for each instruction one depth of the stack, by which exceptions find the caller; and what
 * makes room there at the begin of a function is no part of a loop. So who jumps at another
 * depth jumps elsewhere.
 */
static bool comes_back(const struct code_flow *flow, const struct code_node *from, size_t last)
{
	bool has_frame = flow->nodes[last].depth > 0;

	if (from->depth == STACK_UNKNOWN || flow->nodes[last].depth == STACK_UNKNOWN)
		return true;
	for (size_t i = 0; i <= last; i++) {
		if (flow->nodes[i].depth == from->depth && (!has_frame || from->depth))
			return true;
	}
	return false;
}

/* A place is passed once if nothing jumps to it, or to what leads to it. */
static const char *why_again(const struct code_flow *flow, size_t last)
{
	for (size_t i = 0; i < flow->cnt; i++) {
		const struct code_node *n = &flow->nodes[i];

		if (n->next[1] >= 0 && n->next[1] <= (int32_t)last)
			return "it is part of a loop";
		if (n->exit == EXIT_UNKNOWN && !flow->nodes[last].in.is_save &&
		    comes_back(flow, n, last))
			return "it may be part of a loop";
	}
	return NULL;
}

static void choose_entry(struct placement *p, const struct code_flow *flow, uint32_t args)
{
	ssize_t place = straight(flow, args);
	const char *why = place > 0 ? why_again(flow, place) : NULL;

	if (place < 0) {
		say(p->why_entry, "its begin: %s at +%#x",
		    obstacle(&flow->nodes[-place - 1].in, args), flow->nodes[-place - 1].at);
	} else if (why) {
		say(p->why_entry, "its begin: %s at +%#x, but %s", flow->nodes[place].in.kind,
		    flow->nodes[place].at, why);
	} else {
		p->entry = flow->nodes[place].at;
		p->entry_emulated = true;
		say(p->why_entry, "%s, instruction %zd", flow->nodes[place].in.kind, place + 1);
	}
}

/* Of code that cannot be looked at as a whole. */
static void choose_begin(struct placement *p, const uint8_t *code, size_t size, const char *why)
{
	struct instruction in;

	p->entry_emulated = instruction_decode(&in, code, size) > 0 && in.is_emulated;
	say(p->why_entry, "its begin: %s", why);
	say(p->why_return, "%s", why);
}

void placement_choose(struct placement *p, const uint8_t *code, size_t size, uint64_t addr,
		      uint32_t args)
{
	struct code_flow flow;
	int err;

	(void)addr; /* jumps are relative */
	*p = (struct placement){0};
	err = code_flow__make(&flow, code, size);
	if (err == -EOPNOTSUPP) {
		choose_begin(p, code, size, "only code of x86-64 is looked at");
	} else if (err) {
		choose_begin(p, code, size,
			     size ? "it has bytes that are no instructions"
				  : "its size is not known");
	} else {
		choose_entry(p, &flow, args);
		/* Where the begin is stepped anyway, or emulated, a return probe costs less. */
		placement_choose_returns(
			p, &flow, p->entry_emulated && p->entry && !flow.nodes[0].in.is_emulated);
	}
	code_flow__free(&flow);
}
