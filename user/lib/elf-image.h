/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What libbpf gets to see of a target's file: a small ELF file in memory with the segments, and
 * those probes whose arguments it can read. The program must be linked with --wrap=elf_begin.
 */
#ifndef WIRESCOPE_ELF_IMAGE_H
#define WIRESCOPE_ELF_IMAGE_H

#include "elf-probes.h"

/*
 * Until elf_image_hide(), libbpf reads this instead of any ELF file that it opens. Returns 0 or
 * -ENOMEM, no message.
 */
int elf_image_show(const struct elf_probes *p);
void elf_image_hide(void);

#endif
