/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files that may have TLS calls, of tls-libraries.c. All are read with bounds: see elf-file.h. */
#ifndef WIRESCOPE_TLS_LIBRARIES_FILE_H
#define WIRESCOPE_TLS_LIBRARIES_FILE_H

#include "binary.h"
#include "maps.h"
#include "tls-libraries.h"

#define TLS_VERSION_MAX sizeof(((struct tls_library *)0)->version)

/* Open a file for reading, if it is one; -EINVAL if not. No message. */
int tls_file_open(struct binary *binary, int dir_fd, const char *path);

/*
 * The file that a process has mapped, even where its name leads to another one or to none, and in
 * its own mount namespace. -ESRCH if the process is gone, -EACCES without permission.
 */
int tls_file_open_mapping(struct binary *binary, pid_t pid, const struct mapping *m);

/* The same file of a file system, though layers of others (overlays) may show it otherwise. */
bool tls_file_is_same(const struct binary *a, const struct binary *b);

/*
 * Has it functions that move what TLS protects, or only calls those of others? Tells most files
 * by few reads; what libcrypto and libnspr4 have is not asked for.
 */
bool tls_file_has_calls(int fd);

/* Fill in what is known of a library by its code; helper: libcrypto's or libnspr4's, -1: none. */
int tls_file_read(struct tls_library *library, int helper);

/* What is in a file that has no TLS calls, for people; NULL if there is no hint of TLS in it. */
const char *tls_file_hint(int fd);

#endif
