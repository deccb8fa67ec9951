/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where instructions begin. A probe inside of one would change what it does, in each process that
 * runs the file.
 */
#ifndef WIRESCOPE_INSTRUCTION_H
#define WIRESCOPE_INSTRUCTION_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define INSTRUCTION_MAX 15

/*
 * Length in bytes of the instruction of this machine (64 bits) that the code begins with; -EINVAL
 * if it is none that is known, or longer than size.
 */
ssize_t instruction_length(const uint8_t *code, size_t size);

/*
 * The beginning of the instruction that the byte at offset belongs to, of code of which the first
 * byte begins one; the same errors.
 */
ssize_t instruction_start(const uint8_t *code, size_t size, size_t offset);

#endif
