/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What each connection has lost. Of tls-output.c. */
#ifndef WIRESCOPE_TLS_LOSS_H
#define WIRESCOPE_TLS_LOSS_H

#include "tls-part.h"

/* What a part says of losses. */
void tls_loss_add(const struct tls_part *part);

/* Note which connections have lost most, and forget all. Returns how many calls were lost. */
uint64_t tls_loss_close(void);

#endif
