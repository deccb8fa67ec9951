/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files that say of their symbols what is not so. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "symbol-file.h"

/* Whatever is cut off or changed: an error, or fewer functions, and nothing else is read. */
static void test_damaged_files(void **state)
{
	const size_t whole = sizeof(struct file);
	struct elf_symbol *list;
	struct elf_symbols s;
	struct file f;

	(void)state;
	make_file(&f);
	add_dynamic(&f, "f", CODE_AT, 2);
	add_local(&f, "g", CODE_AT);
	for (size_t size = 0; size < offsetof(struct file, nhdr); size++) {
		assert_int_equal(read_part(&s, &f, size),
				 size < sizeof(Elf64_Ehdr) ? -ENOEXEC : -EBADMSG);
		elf_symbols__free(&s);
	}
	for (size_t at = 0; at < whole; at++) {
		struct file bad = f;

		((unsigned char *)&bad)[at] ^= 0xff;
		if (!read_part(&s, &bad, whole)) {
			assert_in_range(elf_symbols__match(&s, "*", &list), 0, 2);
			free(list);
			assert_in_range(elf_symbols__find(&s, "f@V1", &list), 0, 1);
			free(list);
		}
		elf_symbols__free(&s);
	}
}

static void test_too_large(void **state)
{
	struct elf_symbols s;
	struct file f;

	(void)state;
	make_file(&f);
	f.sections[SYMTAB].sh_size = UINT64_MAX;
	assert_int_equal(read_part(&s, &f, sizeof(f)), -E2BIG);
	elf_symbols__free(&s);
	f.sections[SYMTAB].sh_size = 1 << 20;
	assert_int_equal(read_part(&s, &f, sizeof(f)), -EBADMSG);
	elf_symbols__free(&s);
	make_file(&f);
	add_dynamic(&f, "f", CODE_AT, 2);
	f.sections[VERSIONS].sh_size = 1;
	assert_int_equal(read_part(&s, &f, sizeof(f)), -EBADMSG);
	elf_symbols__free(&s);
	make_file(&f);
	f.sections[NAMES].sh_offset = UINT64_MAX - 1;
	assert_int_equal(read_part(&s, &f, sizeof(f)), -EBADMSG);
	elf_symbols__free(&s);
	make_file(&f);
	f.sections[SYMTAB].sh_entsize = 1;
	assert_int_equal(read_part(&s, &f, sizeof(f)), -EBADMSG);
	elf_symbols__free(&s);
}

/* Names whose text is not there: the last one has no NUL in the file. */
static void test_names_out_of_bounds(void **state)
{
	struct elf_symbols s;
	struct file f;

	(void)state;
	make_file(&f);
	add_local(&f, "far", CODE_AT)->st_name = sizeof(f.names);
	add_local(&f, "farther", CODE_AT)->st_name = UINT32_MAX;
	add_local(&f, "last", CODE_AT);
	f.sections[NAMES].sh_size--;
	read_file(&s, &f);
	FOUND(&s, "last", CODE_OFFSET);
	NOT_FOUND(&s, "far");
	elf_symbols__free(&s);
	f.sections[NAMES].sh_size -= 2;
	read_file(&s, &f);
	FOUND(&s, "la", CODE_OFFSET);
	elf_symbols__free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damaged_files),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_names_out_of_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
