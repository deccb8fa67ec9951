/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Why a BPF program could not record what it saw. Texts: user/lib/report.c. */
#ifndef WIRESCOPE_LOST_H
#define WIRESCOPE_LOST_H

enum lost_reason {
	LOST_RING_FULL, /* user space did not read events fast enough */
	LOST_MAP_FULL,  /* no room for a new key and none for '(other)' */
	LOST_NO_SPAN,   /* a call began, but its start could not be stored */
	LOST_FAULT,     /* memory of the traced process could not be read */
	LOST_LONG,      /* control messages of more than is read of them */
	LOST_COMPAT,    /* a 32-bit process that the chosen backend cannot see */
	LOST_CUT,       /* part of what a call moved found no room any more */
	LOST_REASONS,
};

#endif
