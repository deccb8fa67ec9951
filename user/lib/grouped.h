/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Numbers as people read them. */
#ifndef WIRESCOPE_GROUPED_H
#define WIRESCOPE_GROUPED_H

#include <stdint.h>

#define GROUPED_SIZE 32

/* 1234567 as "1,234,567". Returns buf. */
const char *grouped(uint64_t n, char buf[GROUPED_SIZE]);

/* The same in a buffer that lives as long as the block that it stands in. */
#define GROUPED(n) grouped(n, (char[GROUPED_SIZE]){0})

#endif
