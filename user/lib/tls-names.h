/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What numbers of TLS and of its libraries mean. */
#ifndef WIRESCOPE_TLS_NAMES_H
#define WIRESCOPE_TLS_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "tls.h"

#define TLS_TEXT 96

/* 0x0304 as "TLSv1.3", 0xfefd as "DTLSv1.2"; others as "0x7f1c". Returns buf. */
const char *tls_version_name(uint16_t version, char buf[TLS_TEXT]);

/* 0x1301 as "TLS_AES_128_GCM_SHA256" (IANA); others as "0xc0ff". Returns buf. */
const char *tls_cipher_name(uint32_t cipher, char buf[TLS_TEXT]);

/*
 * Why a handshake failed, as its library says it ("certificate verify failed", "unsupported
 * protocol", "http request", "tlsv1 alert unknown ca"), else "SSL reason 123"; without an error
 * "closed before it was complete". Returns buf.
 */
const char *tls_error_text(const struct tls_record *record, char buf[TLS_TEXT]);

#endif
