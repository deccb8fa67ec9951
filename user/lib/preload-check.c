// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "preload-check.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "command.h"
#include "elf-file.h"
#include "elf-symbols.h"
#include "log.h"

#define INTERPRETERS 4 /* of scripts by scripts: as many as the kernel follows */

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#else
#error "which machine is this?"
#endif

struct runner {
	uid_t uid;
	gid_t gid;
};

static struct runner find_runner(const char *user)
{
	const struct passwd *p = user ? getpwnam(user) : NULL;

	return p ? (struct runner){p->pw_uid, p->pw_gid} : (struct runner){getuid(), getgid()};
}

static void suggest_probes(const char *option)
{
	suggest("without %s: sudo %s ... sees it too", option, log_tool());
}

/* What the loader ignores LD_PRELOAD for: ld.so(8), secure-execution mode. */
static const char *find_privileges(int fd, const struct runner *runner)
{
	struct stat st;

	if (fstat(fd, &st))
		return NULL;
	if (st.st_mode & S_ISUID && st.st_uid != runner->uid)
		return "a set-user-ID program";
	if (st.st_mode & S_ISGID && st.st_mode & S_IXGRP && st.st_gid != runner->gid)
		return "a set-group-ID program";
	if (runner->uid && fgetxattr(fd, "security.capability", NULL, 0) > 0)
		return "a program with file capabilities";
	return NULL;
}

static bool has_section(const struct elf_file *f, const char *name)
{
	for (size_t i = 0; i < f->sections_cnt; i++) {
		if (elf_file__section_is(f, &f->sections[i], name))
			return true;
	}
	return false;
}

/* The dynamic loader that the program names; false if it names none. Of 64-bit files. */
static bool find_loader(const struct elf_file *f, char loader[PATH_MAX])
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;

	if (elf_file__read_at(f, 0, &header, sizeof(header)))
		return false;
	for (unsigned int i = 0; i < header.e_phnum; i++) {
		if (elf_file__read_at(f, header.e_phoff + i * sizeof(segment), &segment,
				      sizeof(segment)))
			return false;
		if (segment.p_type != PT_INTERP || segment.p_filesz >= PATH_MAX)
			continue;
		memset(loader, 0, PATH_MAX);
		return !elf_file__read_at(f, segment.p_offset, loader, segment.p_filesz);
	}
	return false;
}

/* Calls within a file never leave it, so nobody can come between. */
static bool has_own_library(int fd)
{
	static const char *const names[] = {"SSL_read", "gnutls_record_recv"};
	struct elf_symbols symbols;
	struct elf_symbol *list = NULL;
	bool found = false;

	if (!elf_symbols__read(&symbols, fd, NULL)) {
		for (size_t i = 0; !found && i < sizeof(names) / sizeof(names[0]); i++) {
			found = elf_symbols__find(&symbols, names[i], &list) > 0;
			free(list);
			list = NULL;
		}
	}
	elf_symbols__free(&symbols);
	return found;
}

static int check_elf(const struct elf_file *f, const char *path, const char *option)
{
	char loader[PATH_MAX];
	bool is_go = has_section(f, ".go.buildinfo") || has_section(f, ".note.go.buildid");
	const char *what = "", *reason;

	if (!f->is_64 || f->machine != MACHINE) {
		what = f->is_64 ? "for another machine" : "a 32-bit program";
		reason = "the library is for 64-bit programs of this machine only";
	} else if (!find_loader(f, loader)) {
		what = is_go ? "a Go program" : "statically linked";
		reason = "it has no dynamic loader, which is what would load the library";
	} else if (has_own_library(f->fd)) {
		what = "a program with a TLS library linked into it";
		reason = "it calls that one directly";
	} else if (!strstr(loader, "/ld-linux")) {
		what = "not for the GNU C library";
		reason = "the library is, and its loader would refuse the library";
	} else {
		if (is_go)
			note("'%s' is a Go program: what it does with Go's own TLS is not seen",
			     path);
		return 0;
	}
	refuse(-ENOTSUP, "%s cannot see into '%s', which is %s", option, path, what);
	why("%s", reason);
	suggest_probes(option);
	return -ENOTSUP;
}

/* 1: it is a script, and interpreter has what runs it. */
static int check_file(int fd, const char *path, const struct runner *runner, const char *option,
		      char interpreter[COMMAND_INTERPRETER])
{
	const char *privileges;
	struct elf_file elf;
	FILE *script;
	bool found;
	int err = elf_file__read(&elf, fd);

	if (!err)
		err = check_elf(&elf, path, option);
	elf_file__free(&elf);
	if (err == -ENOEXEC) {
		script = fdopen(dup(fd), "re");
		found = script && !fseek(script, 0, SEEK_SET) &&
			command_interpreter(script, interpreter);
		if (script)
			fclose(script);
		return found;
	}
	if (err == -ENOTSUP)
		return err;
	privileges = find_privileges(fd, runner);
	if (!privileges)
		return 0;
	refuse(-ENOTSUP, "%s cannot see into '%s', which is %s", option, path, privileges);
	why("the dynamic loader takes no libraries from the environment for those");
	suggest_probes(option);
	return -ENOTSUP;
}

int preload_check_command(const char *path, const char *user, const char *option)
{
	struct runner runner = find_runner(user);
	char interpreter[COMMAND_INTERPRETER];
	int fd, ret = 1;

	for (int i = 0; ret == 1 && i < INTERPRETERS; i++) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return 0;
		ret = check_file(fd, path, &runner, option, interpreter);
		close(fd);
		path = interpreter;
	}
	return ret < 0 ? ret : 0;
}

/* As that user would: the file system is asked, folder by folder. */
static bool may_read(const char *path, const char *user)
{
	struct runner runner = find_runner(user);
	int gid, uid, fd;

	if (!user)
		return !access(path, R_OK);
	gid = setfsgid(runner.gid);
	uid = setfsuid(runner.uid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	setfsuid(uid);
	setfsgid(gid);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

int preload_find_library(const char *file, const char *user, char path[PATH_MAX])
{
	static const char *const places[] = {"", "../lib/wirescope/"};
	char self[PATH_MAX], candidate[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	bool found = false;

	if (len < 0)
		return fail(-errno, "failed to find the file of %s", log_tool());
	self[len] = '\0';
	*(strrchr(self, '/') ?: self) = '\0';
	for (size_t i = 0; !found && i < sizeof(places) / sizeof(places[0]); i++) {
		if (snprintf(candidate, PATH_MAX, "%s/%s%s", self, places[i], file) < PATH_MAX)
			found = realpath(candidate, path);
	}
	if (!found) {
		refuse(-ENOENT, "no '%s' beside %s, nor in ../lib/wirescope/", file, log_tool());
		why("it is what sees the calls of the command");
		suggest("make, or make install, which put it there");
		return -ENOENT;
	}
	if (strpbrk(path, " :")) {
		refuse(-EINVAL, "the dynamic loader cannot be told of '%s'", path);
		why("a blank or a colon ends a name in LD_PRELOAD");
		suggest("another folder for %s and the library", log_tool());
		return -EINVAL;
	}
	if (may_read(path, user))
		return 0;
	refuse(-EACCES, "'%s' cannot be read by the user '%s'", path, user ?: "");
	why("the dynamic loader would run the command without it");
	suggest("make install, or a folder that all may read");
	return -EACCES;
}
