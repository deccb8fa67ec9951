/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The functions by which a BIO of BIO_f_ssl() moves data. They have no names, and call none of the
 * functions that have: BIO_f_ssl() returns the address of a table, and the table has theirs.
 */
#ifndef WIRESCOPE_TLS_LIBRARIES_BIO_H
#define WIRESCOPE_TLS_LIBRARIES_BIO_H

#include "tls-libraries.h"
#include "tls-symbols.h"

#define TLS_BIO_FUNCTION  "BIO_f_ssl"
#define TLS_BIO_FUNCTIONS 2

/*
 * Both, or none if that is not proved. function: BIO_f_ssl() in own; crypto: where the functions
 * are that read such a table. Returns how many.
 */
size_t tls_bio_find(const struct tls_symbols *own, const struct tls_symbol *function,
		    const struct tls_symbols *crypto,
		    struct tls_function functions[TLS_BIO_FUNCTIONS]);

#endif
