/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * UDP packets by network device, with a BPF object of its own: what generic-offload --device
 * shows. The functions are those of a tool's descriptor (tool.h).
 */
#ifndef WIRESCOPE_OFFLOAD_DEVICE_H
#define WIRESCOPE_OFFLOAD_DEVICE_H

#include <stdint.h>

struct report;
struct skel;
struct target;

/* Only the devices of this name (kept by reference). 0, or -ENODEV after a message. */
int offload_device_only(const char *name);

struct skel *offload_device_open(void);
int offload_device_setup(void *skel, const struct target *target);
int offload_device_attach(void *skel, const struct target *target);
int offload_device_started(void *skel, const struct target *target, uint64_t now_ns);
int offload_device_report(void *skel, struct report *r);

#endif
