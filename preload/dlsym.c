// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs that load a TLS library themselves ask dlsym() for its functions, and would get past
 * ours. What dlsym() finds for RTLD_NEXT depends on who calls it: those calls are handed on by a
 * jump, which leaves the address of the caller on the stack.
 */
#include <dlfcn.h>
#include <string.h>

#include "interposed.h"
#include "library.h"

typedef void *(*dlsym_fn)(void *handle, const char *name);

static dlsym_fn find_dlsym(void)
{
	static const char *const versions[] = {"GLIBC_2.34", "GLIBC_2.17", "GLIBC_2.2.5"};
	static dlsym_fn found;

	for (unsigned int i = 0; !found && i < sizeof(versions) / sizeof(versions[0]); i++)
		found = (dlsym_fn)dlvsym(RTLD_NEXT, "dlsym", versions[i]);
	return found;
}

void *real_dlsym(void *handle, const char *name)
{
	return find_dlsym()(handle, name);
}

INTERPOSED void *dlsym(void *restrict handle, const char *restrict name)
{
	dlsym_fn next = find_dlsym();
	enum tls_api api;
	void *ours, *found;

	if (handle == RTLD_NEXT || !library_interposes(name, &api))
		return next(handle, name);
	ours = interposed_by_name(name);
	found = next(handle, name);
	/* That all can see ours does not mean that there is a library which has it. */
	if (found == ours)
		return library_is_there(api) ? ours : NULL;
	/* Those of the program itself are never ours, whoever calls them. */
	return found && library_has(found) ? ours : found;
}
