/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Why something does not work here, and what would. */
#ifndef WIRESCOPE_DOCTOR_H
#define WIRESCOPE_DOCTOR_H

#include <stdbool.h>

/*
 * Print WHAT, WHY and TRY for a failure to load or attach, after looking for its cause:
 * privileges, BTF, lockdown, memlock. Returns err.
 */
int doctor_explain(int err, const char *what);

/* Run all checks, print PASS or FAIL for each on stdout; false if one failed. */
bool doctor_run(void);

#endif
