/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Small numbers, from 1 on, for large ones. */
#ifndef WIRESCOPE_PRELOAD_NUMBERS_H
#define WIRESCOPE_PRELOAD_NUMBERS_H

#include <stdint.h>

/* The number of a key other than 0; 0: there is no memory for it. */
uint64_t preload_number(uint64_t key);

void preload_numbers_free(void);

#endif
