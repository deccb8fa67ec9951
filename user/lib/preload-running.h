/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Processes with our library in them, whether they have announced themselves or not. */
#ifndef WIRESCOPE_PRELOAD_RUNNING_H
#define WIRESCOPE_PRELOAD_RUNNING_H

#include <stddef.h>

/* name: of the run. */
size_t preload_count_running(const char *name);

#endif
