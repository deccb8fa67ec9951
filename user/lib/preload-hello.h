/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a process says first: see preload-region.h. It can say what it likes. */
#ifndef WIRESCOPE_PRELOAD_HELLO_H
#define WIRESCOPE_PRELOAD_HELLO_H

#include <stdbool.h>

#include "preload-region.h"

/* False: nothing was said. memfd: -1 without one. What makes no sense has no secret. */
bool preload_hello__receive(struct preload_hello *hello, int socket_fd, int *memfd);

/* How many slots the memfd has; 0: it cannot be used. */
unsigned int preload_hello__slots(const struct preload_hello *hello, int memfd,
				  unsigned int ring_bits);

#endif
