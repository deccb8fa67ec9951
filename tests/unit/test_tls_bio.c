// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <dlfcn.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "symbol-file.h"
#include "tls-libraries-bio.h"

#if defined(__x86_64__)

#define READ_AT    (CODE_AT + 0x80)
#define WRITE_AT   (CODE_AT + 0x100)
#define READ_SIZE  0x70
#define WRITE_SIZE 0x55

/* A file with BIO_f_ssl(), what it returns, and what libcrypto has. */
struct image {
	union {
		struct file f;
		char head[CODE_OFFSET];
	};
	char code[0x1000];
	struct {
		struct {
			uint64_t type, name, write, write_old, read, read_old, others[10];
		} method;
		char name[8];
		Elf64_Rela rela[4];
		struct {
			uint8_t forms[4];
			int32_t pointer;
			uint32_t cnt;
			int32_t entries[2][2];
		} frames;
		struct {
			uint32_t size, kind;
			int32_t begin;
			uint32_t code_size;
		} of[2];
	} data;
};

#define DATA(member) (DATA_AT + offsetof(typeof(((struct image *)0)->data), member))

static void make_frames(struct image *m)
{
	static const uint64_t addrs[2] = {READ_AT, WRITE_AT}, sizes[2] = {READ_SIZE, WRITE_SIZE};

	m->f.ehdr.e_shstrndx = NAMES;
	m->f.sections[NOTE] = section_of(SHT_PROGBITS, offsetof(struct image, data.frames),
					 sizeof(m->data.frames), 0);
	m->f.sections[NOTE].sh_name = add_name(&m->f, ".eh_frame_hdr");
	m->f.sections[NOTE].sh_addr = DATA(frames);
	memcpy(m->data.frames.forms, "\x01\x1b\x03\x3b", 4);
	m->data.frames.cnt = 2;
	for (int i = 0; i < 2; i++) {
		uint64_t of = DATA(of) + i * sizeof(m->data.of[0]);

		m->data.frames.entries[i][0] = addrs[i] - DATA(frames);
		m->data.frames.entries[i][1] = of - DATA(frames);
		m->data.of[i].kind = 1;
		m->data.of[i].begin = addrs[i] - (of + 8);
		m->data.of[i].code_size = sizes[i];
	}
}

static void make_image(struct image *m)
{
	uint32_t at = DATA(method);

	memset(m, 0, sizeof(*m));
	make_file(&m->f);
	m->f.ehdr.e_machine = EM_X86_64;
	add_dynamic(&m->f, "BIO_f_ssl", CODE_AT, 0);
	add_dynamic(&m->f, "BIO_meth_get_read_ex", CODE_AT + 0x10, 0);
	add_dynamic(&m->f, "BIO_meth_get_write_ex", CODE_AT + 0x20, 0);
	/* mov $METHOD,%eax; ret */
	memcpy(m->code, "\xb8\0\0\0\0\xc3", 6);
	memcpy(m->code + 1, &at, sizeof(at));
	/* mov 0x20(%rdi),%rax; ret */
	memcpy(m->code + 0x10, "\x48\x8b\x47\x20\xc3", 5);
	memcpy(m->code + 0x20, "\x48\x8b\x47\x10\xc3", 5);
	m->data.method.type = 0x207;
	m->data.method.name = DATA(name);
	m->data.method.write = WRITE_AT;
	m->data.method.read = READ_AT;
	memcpy(m->data.name, "ssl", 4);
	make_frames(m);
}

/* As position-independent code: the linker leaves the values to the dynamic one. */
static void make_moved(struct image *m)
{
	int32_t to = DATA(method) - (CODE_AT + 7);

	make_image(m);
	m->f.ehdr.e_type = ET_DYN;
	/* lea METHOD(%rip),%rax; ret */
	memcpy(m->code, "\x48\x8d\x05\0\0\0\0\xc3", 8);
	memcpy(m->code + 3, &to, sizeof(to));
	for (uint64_t i = 0; i < 4; i++) {
		uint64_t *value = &m->data.method.name + i;

		m->data.rela[i] = (Elf64_Rela){DATA(method) + 8 + 8 * i,
					       ELF64_R_INFO(0, R_X86_64_RELATIVE), *value};
		*value = 0;
	}
	m->data.rela[2].r_offset = 0; /* of something else */
	m->f.sections[VERDEFS] = section_of(SHT_RELA, offsetof(struct image, data.rela),
					    sizeof(m->data.rela), sizeof(m->data.rela[0]));
	m->f.sections[VERDEFS].sh_flags = SHF_ALLOC;
}

static size_t find(const struct image *m, struct tls_function functions[TLS_BIO_FUNCTIONS])
{
	struct tls_symbol symbol = {.name = "BIO_f_ssl"};
	struct tls_symbols s = {.only_exported = true};
	int fd = write_file(m, sizeof(*m));
	size_t cnt = 0;

	if (!elf_file__read(&s.file, fd)) {
		tls_symbols_find(&s, &symbol, 1);
		cnt = tls_bio_find(&s, &symbol, &s, functions);
	}
	elf_file__free(&s.file);
	close(fd);
	return cnt;
}

