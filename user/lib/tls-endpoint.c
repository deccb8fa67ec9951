// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "tls-part.h"

#define MAPPED_PREFIX 12 /* bytes of ::ffff:0:0 */

static bool is_mapped(const struct endpoint *end)
{
	static const unsigned char prefix[MAPPED_PREFIX] = {[10] = 0xff, [11] = 0xff};

	return end->family == AF_INET6 && !memcmp(end->addr, prefix, sizeof(prefix));
}

void tls_address(const struct endpoint *end, char buf[TLS_ADDRESS])
{
	bool mapped = is_mapped(end);
	const void *address = end->addr + (mapped ? MAPPED_PREFIX : 0);

	_Static_assert(TLS_ADDRESS >= INET6_ADDRSTRLEN, "room for any address");
	if (!end->family || !inet_ntop(mapped ? AF_INET : end->family, address, buf, TLS_ADDRESS))
		buf[0] = '\0';
}

const char *tls_endpoint(const struct endpoint *end, char buf[TLS_ENDPOINT])
{
	bool brackets = end->family == AF_INET6 && !is_mapped(end);
	char address[TLS_ADDRESS];

	tls_address(end, address);
	if (address[0])
		snprintf(buf, TLS_ENDPOINT, brackets ? "[%s]:%u" : "%s:%u", address,
			 ntohs(end->port));
	else
		snprintf(buf, TLS_ENDPOINT, "-");
	return buf;
}
