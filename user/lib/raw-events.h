/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Raw tracepoints of the kernel and their arguments, from its BTF, and where what an expression
 * such as skb->dev->ifindex means is found in memory. Those of modules are not in it.
 */
#ifndef WIRESCOPE_RAW_EVENTS_H
#define WIRESCOPE_RAW_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct btf;

#define RAW_ARGS_MAX  12
#define RAW_STEPS_MAX 6
#define RAW_NAME      64
#define RAW_TYPE      96
#define RAW_FIRST_ARG 0 /* number of the first argument in "arg0" */

struct raw_arg {
	const char *name;    /* the BTF's; NULL: it does not say */
	char type[RAW_TYPE]; /* as in C: "struct sk_buff *" */
	uint32_t type_id;
};

struct raw_event {
	const struct btf *btf;
	const char *name; /* the BTF's */
	struct raw_arg args[RAW_ARGS_MAX];
	size_t cnt;
};

enum raw_kind {
	RAW_NUMBER,
	RAW_POINTER, /* a number that is an address */
	RAW_STRING,
};

/*
 * What an expression means:
 *
 *	value = the argument;
 *	for each step but the last: value = *(u64 *)(value + offset);
 *	the last step: value + offset is where size bytes of a number, or a text, are read.
 *
 * Without steps the argument is the number: its low size bytes. A number is then swapped if it is
 * big-endian, shifted and masked if width is not 0, and its sign extended if it is signed.
 */
struct raw_value {
	unsigned int arg; /* index, the first is 0 */
	unsigned int steps_cnt;
	uint32_t steps[RAW_STEPS_MAX]; /* offsets */
	enum raw_kind kind;
	uint32_t size; /* of a number 1, 2, 4 or 8; of a text what there is room for, 0: unknown */
	bool is_signed;
	bool is_big_endian; /* __be16 and its like: as on the wire */
	uint8_t shift;      /* of a bit field, from the lowest bit */
	uint8_t width;      /* in bits; 0: no bit field */
	char type[RAW_TYPE];
};

/*
 * Calls fn for each event whose name matches the pattern (fnmatch(3)), by name; stops at a
 * return value other than 0, returns it. A negative error otherwise: no message.
 */
int raw_events_each(const struct btf *btf, const char *pattern,
		    int (*fn)(const struct raw_event *event, void *arg), void *arg);

/* The event of this name. Errors print a message, with the nearest names. */
int raw_event_find(struct raw_event *event, const struct btf *btf, const char *name);

/* A type as in C. */
void raw_type_text(const struct btf *btf, uint32_t id, char text[RAW_TYPE]);

/*
 * What the expression means: an argument's name or number ("skb", "arg2"), then members of what
 * it is or points to, by "->" or ".", which are the same, and elements of arrays, "[1]". Errors
 * print a message: -EINVAL if it cannot be read, -ENOENT if there is no such thing.
 */
int raw_event__resolve(const struct raw_event *event, const char *text, struct raw_value *value);

#endif
