/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The files that have TLS calls: the TLS libraries that processes have mapped or would load, and
 * programs that a library is linked into. Each file once, however many processes have it and
 * whatever they call it: by device and inode.
 */
#ifndef WIRESCOPE_TLS_LIBRARIES_H
#define WIRESCOPE_TLS_LIBRARIES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "binary.h"
#include "target.h"
#include "tls-calls.h"

/* A function of tls_calls[] that a file has. */
struct tls_function {
	uint16_t call;   /* index of tls_calls[] */
	uint64_t offset; /* in the file: where a uprobe goes */
	uint64_t size;   /* 0: the file does not say */
	bool is_bio;     /* it only has the form of that call: its handle is that of a BIO */
};

struct tls_library {
	struct binary binary; /* held open; binary.path can be opened as long as it is */
	char *name;           /* for people, as its process knows it; not escaped */
	pid_t pid;            /* a process that has it; 0: none is known */
	bool is_deleted;      /* its name leads to no file, or to another one */
	bool is_program;      /* it is linked into a program */
	struct tls_function *functions;
	size_t functions_cnt;
	struct tls_layout layout;
	char version[64]; /* "OpenSSL 3.0.19", if it can be told; else empty */
};

struct tls_libraries {
	struct tls_library *lib; /* a number once given out stays that library's */
	size_t cnt;
	size_t left_out;         /* there are more than TLS_LIBRARIES */
	struct tls_looks *looks; /* what was looked at before; NULL at first */
};

/* Of a file that was found: the API of its first function. */
enum tls_api tls_library__api(const struct tls_library *library);

/* For people. */
const char *tls_function__name(const struct tls_function *function);

/* libcrypto and libnspr4: they are there only for the library that uses them. */
bool tls_library__is_helper(const struct tls_library *library);

/*
 * Add what is not there yet: of the target's processes (all of the system without one), for a
 * command also its own file and what the dynamic linker's cache has. Called again while the tool
 * runs, it finds what has been loaded since (dlopen, new containers, new programs): cheap if
 * nothing has changed. Processes that may not be looked at are counted in *unseen.
 * Returns how many were added, or a negative error after a message.
 */
int tls_libraries__find(struct tls_libraries *l, const struct target *target, size_t *unseen);

/* Add the file of a path, or the library of a name (--lib). Errors print a message. */
int tls_libraries__add(struct tls_libraries *l, const struct target *target, const char *name);

/* --list-libs: a table of them on out, with calls, version, and a process. */
void tls_libraries__list(const struct tls_libraries *l, FILE *out);

/* Say why nothing was found for this target, and what to try. Returns -ENOENT. */
int tls_libraries__refuse(const struct target *target, size_t unseen);

void tls_libraries__free(struct tls_libraries *l);

#endif
