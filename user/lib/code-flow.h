/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which instructions of a function follow which. */
#ifndef WIRESCOPE_CODE_FLOW_H
#define WIRESCOPE_CODE_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "instruction.h"

enum code_exit {
	EXIT_NONE,
	EXIT_RETURN,
	EXIT_UNKNOWN, /* to where is not known: out of the function, or computed */
	EXIT_DEAD,    /* a call with nothing behind it, or a trap: nobody comes back */
};

struct code_node {
	struct instruction in;
	uint32_t at;     /* offset in the function */
	int32_t next[2]; /* indices of nodes, -1: none */
	uint8_t exit;
	bool is_reached; /* from the begin, by jumps that are known */
	bool is_root;    /* it can be come to from where is not known: the begin, exceptions */
	bool is_alarm;   /* the call that ends a process whose stack was overwritten */
	int32_t depth;   /* of the stack, before it; STACK_UNKNOWN */
};

struct code_flow {
	struct code_node *nodes; /* by place; all bytes of the function belong to one */
	size_t cnt;
	int32_t *index; /* by offset: of the node that begins there, -1 */
	size_t size;
};

/*
 * -EINVAL: bytes that are no instructions, or jumps into one: data may be among the code.
 * -EOPNOTSUPP, -ENOMEM. *flow is to be freed in all cases.
 */
int code_flow__make(struct code_flow *flow, const uint8_t *code, size_t size);

void code_flow__free(struct code_flow *flow);

#endif
