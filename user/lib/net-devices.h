/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names of network devices, and of the networks (namespaces) that they are in. */
#ifndef WIRESCOPE_NET_DEVICES_H
#define WIRESCOPE_NET_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In this network, in one that "ip netns" knows, or in that of a process? */
bool net_device_exists(const char *name);

/* The devices of this network: "lo, eth0", cut at size. */
void net_device_list(char *buf, size_t size);

/* Inode of the network of this process; 0 if it cannot be told. */
uint32_t net_own_inode(void);

/* "netns blue" by the name that "ip netns" has for it, else "netns 4026532008". */
void net_inode_text(uint32_t inode, char *buf, size_t size);

#endif
