/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A TLS library, made up. Include after cmocka.h. */
#ifndef WIRESCOPE_TEST_TLS_FILE_H
#define WIRESCOPE_TEST_TLS_FILE_H

#include "symbol-file.h"

/* Calls that are traced, and one that is not. */
static inline void make_library(struct file *f)
{
	make_file(f);
	add_dynamic(f, "SSL_write", CODE_AT + 0x10, 2);
	add_dynamic(f, "SSL_do_handshake", CODE_AT + 0x30, 2);
	add_dynamic(f, "SSL_peek", CODE_AT + 0x50, 2);
	add_dynamic(f, "ERR_put_error", CODE_AT + 0x70, 2);
}

#endif
