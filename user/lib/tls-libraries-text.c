// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What people are told of TLS libraries. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "log.h"
#include "maps.h"
#include "process.h"
#include "tls-libraries-bio.h"
#include "tls-libraries-file.h"

static bool has_api(const struct tls_library *library, enum tls_api api)
{
	for (size_t i = 0; i < library->functions_cnt; i++) {
		if (tls_calls[library->functions[i].call].api == api)
			return true;
	}
	return false;
}

/* Of the calls that libraries like it have; libcrypto and libnspr4 have some of them. */
static size_t calls_of_kind(const struct tls_library *library)
{
	size_t cnt = has_api(library, TLS_OPENSSL) ? TLS_BIO_FUNCTIONS : 0;

	for (size_t i = 0; i < tls_calls_cnt; i++)
		cnt += has_api(library, tls_calls[i].api);
	return cnt;
}

static const char *shown_name(const struct tls_library *library, char text[PATH_MAX])
{
	const char *mark = library->is_deleted ? " (deleted)" : "";
	size_t len;

	escape(text, PATH_MAX - strlen(mark), library->name, strlen(library->name),
	       ESCAPE_TERMINAL);
	len = strlen(text);
	snprintf(text + len, PATH_MAX - len, "%s", mark);
	return text;
}

void tls_libraries__list(const struct tls_libraries *l, FILE *out)
{
	char name[PATH_MAX], calls[32], pid[16];
	int width = strlen("LIBRARY");

	for (size_t i = 0; i < l->cnt; i++) {
		int len = strlen(shown_name(&l->lib[i], name));

		width = len > width ? len : width;
	}
	fprintf(out, "%-*s %-8s %-16s %-9s %s\n", width, "LIBRARY", "API", "VERSION", "CALLS",
		"PID");
	for (size_t i = 0; i < l->cnt; i++) {
		const struct tls_library *library = &l->lib[i];
		enum tls_api api = tls_library__api(library);

		snprintf(calls, sizeof(calls), "%zu of %zu", library->functions_cnt,
			 calls_of_kind(library));
		snprintf(pid, sizeof(pid), "%d", library->pid);
		fprintf(out, "%-*s %-8s %-16s %-9s %s\n", width, shown_name(library, name),
			tls_api_name(api), *library->version ? library->version : "-", calls,
			library->pid ? pid : "-");
	}
}

/* ---- nothing was found -------------------------------------------------------------------- */

/* Of the program that a process runs, or that is going to run. */
static const char *hint_of(const char *path)
{
	struct binary binary;
	const char *hint = NULL;

	if (!tls_file_open(&binary, AT_FDCWD, path)) {
		hint = tls_file_hint(binary.fd);
		binary__close(&binary);
	}
	return hint;
}

/* TLS by other names, which users of a process may not know it to have. */
static const char *hint_of_maps(pid_t pid)
{
	static const struct {
		const char *name, *hint;
	} others[] = {
		{"libjvm", "Java has TLS of its own (JSSE), which is not supported"},
		{"libmbedtls", "it has loaded Mbed TLS, which is not supported"},
		{"libwolfssl", "it has loaded wolfSSL, which is not supported"},
		{"libs2n", "it has loaded s2n-tls, which is not supported"},
	};
	const char *hint = NULL;
	struct maps maps;

	if (!maps_of_process(&maps, pid)) {
		for (size_t i = 0; !hint && i < sizeof(others) / sizeof(others[0]); i++)
			hint = maps__find(&maps, others[i].name) ? others[i].hint : NULL;
	}
	maps__free(&maps);
	return hint;
}

static int refuse_process(pid_t pid)
{
	char comm[PROCESS_COMM], path[32];
	const char *hint = hint_of_maps(pid);

	process_comm(pid, comm);
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	hint = hint ?: hint_of(path);
	refuse(-ENOENT, "%s (PID %d) has not loaded a TLS library", comm, pid);
	if (!hint && process_elf_class(pid) == 32)
		hint = "programs of 32 bits are not supported";
	why("%s", hint
			  ?: "neither OpenSSL, GnuTLS nor NSS is mapped, or part of its "
			     "program");
	suggest("--lib PATH, if it loads one later; --follow for its children");
	return -ENOENT;
}

int tls_libraries__refuse(const struct target *target, size_t unseen)
{
	const char *hint = target->command_path ? hint_of(target->command_path) : NULL;

	if (target->pids_cnt && !unseen)
		return refuse_process(target->pids[0]);
	refuse(-ENOENT, "no TLS library was found");
	if (unseen) {
		why("what %zu %s mapped may not be looked at", unseen,
		    unseen == 1 ? "process has" : "processes have");
		suggest("sudo %s, or --lib PATH", log_tool());
		return -ENOENT;
	}
	why("%s", hint
			  ?: "neither OpenSSL, GnuTLS nor NSS is installed, or part of a "
			     "program");
	suggest("--lib PATH");
	return -ENOENT;
}
