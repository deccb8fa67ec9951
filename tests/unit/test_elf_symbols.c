/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Functions of files that are made up here, and of this program. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "log.h" /* before cmocka's fail() */
#include <cmocka.h>

#include "output.h"
#include "symbol-file.h"

static void test_only_functions_with_code(void **state)
{
	struct elf_symbols s;
	struct file f;

	(void)state;
	make_file(&f);
	add_local(&f, "first", CODE_AT);
	add_local(&f, "last", CODE_AT + CODE_SIZE - 1);
	add_local(&f, "zeros", CODE_AT + CODE_SIZE);
	add_local(&f, "behind", CODE_AT + 2 * CODE_SIZE);
	add_local(&f, "before", CODE_AT - 1);
	add_local(&f, "data", DATA_AT);
	add_local(&f, "object", CODE_AT)->st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT);
	add_local(&f, "import", CODE_AT)->st_shndx = SHN_UNDEF;
	add_local(&f, "number", CODE_AT)->st_shndx = SHN_ABS;
	read_file(&s, &f);
	FOUND(&s, "first", CODE_OFFSET);
	FOUND(&s, "last", CODE_OFFSET + CODE_SIZE - 1);
	NOT_FOUND(&s, "zeros");
	NOT_FOUND(&s, "behind");
	NOT_FOUND(&s, "before");
	NOT_FOUND(&s, "data");
	NOT_FOUND(&s, "object");
	NOT_FOUND(&s, "import");
	NOT_FOUND(&s, "number");
	NOT_FOUND(&s, "");
	assert_false(s.is_stripped);
	assert_string_equal(s.build_id, "abcdef01");
	elf_symbols__free(&s);
}

/* Static functions share names; the same function is in both tables. */
static void test_several_of_a_name(void **state)
{
	struct elf_symbol *list;
	struct elf_symbols s;
	struct file f;

	(void)state;
	make_file(&f);
	add_local(&f, "help", CODE_AT + 0x20)->st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC);
	add_local(&f, "help", CODE_AT + 0x10)->st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC);
	add_local(&f, "shown", CODE_AT + 0x30)->st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC);
	add_dynamic(&f, "shown", CODE_AT + 0x30, 1);
	add_dynamic(&f, "chosen", CODE_AT + 0x40, 1)->st_info = ELF64_ST_INFO(STB_GLOBAL,
									      STT_GNU_IFUNC);
	read_file(&s, &f);
	FOUND(&s, "help", CODE_OFFSET + 0x10, CODE_OFFSET + 0x20);
	FOUND(&s, "shown", CODE_OFFSET + 0x30);
	assert_int_equal(elf_symbols__match(&s, "*h*", &list), 4);
	assert_string_equal(list[0].name, "chosen");
	assert_true(list[0].is_ifunc && !list[0].is_local);
	assert_string_equal(list[1].name, "help");
	assert_true(list[1].is_local && !list[1].is_ifunc);
	assert_string_equal(list[3].name, "shown");
	assert_true(list[3].size == 16 && !list[3].is_local);
	free(list);
	assert_int_equal(elf_symbols__match(&s, "h?", &list), 0);
	free(list);
	elf_symbols__free(&s);
}

static void test_versions(void **state)
{
	struct elf_symbol *list;
	struct elf_symbols s;
	struct file f;

	(void)state;
	make_file(&f);
	add_dynamic(&f, "f", CODE_AT + 0x10, 0x8000 | 2);
	add_dynamic(&f, "f", CODE_AT + 0x20, 3);
	add_dynamic(&f, "old", CODE_AT + 0x30, 0x8000 | 2);
	add_dynamic(&f, "plain", CODE_AT + 0x40, 1);
	/* As linkers write them into .symtab. */
	add_local(&f, "f@V1", CODE_AT + 0x10);
	add_local(&f, "g@@V2", CODE_AT + 0x50);
	add_local(&f, "g@V1", CODE_AT + 0x60);
	add_local(&f, "@V1", CODE_AT + 0x70);
	read_file(&s, &f);
	FOUND(&s, "f", CODE_OFFSET + 0x20);
	FOUND(&s, "f@V1", CODE_OFFSET + 0x10);
	FOUND(&s, "f@@V2", CODE_OFFSET + 0x20);
	NOT_FOUND(&s, "f@V3");
	FOUND(&s, "old", CODE_OFFSET + 0x30);
	FOUND(&s, "plain", CODE_OFFSET + 0x40);
	FOUND(&s, "g", CODE_OFFSET + 0x50);
	NOT_FOUND(&s, "");
	assert_int_equal(elf_symbols__match(&s, "[fg]", &list), 4);
	assert_string_equal(list[0].version, "V1");
	assert_true(list[0].is_old);
	assert_string_equal(list[1].version, "V2");
	assert_false(list[1].is_old);
	assert_string_equal(list[2].name, "g");
	assert_string_equal(list[2].version, "V2");
	assert_string_equal(list[3].version, "V1");
	free(list);
	elf_symbols__free(&s);
}

