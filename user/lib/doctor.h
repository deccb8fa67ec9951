/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Why something does not work here, and what would. */
#ifndef WIRESCOPE_DOCTOR_H
#define WIRESCOPE_DOCTOR_H

struct tool;

/*
 * Print WHAT, WHY and TRY for a failure to load or attach, after looking for its cause:
 * privileges, BTF, lockdown, memlock. Returns err.
 */
int doctor_explain(const struct tool *tool, int err, const char *what);

/*
 * Run all checks, print PASS or FAIL for each on stdout, and for each mode of the tool. Returns
 * the exit status: EXIT_FAILURE if the tool cannot run, or stdout cannot be written.
 */
int doctor_run(const struct tool *tool);

#endif