static void assert_both(const struct image *m, uint64_t read_size)
{
	struct tls_function f[TLS_BIO_FUNCTIONS];

	assert_int_equal(find(m, f), 2);
	assert_string_equal(tls_calls[f[0].call].name, "SSL_read_ex");
	assert_string_equal(tls_function__name(&f[0]), "BIO_f_ssl's read");
	assert_int_equal(f[0].offset, READ_AT - CODE_AT + CODE_OFFSET);
	assert_int_equal(f[0].size, read_size);
	assert_true(f[0].is_bio);
	assert_string_equal(tls_calls[f[1].call].name, "SSL_write_ex");
	assert_string_equal(tls_function__name(&f[1]), "BIO_f_ssl's write");
	assert_int_equal(f[1].offset, WRITE_AT - CODE_AT + CODE_OFFSET);
	assert_int_equal(f[1].size, WRITE_SIZE);
	assert_true(f[1].is_bio);
}

static void test_found(void **state)
{
	struct image m;

	(void)state;
	make_image(&m);
	assert_both(&m, READ_SIZE);
	make_moved(&m);
	assert_both(&m, READ_SIZE);
	/* What is said of the other's frame is of another function. */
	m.data.of[0].begin++;
	assert_both(&m, 0);
}

#define NOT_PROVED(make, change)                  \
	do {                                      \
		make(&m);                         \
		change;                           \
		assert_int_equal(find(&m, f), 0); \
	} while (0)

static void test_not_proved(void **state)
{
	struct tls_function f[TLS_BIO_FUNCTIONS];
	struct image m;

	(void)state;
	NOT_PROVED(make_image, m.data.method.type = 0x407);
	NOT_PROVED(make_image, m.data.name[0] = 'x');
	NOT_PROVED(make_image, m.data.method.name = 0);
	NOT_PROVED(make_image, m.data.method.read = DATA(name)); /* no code */
	NOT_PROVED(make_image, m.code[5] = '\x90');              /* not only a number */
	NOT_PROVED(make_image, m.code[0x13] = '\x21');           /* not of the table's entries */
	NOT_PROVED(make_image, m.code[0x11] = '\x89');           /* it writes there */
	NOT_PROVED(make_image, m.f.dynsym[1].st_shndx = SHN_UNDEF);
	NOT_PROVED(make_moved, m.data.rela[3].r_info = ELF64_R_INFO(1, R_X86_64_64));
	NOT_PROVED(make_moved, m.data.rela[3].r_offset++);
	NOT_PROVED(make_moved, m.f.sections[VERDEFS].sh_flags = 0);
	/* A number is an address only where the file is not moved. */
	NOT_PROVED(make_image, m.f.ehdr.e_type = ET_DYN);
}

/* Sanitizers watch. */
static void test_damage(void **state)
{
	struct tls_function f[TLS_BIO_FUNCTIONS];
	const size_t begin = offsetof(struct image, data);
	struct image m;

	(void)state;
	for (size_t at = 0; at < sizeof(m); at++) {
		if (at == sizeof(m.f))
			at = begin;
		make_moved(&m);
		((char *)&m)[at] ^= 0xff;
		assert_in_range(find(&m, f), 0, TLS_BIO_FUNCTIONS);
	}
}

/* ---- the installed ones ------------------------------------------------------------------- */

static void open_file(struct tls_symbols *s, void *address, uintptr_t *base)
{
	Dl_info info;
	int fd;

	assert_non_null(address);
	assert_int_not_equal(dladdr(address, &info), 0);
	fd = open(info.dli_fname, O_RDONLY | O_CLOEXEC);
	assert_int_equal(elf_file__read(&s->file, fd), 0);
	s->only_exported = true;
	*base = (uintptr_t)info.dli_fbase;
}

static void assert_same(const struct tls_symbols *s, const struct tls_function *f, uintptr_t addr)
{
	assert_int_equal(f->offset, elf_file__code_offset(&s->file, addr));
	assert_in_range(f->size, 64, 4096);
}

/* The library itself says where they are. */
static void test_installed(void **state)
{
	void *ssl = dlopen("libssl.so.3", RTLD_NOW), *crypto = dlopen("libcrypto.so.3", RTLD_NOW);
	struct tls_symbol symbol = {.name = "BIO_f_ssl"};
	struct tls_function f[TLS_BIO_FUNCTIONS];
	void *(*get_method)(void), *(*get_read)(void *), *(*get_write)(void *);
	struct tls_symbols own, helper;
	uintptr_t base, other;

	(void)state;
	if (!ssl || !crypto)
		skip();
	get_method = (void *(*)(void))dlsym(ssl, "BIO_f_ssl");
	get_read = (void *(*)(void *))dlsym(crypto, "BIO_meth_get_read_ex");
	get_write = (void *(*)(void *))dlsym(crypto, "BIO_meth_get_write_ex");
	open_file(&own, get_method, &base);
	open_file(&helper, get_read, &other);
	tls_symbols_find(&own, &symbol, 1);
	assert_int_equal(tls_bio_find(&own, &symbol, &helper, f), 2);
	assert_same(&own, &f[0], (uintptr_t)get_read(get_method()) - base);
	assert_same(&own, &f[1], (uintptr_t)get_write(get_method()) - base);
	close(own.file.fd);
	close(helper.file.fd);
	elf_file__free(&own.file);
	elf_file__free(&helper.file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_not_proved),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_installed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

/* Code of other machines is not read. */
int main(void)
{
	return 0;
}

#endif
