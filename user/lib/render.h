/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One result, as text (bpftrace's layout) and as JSON (bpftrace's objects, and more keys). */
#ifndef WIRESCOPE_RENDER_H
#define WIRESCOPE_RENDER_H

#include <stdio.h>

#include <jansson.h>

#include "object.h"
#include "table.h"

/*
 * Of a printed key: a comm of 16 escaped bytes (64), a thread id (12), two endpoints (49 each), or
 * two texts of 63 escaped bytes (252 each).
 */
#define RENDER_KEY_SIZE 520

/*
 * Text: "@name:" or "@name[key]:", rows, an empty line for each histogram; "@name[key]: 12"
 * for counts. Keys are in ascending order of their totals; empty rows are left out.
 */
void render_text(FILE *out, const struct result *r, const struct table *t);

/* The object of one line, a new reference; NULL if there is nothing to say. */
json_t *render_json(const struct result *r, const struct table *t);

/* A string that a target controls, as JSON. */
json_t *render_string(const char *text);

#endif
