/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Why the kernel drops packets, as its own BTF tells (enum skb_drop_reason, since 5.17). */
#ifndef WIRESCOPE_DROP_REASONS_H
#define WIRESCOPE_DROP_REASONS_H

#include <stdint.h>

/* Keep what the kernel's BTF says; before an object is loaded. 0 or -ENOMEM, printed. */
int drop_reasons_read(void);

/* "SOCKET_RCVBUFF"; what has no name as a number. The text holds until the next call. */
const char *drop_reason_name(uint32_t reason);

#endif
