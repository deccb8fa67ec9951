/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef WIRESCOPE_PRELOAD_LIMITS_H
#define WIRESCOPE_PRELOAD_LIMITS_H

#include <stdint.h>

/*
 * So many slots may a region of this process have: less than PRELOAD_SLOTS if its memory is
 * limited, which it needs itself, or its files, since to make a larger one would kill it.
 */
uint32_t limits_slots(unsigned int ring_bits);

#endif
