// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tls-libraries-bio.h"

#include <stdlib.h>
#include <string.h>

#include "tls-layout.h"

#define TABLE_ENTRIES  16 /* BIO_METHOD has a dozen */
#define TABLE_TYPE     0  /* of these: it begins with a type and a name in all releases */
#define TABLE_NAME     1
#define BIO_TYPE_SSL   0x207
#define RELOCATIONS_AT 4096 /* at once */

struct table {
	uint64_t addr;
	uint64_t entry[TABLE_ENTRIES];
	bool unknown[TABLE_ENTRIES];
};

/* Where in the file the bytes of an address are; -1: it has none. */
static int64_t offset_of(const struct elf_file *f, uint64_t addr, size_t size)
{
	for (size_t i = 0; i < f->segments_cnt; i++) {
		const struct elf_segment *s = &f->segments[i];

		if (addr >= s->start && addr - s->start < s->file_size &&
		    s->file_size - (addr - s->start) >= size)
			return s->offset + (addr - s->start);
	}
	return -1;
}

static bool read_address(const struct elf_file *f, uint64_t addr, void *to, size_t size)
{
	int64_t offset = offset_of(f, addr, size);

	return offset >= 0 && !elf_file__read_at(f, offset, to, size);
}

/* ---- the table ---------------------------------------------------------------------------- */

static void table__relocate(struct table *t, const Elf64_Rela *rela)
{
	uint64_t at = rela->r_offset - t->addr, nr = at / sizeof(t->entry[0]);

	if (rela->r_offset < t->addr || nr >= TABLE_ENTRIES)
		return;
	t->unknown[nr] |= at % sizeof(t->entry[0]) ||
			  ELF64_R_TYPE(rela->r_info) != R_X86_64_RELATIVE;
	t->entry[nr] = rela->r_addend;
}

static bool table__relocate_by(struct table *t, const struct elf_file *f, const Elf64_Shdr *section)
{
	Elf64_Rela *rela = malloc(RELOCATIONS_AT * sizeof(*rela));
	uint64_t cnt = section->sh_size / sizeof(*rela), some;
	bool done = rela && section->sh_entsize == sizeof(*rela);

	for (uint64_t i = 0; done && i < cnt; i += some) {
		some = cnt - i < RELOCATIONS_AT ? cnt - i : RELOCATIONS_AT;
		done = !elf_file__read_at(f, section->sh_offset + i * sizeof(*rela), rela,
					  some * sizeof(*rela));
		for (uint64_t j = 0; done && j < some; j++)
			table__relocate(t, &rela[j]);
	}
	free(rela);
	return done;
}

/* As it is in memory. Relocations of the short form (RELR) have their values in the file. */
static bool table__read(struct table *t, const struct elf_file *f, uint64_t addr)
{
	bool done;

	*t = (struct table){.addr = addr};
	done = read_address(f, addr, t->entry, sizeof(t->entry));
	for (size_t i = 1; done && i < f->sections_cnt; i++) {
		if (f->sections[i].sh_type == SHT_RELA && f->sections[i].sh_flags & SHF_ALLOC)
			done = table__relocate_by(t, f, &f->sections[i]);
	}
	return done;
}

static bool table__is_of_ssl(const struct table *t, const struct elf_file *f)
{
	char name[sizeof("ssl")];

	return !t->unknown[TABLE_TYPE] && t->entry[TABLE_TYPE] == BIO_TYPE_SSL &&
	       !t->unknown[TABLE_NAME] &&
	       read_address(f, t->entry[TABLE_NAME], name, sizeof(name)) &&
	       !memcmp(name, "ssl", sizeof(name));
}

/* The file of a program that is not moved has the address as a number. */
static bool find_table(const struct elf_file *f, const struct tls_symbol *function, uint64_t *addr)
{
	struct code_value value;

	if (!tls_layout_ask(f, function, CODE_ADDRESS, &value) &&
	    (f->type != ET_EXEC || !tls_layout_ask(f, function, CODE_NUMBER, &value)))
		return false;
	*addr = value.number;
	return true;
}

/* Which entry of such a table a function of libcrypto returns. */
static bool find_entry(const struct tls_symbols *crypto, const struct tls_symbol *function,
		       size_t *nr)
{
	struct code_value value;
	int32_t at;

	if (!function || !tls_layout_ask(&crypto->file, function, CODE_LOADED, &value) ||
	    value.base != CODE_OF_ARGUMENT || value.field.steps_cnt != 1 ||
	    value.field.size != sizeof(uint64_t))
		return false;
	at = value.field.steps[0];
	*nr = at / sizeof(uint64_t);
	return at > 0 && at % sizeof(uint64_t) == 0 && *nr < TABLE_ENTRIES;
}

