/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a TLS library keeps the version, cipher, server name and descriptors of a connection. Its
 * releases differ, and no header says it. But its own functions that return such a thing do nothing
 * but load it from its place (SSL_version() is "mov (%rdi),%eax; ret"): their code is read, and
 * believed only if it is nothing else.
 */
#ifndef WIRESCOPE_TLS_LAYOUT_H
#define WIRESCOPE_TLS_LAYOUT_H

#include "tls-layout-code.h"
#include "tls-symbols.h"
#include "tls.h"

/*
 * What is not proved stays without steps. version: "OpenSSL 3.0.19", as the library's own functions
 * say it; empty if that is not proved. helper: what it works by: libcrypto, which has what OpenSSL
 * does input and output by, or libnspr4; NULL: it is the same file. Never fails.
 */
void tls_layout_read(struct tls_layout *layout, char *version, size_t size,
		     const struct tls_symbols *symbols, const struct tls_symbols *helper,
		     enum tls_api api);

/* What a function of a file returns, see code_returns(). */
bool tls_layout_ask(const struct elf_file *f, const struct tls_symbol *function,
		    enum code_kind kind, struct code_value *value);

#endif
