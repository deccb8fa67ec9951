// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tls-libraries-file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "tls-layout.h"
#include "tls-libraries-bio.h"
#include "tls-symbols.h"

#define TEXT_STEP (256 << 10)
#define TEXT_OVER 64        /* bytes that are looked at twice: more than any text is long */
#define TEXT_MAX  (1 << 30) /* a file with holes, which anyone can make, has far more */

/* ---- opening ------------------------------------------------------------------------------ */

/* Opening what is no file could do anything: it is looked at first. */
static int reopen(struct binary *binary, int held)
{
	struct stat st;

	if (fstat(held, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	snprintf(binary->path, sizeof(binary->path), "/proc/self/fd/%d", held);
	binary->fd = open(binary->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (binary->fd < 0)
		return -errno;
	snprintf(binary->path, sizeof(binary->path), "/proc/self/fd/%d", binary->fd);
	binary->device = st.st_dev;
	binary->inode = st.st_ino;
	return 0;
}

int tls_file_open(struct binary *binary, int dir_fd, const char *path)
{
	int held = openat(dir_fd, path, O_PATH | O_CLOEXEC), err;

	if (held < 0)
		return -errno;
	err = reopen(binary, held);
	close(held);
	return err;
}

/* Links in a path, which a process may have made, do not lead out of its root. */
static int open_in_root(pid_t pid, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	char root[32];
	int root_fd, fd;

	snprintf(root, sizeof(root), "/proc/%d/root", pid);
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return -errno;
	fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
	fd = fd < 0 ? -errno : fd;
	close(root_fd);
	return fd;
}

int tls_file_open_mapping(struct binary *binary, pid_t pid, const struct mapping *m)
{
	char link[96];
	int held, err;

	snprintf(link, sizeof(link), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, pid, m->start,
		 m->end);
	err = tls_file_open(binary, AT_FDCWD, link);
	if (err != -EPERM && err != -EACCES)
		return err == -ENOENT ? -ESRCH : err;
	/* Who may not follow that link may still know the file by its name. */
	held = m->deleted ? -EACCES : open_in_root(pid, m->path);
	if (held < 0)
		return held;
	err = reopen(binary, held);
	close(held);
	if (err || binary->inode == m->inode)
		return err;
	binary__close(binary);
	return -EACCES;
}

static bool is_overlay(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && fs.f_type == OVERLAYFS_SUPER_MAGIC;
}

bool tls_file_is_same(const struct binary *a, const struct binary *b)
{
	struct stat x, y;

	if (a->inode != b->inode)
		return false;
	if (a->device == b->device)
		return true;
	/* Containers of one image: the kernel puts probes into the file below. */
	return (is_overlay(a->fd) || is_overlay(b->fd)) && !fstat(a->fd, &x) && !fstat(b->fd, &y) &&
	       x.st_size == y.st_size && x.st_ctim.tv_sec == y.st_ctim.tv_sec &&
	       x.st_ctim.tv_nsec == y.st_ctim.tv_nsec;
}

/* ---- has it calls ------------------------------------------------------------------------- */

/* A file that has both of a row is a TLS library: wrappers have the names of some calls only. */
static const char *const marks[][2] = {
	{"SSL_write", "SSL_do_handshake"},
	{"gnutls_record_send", "gnutls_handshake"},
	{"SSL_ForceHandshake", "SSL_ForceHandshake"},
};

#define MARKS (sizeof(marks) / sizeof(marks[0]))

static bool has_marked(const struct tls_symbols *s)
{
	struct tls_symbol list[2 * MARKS] = {0};
	bool has = false;

	for (size_t i = 0; i < 2 * MARKS; i++)
		list[i].name = marks[i / 2][i % 2];
	tls_symbols_find(s, list, 2 * MARKS);
	for (size_t i = 0; !has && i < MARKS; i++)
		has = tls_symbols_get(list, 2 * MARKS, marks[i][0]) &&
		      tls_symbols_get(list, 2 * MARKS, marks[i][1]);
	return has;
}

/* Which of up to 32 texts a section has, as bits, piece by piece: some are large. */
static unsigned int find_texts(const struct elf_file *f, const Elf64_Shdr *section,
			       const char *const *texts, size_t cnt)
{
	char *piece = malloc(TEXT_STEP + TEXT_OVER);
	uint64_t at = 0, size = section->sh_size < TEXT_MAX ? section->sh_size : TEXT_MAX;
	unsigned int found = 0, all = (1u << cnt) - 1;

	while (piece && at < size && found != all) {
		size_t len = size - at < TEXT_STEP + TEXT_OVER ? size - at : TEXT_STEP + TEXT_OVER;

		if (elf_file__read_at(f, section->sh_offset + at, piece, len))
			break;
		for (size_t i = 0; i < cnt; i++) {
			if (!(found & 1u << i) && memmem(piece, len, texts[i], strlen(texts[i])))
				found |= 1u << i;
		}
		at += TEXT_STEP;
	}
	free(piece);
	return found;
}

/* Calls of its own, which only .symtab has: its texts first, as there are far more symbols. */
static bool names_calls(const struct elf_file *f)
{
	static const char *const texts[] = {"SSL_do_handshake", "gnutls_record_send"};
	const Elf64_Shdr *symbols = elf_file__section(f, SHT_SYMTAB);
	const Elf64_Shdr *names = symbols ? elf_file__linked(f, symbols) : NULL;

	return names && find_texts(f, names, texts, 2);
}

/* What a file exports is all that is looked at, if that has calls. */
static int open_symbols(struct tls_symbols *s, int fd)
{
	int err = elf_file__read(&s->file, fd);

	s->only_exported = true;
	if (!err)
		s->only_exported = has_marked(s) || !names_calls(&s->file);
	return err;
}

bool tls_file_has_calls(int fd)
{
	struct tls_symbols s;
	bool has = !open_symbols(&s, fd) && s.file.is_64 && has_marked(&s);

	elf_file__free(&s.file);
	return has;
}

/* ---- what it has -------------------------------------------------------------------------- */

/* Libraries are not run by a dynamic linker that they name; positions do not tell. */
static bool is_program(const struct elf_file *f)
{
	bool is = f->type == ET_EXEC;

	for (size_t i = 1; !is && i < f->sections_cnt; i++)
		is = elf_file__section_is(f, &f->sections[i], ".interp");
	return is;
}

static int find_functions(struct tls_library *library, const struct tls_symbols *s,
			  struct tls_symbol *bio)
{
	size_t cnt = tls_calls_cnt + 1;
	struct tls_symbol *list = calloc(cnt, sizeof(*list));
	const struct tls_symbol *symbol;

	library->functions = calloc(cnt + TLS_BIO_FUNCTIONS, sizeof(*library->functions));
	if (!list || !library->functions) {
		free(list);
		return -ENOMEM;
	}
	list[tls_calls_cnt].name = TLS_BIO_FUNCTION;
	for (size_t i = 0; i < tls_calls_cnt; i++)
		list[i].name = tls_calls[i].name;
	tls_symbols_find(s, list, cnt);
	for (size_t i = 0; i < tls_calls_cnt; i++) {
		symbol = tls_symbols_get(list, cnt, tls_calls[i].name);
		if (symbol)
			library->functions[library->functions_cnt++] = (struct tls_function){
				.call = i,
				.offset = symbol->offset,
				.size = symbol->size,
			};
	}
	symbol = tls_symbols_get(list, cnt, TLS_BIO_FUNCTION);
	*bio = symbol ? *symbol : (struct tls_symbol){0};
	free(list);
	return 0;
}

static void add_bio(struct tls_library *library, const struct tls_symbols *own,
		    const struct tls_symbols *crypto, const struct tls_symbol *bio)
{
	if (bio->offset && library->layout.field[TLS_FIELD_BIO_SSL].steps_cnt)
		library->functions_cnt += tls_bio_find(own, bio, crypto,
						       library->functions + library->functions_cnt);
}

int tls_file_read(struct tls_library *library, int helper)
{
	struct tls_symbols own, other = {0};
	bool helped = helper >= 0 && !open_symbols(&other, helper);
	int err = open_symbols(&own, library->binary.fd);
	struct tls_symbol bio;

	err = err ?: find_functions(library, &own, &bio);
	library->is_program = !err && is_program(&own.file);
	if (!err && library->functions_cnt) {
		tls_layout_read(&library->layout, library->version, sizeof(library->version), &own,
				helped ? &other : NULL, tls_library__api(library));
		add_bio(library, &own, helped ? &other : &own, &bio);
	}
	elf_file__free(&own.file);
	elf_file__free(&other.file);
	return err;
}

/*
 * What of its texts tells a TLS library that is linked in, whose functions have no names. Those
 * that only call OpenSSL have its name and version too, but not the names of its source files.
 */
const char *tls_file_hint(int fd)
{
	static const char *const texts[] = {"Go buildinf:",          "ssl/ssl_lib.cc",
					    "ssl/ssl_lib.c",         "rustls",
					    "GNUTLS_CPUID_OVERRIDE", "mbed TLS"};
	static const char *const hints[] = {
		"it is a Go program: TLS of its own (crypto/tls), which is not supported",
		"it has BoringSSL in it, but is stripped: where its functions are is not "
		"known",
		"it has OpenSSL in it, but is stripped: where its functions are is not "
		"known",
		"it has rustls in it, which is not supported",
		"it has GnuTLS in it, but is stripped: where its functions are is not "
		"known",
		"it has Mbed TLS in it, which is not supported",
	};
	unsigned int found = 0;
	struct elf_file f;

	if (!elf_file__read(&f, fd)) {
		for (size_t i = 1; i < f.sections_cnt; i++) {
			if (elf_file__section_is(&f, &f.sections[i], ".rodata"))
				found |= find_texts(&f, &f.sections[i], texts,
						    sizeof(texts) / sizeof(texts[0]));
			else if (elf_file__section_is(&f, &f.sections[i], ".go.buildinfo"))
				found |= 1;
		}
	}
	elf_file__free(&f);
	return found ? hints[__builtin_ctz(found)] : NULL;
}
