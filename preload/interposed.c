// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "interposed.h"

#include <string.h>

#include "library.h"

void *interposed_by_name(const char *name)
{
	static const struct {
		const char *name;
		void *function;
	} ours[] = {
#define X(function) {#function, (void *)function},
		OPENSSL_INTERPOSED(X) GNUTLS_INTERPOSED(X)
#undef X
	};

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (!strcmp(ours[i].name, name))
			return ours[i].function;
	}
	return NULL;
}