/* ---- where a function without a symbol ends ------------------------------------------------- */

/* Of .eh_frame_hdr in the form that linkers give it. */
struct frames {
	uint8_t version, pointer_form, cnt_form, table_form;
	int32_t pointer;
	uint32_t cnt;
};

struct frame {
	int32_t begin, entry; /* from where the section is */
};

static const Elf64_Shdr *find_frames(const struct elf_file *f, struct frames *frames)
{
	static const struct frames usual = {1, 0x1b, 0x03, 0x3b, 0, 0};

	for (size_t i = 1; i < f->sections_cnt; i++) {
		const Elf64_Shdr *s = &f->sections[i];

		if (!elf_file__section_is(f, s, ".eh_frame_hdr"))
			continue;
		return s->sh_offset < ELF_ADDRESS_MAX && s->sh_addr < ELF_ADDRESS_MAX &&
				       !elf_file__read_at(f, s->sh_offset, frames,
							  sizeof(*frames)) &&
				       !memcmp(frames, &usual, offsetof(struct frames, pointer))
			       ? s
			       : NULL;
	}
	return NULL;
}

/* What is said of a function is believed if it says of which one it is. */
static uint64_t size_by(const struct elf_file *f, uint64_t entry, uint64_t addr)
{
	struct {
		uint32_t size, kind;
		int32_t begin;
		uint32_t size_of_code;
	} e;

	if (!read_address(f, entry, &e, sizeof(e)) || !e.kind ||
	    entry + offsetof(typeof(e), begin) + e.begin != addr)
		return 0;
	return e.size_of_code;
}

/* 0: not known. */
static uint64_t size_of(const struct elf_file *f, uint64_t addr)
{
	struct frames frames;
	const Elf64_Shdr *s = find_frames(f, &frames);
	uint64_t low = 0, high = s ? frames.cnt : 0;
	struct frame frame;

	while (low < high) {
		uint64_t middle = (low + high) / 2;

		if (elf_file__read_at(f, s->sh_offset + sizeof(frames) + middle * sizeof(frame),
				      &frame, sizeof(frame)))
			return 0;
		if (s->sh_addr + frame.begin == addr)
			return size_by(f, s->sh_addr + frame.entry, addr);
		if (s->sh_addr + frame.begin < addr)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

/* ---- both --------------------------------------------------------------------------------- */

static const struct {
	const char *call;   /* that has the same form */
	const char *getter; /* of libcrypto */
	const char *name;
} moves[TLS_BIO_FUNCTIONS] = {
	{"SSL_read_ex", "BIO_meth_get_read_ex", "BIO_f_ssl's read"},
	{"SSL_write_ex", "BIO_meth_get_write_ex", "BIO_f_ssl's write"},
};

const char *tls_function__name(const struct tls_function *function)
{
	const char *name = tls_calls[function->call].name;

	for (size_t i = 0; i < TLS_BIO_FUNCTIONS && function->is_bio; i++) {
		if (!strcmp(name, moves[i].call))
			return moves[i].name;
	}
	return name;
}

static uint16_t call_of(const char *name)
{
	size_t i = 0;

	while (strcmp(tls_calls[i].name, name))
		i++;
	return i;
}

size_t tls_bio_find(const struct tls_symbols *own, const struct tls_symbol *function,
		    const struct tls_symbols *crypto,
		    struct tls_function functions[TLS_BIO_FUNCTIONS])
{
	struct tls_symbol getters[TLS_BIO_FUNCTIONS] = {0};
	struct table t;
	uint64_t addr;

	if (own->file.machine != EM_X86_64 || !find_table(&own->file, function, &addr) ||
	    !table__read(&t, &own->file, addr) || !table__is_of_ssl(&t, &own->file))
		return 0;
	for (size_t i = 0; i < TLS_BIO_FUNCTIONS; i++)
		getters[i].name = moves[i].getter;
	tls_symbols_find(crypto, getters, TLS_BIO_FUNCTIONS);
	for (size_t i = 0; i < TLS_BIO_FUNCTIONS; i++) {
		const struct tls_symbol *getter = tls_symbols_get(getters, TLS_BIO_FUNCTIONS,
								  moves[i].getter);
		int64_t offset;
		size_t nr;

		if (!find_entry(crypto, getter, &nr) || t.unknown[nr])
			return 0;
		offset = elf_file__code_offset(&own->file, t.entry[nr]);
		if (offset <= 0)
			return 0;
		functions[i] = (struct tls_function){
			.call = call_of(moves[i].call),
			.offset = offset,
			.size = size_of(&own->file, t.entry[nr]),
			.is_bio = true,
		};
	}
	return TLS_BIO_FUNCTIONS;
}
