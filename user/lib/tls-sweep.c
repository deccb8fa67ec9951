// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tls-sweep.h"

#include <errno.h>
#include <signal.h>

#include <bpf/bpf.h>

#include "kernel.h"
#include "tls-connection.h"

static void remove_if_gone(int fd, const struct tls_handle *handle)
{
	struct tls_connection c;

	if (!kill(handle->tgid, 0) || errno != ESRCH)
		return;
	if (bpf_map_lookup_elem(fd, handle, &c) || c.lost_calls || c.lost_bytes)
		return;
	bpf_map_delete_elem(fd, handle);
}

void tls_sweep(const struct bpf_map *connections)
{
	int fd = bpf_map__fd(connections);
	struct tls_handle at, next;
	bool more;

	if (!kernel_in_initial_pid_namespace())
		return;
	/* One that is removed cannot say which one comes next. */
	more = !bpf_map_get_next_key(fd, NULL, &next);
	for (size_t i = 0; more && i < TLS_CONNECTIONS; i++) {
		at = next;
		more = !bpf_map_get_next_key(fd, &at, &next);
		remove_if_gone(fd, &at);
	}
}
