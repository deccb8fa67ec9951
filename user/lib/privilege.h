/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What this process may do. */
#ifndef WIRESCOPE_PRIVILEGE_H
#define WIRESCOPE_PRIVILEGE_H

#include <stdbool.h>

/* Is CAP_... (or CAP_SYS_ADMIN, which stands for all that we ask for) effective? */
bool privilege_has(int capability);

/* May programs be loaded and attached to tp_btf? */
bool privilege_may_load(void);

/* True in a user namespace of its own, whose capabilities are worth nothing here. */
bool privilege_in_user_namespace(void);

#endif
