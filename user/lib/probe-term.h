/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The smaller parts of a SPEC: what is read, and what it is compared with. */
#ifndef WIRESCOPE_PROBE_TERM_H
#define WIRESCOPE_PROBE_TERM_H

#include "probe-spec.h"

/* All cut their words out of text. They return 0, or -EINVAL after a message. */
int probe_term__parse(struct probe_term *term, char *text);
int probe_terms_parse(struct probe_term *terms, size_t max, size_t *cnt, char *text);
int probe_filters_parse(struct probe_filter *filters, size_t *cnt, char *text);

/* Is this word a comparison? */
bool probe_is_filter(const char *text);

/* Is there at this kind of place what each term of the spec says? The same errors. */
int probe_spec__check_terms(const struct probe_spec *spec);

#endif
