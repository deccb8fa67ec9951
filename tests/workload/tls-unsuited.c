/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A program that has the names of TLS calls, on what is no instruction: the kernel puts no probe
 * there (x86). Waits until it is ended.
 */
#include <unistd.h>

#define FUNCTION(name)                                             \
	__asm__(".globl " name "\n.type " name ",%function\n" name \
		": .byte 0xcc, 0xf0, 0x0f, 0x0b\n"                 \
		".size " name ", . - " name "\n")

FUNCTION("SSL_read");
FUNCTION("SSL_write");
FUNCTION("SSL_do_handshake");

int main(void)
{
	pause();
	return 0;
}
