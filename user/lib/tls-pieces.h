/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Pieces of calls, put together. A call in one piece passes without a copy. Others wait until
 * they are whole, or until too much waits: then what has come of the oldest passes as a part.
 */
#ifndef WIRESCOPE_TLS_PIECES_H
#define WIRESCOPE_TLS_PIECES_H

#include "tls-part.h"

typedef void (*tls_part_fn)(void *arg, const struct tls_part *part);

/* limit: bytes that may wait; keep: bytes of each call that are wanted. */
void tls_pieces_open(size_t limit, uint64_t keep, tls_part_fn fn, void *arg);

/* A read or write. */
void tls_pieces_add(const struct tls_record *record, const unsigned char *data);

/* This thread does something else: what it did before will not be continued. */
void tls_pieces_end_thread(uint32_t tgid, uint32_t tid);

/* No more pieces will come. */
void tls_pieces_close(void);

#endif
