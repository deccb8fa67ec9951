// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "code-flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int decode_all(struct code_flow *flow, const uint8_t *code)
{
	for (size_t at = 0; at < flow->size;) {
		struct code_node *n = &flow->nodes[flow->cnt];
		ssize_t len = instruction_decode(&n->in, code + at, flow->size - at);

		if (len < 0)
			return len;
		n->at = at;
		n->next[0] = n->next[1] = -1;
		n->depth = STACK_UNKNOWN;
		flow->index[at] = flow->cnt++;
		at += len;
	}
	return 0;
}

static bool is_inside(const struct code_flow *flow, const struct code_node *n)
{
	int64_t target = n->at + n->in.target;

	return target >= 0 && target < (int64_t)flow->size;
}

/* The jump, or an exit if it leads out. */
static int add_jump(struct code_flow *flow, struct code_node *n)
{
	if (!is_inside(flow, n)) {
		n->exit = EXIT_UNKNOWN;
		return 0;
	}
	n->next[1] = flow->index[n->at + n->in.target];
	return n->next[1] < 0 ? -EINVAL : 0;
}

static void add_next(struct code_flow *flow, size_t i)
{
	struct code_node *n = &flow->nodes[i];

	if (i + 1 < flow->cnt)
		n->next[0] = i + 1;
	else if (n->exit == EXIT_NONE)
		n->exit = n->in.flow == FLOW_CALL ? EXIT_DEAD : EXIT_UNKNOWN;
}

static int add_edges(struct code_flow *flow, size_t i)
{
	struct code_node *n = &flow->nodes[i];
	int err = 0;

	switch (n->in.flow) {
	case FLOW_JUMP:
		return add_jump(flow, n);
	case FLOW_BRANCH:
		err = add_jump(flow, n);
		add_next(flow, i);
		return err;
	case FLOW_RETURN:
		n->exit = EXIT_RETURN;
		return 0;
	case FLOW_UNKNOWN:
		n->exit = EXIT_UNKNOWN;
		return 0;
	case FLOW_END:
		n->exit = EXIT_DEAD;
		return 0;
	case FLOW_CALL: /* into the function's middle, as some code learns its address */
		if (n->in.is_relative && n->in.target + n->at && is_inside(flow, n))
			return -EINVAL;
		/* fall through */
	default:
		add_next(flow, i);
		return 0;
	}
}

/*
 * The compilers' check of the guard on the stack, before a return: "sub %fs:0x28,%rdx; jne", or
 * "mov %fs:0x28,%rax; cmp 8(%rsp),%rax; jne". Where it leads is a call that ends the process.
 */
static bool checks_guard(const struct code_flow *flow, size_t i)
{
	const struct code_node *n = &flow->nodes[i];

	if (n->in.flow != FLOW_BRANCH || i < 2)
		return false;
	if (n[-1].in.reads_guard)
		return n[-1].in.compares;
	return n[-2].in.reads_guard && n[-2].in.loads && n[-2].in.loads == n[-1].in.with_stack;
}

static struct code_node *call_at(const struct code_flow *flow, int32_t i)
{
	return i >= 0 && flow->nodes[i].in.flow == FLOW_CALL ? &flow->nodes[i] : NULL;
}

static void mark_alarm(struct code_flow *flow, size_t i)
{
	struct code_node *n = &flow->nodes[i];
	struct code_node *on = call_at(flow, n->next[0]), *taken = call_at(flow, n->next[1]);
	struct code_node *call = taken ?: on;

	if (!checks_guard(flow, i) || !call || (on && taken))
		return;
	call->exit = EXIT_DEAD;
	call->next[0] = -1;
	call->is_alarm = true;
}

/* Depths that differ by path are not known. Is there something new to tell to those behind? */
static bool meet(struct code_node *n, int32_t depth)
{
	if (!n->is_reached) {
		n->is_reached = true;
		n->depth = depth;
		return true;
	}
	if (n->depth == depth || n->depth == STACK_UNKNOWN)
		return false;
	n->depth = STACK_UNKNOWN;
	return true;
}

static void walk(struct code_flow *flow, size_t from, int32_t depth, int32_t *todo)
{
	size_t cnt = 0;

	if (meet(&flow->nodes[from], depth))
		todo[cnt++] = from;
	while (cnt) {
		struct code_node *n = &flow->nodes[todo[--cnt]];
		bool known = n->depth != STACK_UNKNOWN && n->in.stack != STACK_UNKNOWN;
		int32_t after = known ? n->depth + n->in.stack : STACK_UNKNOWN;

		for (size_t k = 0; k < 2; k++) {
			if (n->next[k] >= 0 && meet(&flow->nodes[n->next[k]], after))
				todo[cnt++] = n->next[k];
		}
	}
}

/*
 * What the begin does not reach is reached otherwise: by jump tables and when exceptions are
 * caught. From there it may come back.
 */
static int walk_all(struct code_flow *flow)
{
	/* A node changes twice at most, and each time it was told by one of its two ways. */
	int32_t *todo = calloc(flow->cnt, 4 * sizeof(*todo));
	bool *from_begin = calloc(flow->cnt, sizeof(*from_begin));

	if (todo && from_begin) {
		flow->nodes[0].is_root = true;
		walk(flow, 0, 0, todo);
		for (size_t i = 0; i < flow->cnt; i++)
			from_begin[i] = flow->nodes[i].is_reached;
		for (size_t i = 0; i < flow->cnt; i++) {
			if (flow->nodes[i].is_reached || flow->nodes[i].in.is_padding)
				continue;
			flow->nodes[i].is_root = true;
			walk(flow, i, STACK_UNKNOWN, todo);
		}
		for (size_t i = 0; i < flow->cnt; i++)
			flow->nodes[i].is_reached = from_begin[i];
	}
	free(todo);
	free(from_begin);
	return todo && from_begin ? 0 : -ENOMEM;
}

int code_flow__make(struct code_flow *flow, const uint8_t *code, size_t size)
{
	int err = 0;

	*flow = (struct code_flow){.size = size};
	if (!size)
		return -EINVAL;
	flow->nodes = calloc(size, sizeof(*flow->nodes));
	flow->index = malloc(size * sizeof(*flow->index));
	if (!flow->nodes || !flow->index)
		return -ENOMEM;
	memset(flow->index, 0xff, size * sizeof(*flow->index));
	err = decode_all(flow, code);
	for (size_t i = 0; !err && i < flow->cnt; i++)
		err = add_edges(flow, i);
	for (size_t i = 0; !err && i < flow->cnt; i++)
		mark_alarm(flow, i);
	return err ?: walk_all(flow);
}

void code_flow__free(struct code_flow *flow)
{
	free(flow->nodes);
	free(flow->index);
	*flow = (struct code_flow){0};
}
