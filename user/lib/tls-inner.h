/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The function that SSL_read() and SSL_read_ex() only wrap (of OpenSSL: ssl_read_internal(),
 * which has no symbol), or the same for writing. It has the arguments of SSL_read_ex(), and all
 * ways to read lead through it, those of BIOs too. It begins with a push, which the kernel
 * emulates, so that a return probe there costs less than two probes in the wrappers.
 */
#ifndef WIRESCOPE_TLS_INNER_H
#define WIRESCOPE_TLS_INNER_H

#include <stdint.h>

#include "tls-libraries.h"

/*
 * Where in the file of both it is; 0 if it cannot be proved that both call it, the first one with
 * its own arguments and the other one with its first two.
 */
uint64_t tls_inner_find(int fd, const struct tls_function *ex, const struct tls_function *plain);

#endif
