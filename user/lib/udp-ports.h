/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The UDP ports that running processes have bound, from /proc. */
#ifndef WIRESCOPE_UDP_PORTS_H
#define WIRESCOPE_UDP_PORTS_H

#include <stdint.h>
#include <sys/types.h>

/* Sets ports[n] for the local ports of the process' UDP sockets; what cannot be read is not. */
void udp_ports_of_process(pid_t pid, uint8_t ports[65536]);

#endif
