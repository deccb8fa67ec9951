/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The probes of a run and their results, for tools whose probes are not known before: their
 * descriptor has the functions below in place of their own. First the specs are added (at most
 * PROBE_SPECS), by text or by struct; then each gets a result, "@NAME", in name order.
 */
#ifndef WIRESCOPE_PROBE_SET_H
#define WIRESCOPE_PROBE_SET_H

#include "probe-spec.h"
#include "report.h"
#include "target.h"
#include "tool.h"

/*
 * Add one: the struct is copied, its texts are kept by reference. 0, or a negative error after
 * a message.
 */
int probe_set_add(const struct probe_spec *spec);

/* The same for a text (probe-spec.h), of which a copy is kept. */
int probe_set_parse(const char *text);

/* Rows of equal width for all histograms that do not say otherwise. */
void probe_set_linear(const struct linear *linear);

/* The binary of places that name none: default the program of the target, by -p or -c. */
void probe_set_binary(const char *binary);

/* How many were added. */
size_t probe_set_count(void);

/* For struct tool. */
struct skel *probe_set_open(void);
int probe_set_setup(void *skel, const struct target *target);
int probe_set_attach(void *skel, const struct target *target);
int probe_set_report(void *skel, struct report *r);

/* How many events all specs have counted so far, for notes; after probe_set_report(). */
uint64_t probe_set_events(void);

#endif
