/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Parts of keys that user/lib/object.c knows how to print. */
#ifndef WIRESCOPE_ENDPOINT_H
#define WIRESCOPE_ENDPOINT_H

#include <linux/types.h>

/* One end of a socket. family 0: not part of the key. Port and address in network order. */
struct endpoint {
	__u16 family;
	__u16 port;
	__u8 addr[16]; /* the first 4 for AF_INET */
};

/* tid 0: not part of the key. */
struct thread_id {
	__u32 tid;
	char comm[16];
};

#endif
