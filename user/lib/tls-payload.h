/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Payload as text. Of tls-text.c and tls-json.c. */
#ifndef WIRESCOPE_TLS_PAYLOAD_H
#define WIRESCOPE_TLS_PAYLOAD_H

#include "sink.h"

/* How each line begins that is printed around payload. */
#define TLS_MARK "----- "

/*
 * For terminals: as ESCAPE_TERMINAL of escape.h, but newlines, tabs and the carriage return
 * before a newline pass, so that HTTP reads as it does in bcc's sslsniff; of a line that begins
 * with TLS_MARK the first dash is escaped. Bytes that are no text are \xNN instead of bcc's
 * U+FFFD: nothing is lost, `printf %b` gives the payload back.
 */
void tls_payload_text(struct sink *s, const void *data, size_t size);

/* The inside of a JSON string; bytes that are not UTF-8 become U+FFFD. */
void tls_payload_json(struct sink *s, const void *data, size_t size);

#endif
