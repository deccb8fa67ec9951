/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The fields of a tracepoint, as the text of tracefs' events/GROUP/EVENT/format has them. */
#ifndef WIRESCOPE_TRACE_FORMAT_H
#define WIRESCOPE_TRACE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#define TRACE_FIELD_NAME 64
#define TRACE_FIELD_TYPE 96

enum trace_field_kind {
	TRACE_NUMBER,   /* 1, 2, 4 or 8 bytes */
	TRACE_POINTER,  /* the same, its value is an address */
	TRACE_CHARS,    /* char[size]: a text that may fill it without a NUL */
	TRACE_DATA_LOC, /* __data_loc char[]: 4 bytes, length << 16 | offset of the text */
	TRACE_REL_LOC,  /* __rel_loc char[]: the same, but the offset is that from behind the 4 */
	TRACE_OTHER,    /* arrays and structures */
};

struct trace_field {
	char name[TRACE_FIELD_NAME];
	char type[TRACE_FIELD_TYPE]; /* as in C, with the brackets of arrays: "char[16]" */
	unsigned int offset;         /* in what a SEC("tracepoint") program gets */
	unsigned int size;
	bool is_signed;
	bool is_common; /* of every event; programs may not read the first 8 bytes */
	enum trace_field_kind kind;
};

struct trace_format {
	struct trace_field *fields;
	size_t cnt;
	int id; /* 0: the text does not say */
};

/*
 * Read the text of a format file. Lines that are no fields are left out. Returns -EBADMSG if a
 * field contradicts itself, -ENOMEM, else 0; no message. *f is to be freed in all cases.
 */
int trace_format_parse(struct trace_format *f, const char *text);

/* The same for an event of the running kernel; what tracefs_read_format() returns too. */
int trace_format_of_event(struct trace_format *f, const char *group, const char *event);

void trace_format__free(struct trace_format *f);

/* NULL if there is none. */
const struct trace_field *trace_format__find(const struct trace_format *f, const char *name);

/* What "NAME[N]" is of an array; false if there is none, or it has no such element. */
bool trace_format__element(const struct trace_format *f, const char *text,
			   struct trace_field *element);

/* Say that the event has no such field, and which it has. Returns -ENOENT. */
int trace_format__refuse(const struct trace_format *f, const char *group, const char *event,
			 const char *name);

/* Say that there is no such event, and the nearest ones. Returns -ENOENT. */
int trace_event_refuse(const char *group, const char *event);

#endif