/* The symbols that a package of debug information has, with the segments of the program. */
static void test_debug_file(void **state)
{
	char dir[] = "/tmp/test-elf-symbols-XXXXXX", ab[64], path[96];
	struct file program, debug;
	struct elf_symbols s;
	int fd, file;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(ab, sizeof(ab), "%s/ab", dir);
	snprintf(path, sizeof(path), "%s/cdef01.debug", ab);
	make_file(&program);
	make_file(&debug);
	add_local(&debug, "hidden", CODE_AT + 1);
	debug.phdrs[0].p_offset = 0;
	assert_int_equal(mkdir(ab, 0700), 0);
	file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	fd = write_file(&program, sizeof(program));
	for (int wrong = 0; wrong < 2; wrong++) {
		debug.build_id[3] = wrong ? 2 : 1;
		assert_int_equal(pwrite(file, &debug, sizeof(debug), 0), sizeof(debug));
		assert_int_equal(elf_symbols__read(&s, fd, dir), 0);
		assert_true(s.is_stripped);
		assert_int_equal(s.has_debug_file, !wrong);
		if (wrong)
			NOT_FOUND(&s, "hidden");
		else
			FOUND(&s, "hidden", CODE_OFFSET + 1);
		elf_symbols__free(&s);
	}
	close(fd);
	close(file);
	assert_int_equal(unlink(path) | rmdir(ab) | rmdir(dir), 0);
}

struct small_file {
	Elf32_Ehdr ehdr;
	Elf32_Phdr phdr;
	Elf32_Shdr sections[3];
	Elf32_Sym sym;
	char names[8];
};

static void test_32_bits(void **state)
{
	struct small_file f = {
		.ehdr = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32,
				     ELF_PROBES_ORDER, EV_CURRENT},
			 .e_type = ET_DYN,
			 .e_phoff = offsetof(struct small_file, phdr),
			 .e_shoff = offsetof(struct small_file, sections),
			 .e_phentsize = sizeof(Elf32_Phdr),
			 .e_phnum = 1,
			 .e_shentsize = sizeof(Elf32_Shdr),
			 .e_shnum = 3},
		.phdr = {PT_LOAD, CODE_OFFSET, CODE_AT, 0, CODE_SIZE, CODE_SIZE, PF_X, 1},
		.sections = {[1] = {.sh_type = SHT_SYMTAB,
				    .sh_offset = offsetof(struct small_file, sym),
				    .sh_size = sizeof(Elf32_Sym),
				    .sh_entsize = sizeof(Elf32_Sym),
				    .sh_link = 2},
			     [2] = {.sh_type = SHT_STRTAB,
				    .sh_offset = offsetof(struct small_file, names),
				    .sh_size = 8}},
		.sym = {1, CODE_AT + 8, 4, ELF32_ST_INFO(STB_GLOBAL, STT_FUNC), 0, 1},
		.names = "\0small",
	};
	int fd = write_file(&f, sizeof(f));
	struct elf_symbols s;
	struct elf_probes p;

	(void)state;
	assert_int_equal(elf_symbols__read(&s, fd, NULL), 0);
	FOUND(&s, "small", CODE_OFFSET + 8);
	elf_symbols__free(&s);
	/* libbpf 1.1 is not shown such files. */
	assert_int_equal(elf_probes__read(&p, fd), -ENOEXEC);
	elf_probes__free(&p);
	close(fd);
}

static void assert_says(const struct file *f, const char *name, const char *said)
{
	struct output output;
	struct elf_symbols s;

	read_file(&s, f);
	output_begin(&output, STDERR_FILENO);
	elf_symbols__refuse(&s, "lib", name);
	output_end(&output, STDERR_FILENO);
	assert_string_equal(output.text, said);
	elf_symbols__free(&s);
}

static void test_refusals(void **state)
{
	struct file f;

	(void)state;
	log_init("tool");
	make_file(&f);
	assert_says(&f, "f",
		    "tool: 'lib' has no function 'f'\n"
		    "why: it has no symbols of functions; its build id is abcdef01\n");
	add_dynamic(&f, "SSL_write", CODE_AT, 2);
	add_dynamic(&f, "SSL_read_ex", CODE_AT, 2);
	add_dynamic(&f, "SSL_read", CODE_AT, 2);
	add_dynamic(&f, "malloc", 0, 0)->st_shndx = SHN_UNDEF;
	assert_says(&f, "SSL_raed",
		    "tool: 'lib' has no function 'SSL_raed'\n"
		    "why: it is stripped: only functions that it exports have names; its build id "
		    "is abcdef01\n"
		    "try: SSL_read\n");
	assert_says(&f, "malloc",
		    "tool: 'lib' has no function 'malloc'\n"
		    "why: it calls that of another file; its build id is abcdef01\n");
	add_local(&f, "main", CODE_AT);
	f.nhdr.n_type = 0;
	assert_says(&f, "ssl_re",
		    "tool: 'lib' has no function 'ssl_re'\n"
		    "why: all of its symbols were looked at\n"
		    "try: SSL_read, SSL_read_ex\n");
}

static void __attribute__((noinline)) known_function(void)
{
	__asm__ volatile("");
}

/* What is at the offset in the file is what runs at the address. */
static void test_this_program(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct elf_symbol *list;
	struct elf_symbols s;
	char code[16];

	(void)state;
	known_function();
	assert_int_equal(elf_symbols__read(&s, fd, NULL), 0);
	assert_int_equal(elf_symbols__find(&s, "known_function", &list), 1);
	assert_true(list->is_local && list->size);
	assert_in_range(list->size, 1, sizeof(code));
	assert_int_equal(pread(fd, code, list->size, list->offset), list->size);
	assert_memory_equal(code, (const void *)known_function, list->size);
	free(list);
	elf_symbols__free(&s);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_functions_with_code),
		cmocka_unit_test(test_several_of_a_name),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_debug_file),
		cmocka_unit_test(test_32_bits),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_this_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
