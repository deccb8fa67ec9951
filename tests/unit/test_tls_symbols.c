// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "symbol-file.h"
#include "tls-symbols.h"

#define BUCKETS 2
#define SHIFT   6

/* A file that exports functions by a hash table. */
struct hashed {
	struct file file;
	struct {
		uint32_t buckets_cnt, first, blooms_cnt, shift;
		uint64_t bloom;
		uint32_t buckets[BUCKETS], chains[SYMBOLS_MAX];
	} hash;
};

static uint32_t hash_of(const char *name)
{
	uint32_t hash = 5381;

	while (*name)
		hash = (hash << 5) + hash + (unsigned char)*name++;
	return hash;
}

/* The symbols of each bucket, which are to be next to each other, by their order in names. */
static void make_hashed(struct hashed *h, const char *const *names, size_t cnt)
{
	uint32_t nr = 1;

	memset(h, 0, sizeof(*h));
	make_file(&h->file);
	add_dynamic(&h->file, "", 0, 0);
	h->file.sections[VERDEFS] = section_of(SHT_GNU_HASH, offsetof(struct hashed, hash),
					       sizeof(h->hash), 0);
	h->file.sections[VERDEFS].sh_link = DYNSYM;
	h->hash.buckets_cnt = BUCKETS;
	h->hash.first = 1;
	h->hash.blooms_cnt = 1;
	h->hash.shift = SHIFT;
	for (uint32_t bucket = 0; bucket < BUCKETS; bucket++) {
		for (size_t i = 0; i < cnt; i++) {
			uint32_t hash = hash_of(names[i]);

			if (hash % BUCKETS != bucket)
				continue;
			add_dynamic(&h->file, names[i], CODE_AT + 16 * i, 0);
			h->hash.bloom |= 1ull << hash % 64 | 1ull << (hash >> SHIFT) % 64;
			if (!h->hash.buckets[bucket])
				h->hash.buckets[bucket] = nr;
			h->hash.chains[nr++ - 1] = hash & ~1u;
		}
		if (nr > 1)
			h->hash.chains[nr - 2] |= 1;
	}
}

static void open_symbols(struct tls_symbols *s, const void *bytes, size_t size, bool only_exported)
{
	int fd = write_file(bytes, size);

	assert_int_equal(elf_file__read(&s->file, fd), 0);
	s->only_exported = only_exported;
}

static void close_symbols(struct tls_symbols *s)
{
	close(s->file.fd);
	elf_file__free(&s->file);
}

static uint64_t find(const struct tls_symbols *s, const char *name)
{
	struct tls_symbol list[] = {{.name = "zz"}, {.name = name}, {.name = "aa"}};
	const struct tls_symbol *found;

	tls_symbols_find(s, list, 3);
	assert_null(tls_symbols_get(list, 3, "zz"));
	assert_null(tls_symbols_get(list, 3, "aa"));
	found = tls_symbols_get(list, 3, name);
	if (!found)
		return 0;
	assert_string_equal(found->name, name);
	assert_int_equal(found->addr, found->offset - CODE_OFFSET + CODE_AT);
	assert_int_equal(found->size, 16);
	return found->offset;
}

static const char *const names[] = {"SSL_read", "SSL_write", "SSL_free", "SSL_ctrl",
				    "SSL_new",  "PR_Read",   "PR_Write", "PR_Close"};

#define NAMES_CNT (sizeof(names) / sizeof(names[0]))

static void test_hash(void **state)
{
	struct tls_symbols s;
	struct hashed h;

	(void)state;
	make_hashed(&h, names, NAMES_CNT);
	/* What only going through the table would find. */
	add_dynamic(&h.file, "SSL_peek", CODE_AT, 0);
	open_symbols(&s, &h, sizeof(h), true);
	for (size_t i = 0; i < NAMES_CNT; i++)
		assert_int_equal(find(&s, names[i]), CODE_OFFSET + 16 * i);
	assert_int_equal(find(&s, "SSL_peek"), 0);
	assert_int_equal(find(&s, "SSL_rea"), 0);
	close_symbols(&s);
}

/* What was damaged may be not found, but nothing else, and it ends. */
static void test_damage(void **state)
{
	struct tls_symbols s;
	struct hashed h;

	(void)state;
	for (size_t at = 0; at < sizeof(h.hash); at++) {
		for (int bit = 0; bit < 8; bit += 7) {
			uint64_t offset;

			make_hashed(&h, names, NAMES_CNT);
			((char *)&h.hash)[at] ^= 1 << bit;
			open_symbols(&s, &h, sizeof(h), true);
			offset = find(&s, names[4]);
			assert_true(!offset || offset == CODE_OFFSET + 16 * 4);
			close_symbols(&s);
		}
	}
	/* What is no table at all is as if it were not there. */
	memset(&h.hash, 0, sizeof(h.hash));
	open_symbols(&s, &h, sizeof(h), true);
	assert_int_equal(find(&s, names[1]), CODE_OFFSET + 16);
	close_symbols(&s);
}

static void test_tables(void **state)
{
	struct tls_symbols s;
	struct hashed h;

	(void)state;
	make_hashed(&h, names, 1);
	add_local(&h.file, "SSL_read", CODE_AT + 0x100);
	add_local(&h.file, "SSL_write@@V1", CODE_AT + 0x200);
	add_local(&h.file, "SSL_free", CODE_AT)->st_shndx = SHN_UNDEF;
	add_local(&h.file, "SSL_ctrl", CODE_AT)->st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT);
	open_symbols(&s, &h, sizeof(h), true);
	assert_int_equal(find(&s, "SSL_read"), CODE_OFFSET);
	assert_int_equal(find(&s, "SSL_write"), 0);
	s.only_exported = false;
	assert_int_equal(find(&s, "SSL_read"), CODE_OFFSET);
	assert_int_equal(find(&s, "SSL_write"), CODE_OFFSET + 0x200);
	assert_int_equal(find(&s, "SSL_free"), 0);
	assert_int_equal(find(&s, "SSL_ctrl"), 0);
	close_symbols(&s);
}

static void test_no_hash(void **state)
{
	struct tls_symbols s;
	struct hashed h;

	(void)state;
	make_hashed(&h, names, NAMES_CNT);
	h.file.sections[VERDEFS].sh_type = SHT_PROGBITS;
	add_local(&h.file, "SSL_peek", CODE_AT);
	open_symbols(&s, &h, sizeof(h), true);
	for (size_t i = 0; i < NAMES_CNT; i++)
		assert_int_equal(find(&s, names[i]), CODE_OFFSET + 16 * i);
	assert_int_equal(find(&s, "SSL_peek"), 0);
	close_symbols(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_no_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
