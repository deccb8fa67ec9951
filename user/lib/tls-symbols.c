// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tls-symbols.h"

#include <stdlib.h>
#include <string.h>

#define TABLE_MAX (1 << 30)
#define CHAIN_MAX 4096 /* real ones have a few links */
#define NAME_SIZE 64   /* of what is looked for */

/* In .symtab a name can be followed by its version. */
static int compare_start(const void *name, const void *symbol)
{
	const char *a = name, *b = ((const struct tls_symbol *)symbol)->name;

	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (*a == '@' ? 0 : (unsigned char)*a) - (unsigned char)*b;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct tls_symbol *)a)->name, ((const struct tls_symbol *)b)->name);
}

static void take(const struct elf_file *f, const Elf64_Sym *sym, struct tls_symbol *symbol)
{
	int64_t offset = elf_file__code_offset(f, sym->st_value);

	if (offset <= 0 || symbol->offset || ELF64_ST_TYPE(sym->st_info) != STT_FUNC ||
	    sym->st_shndx == SHN_UNDEF || sym->st_shndx == SHN_ABS || sym->st_shndx == SHN_COMMON)
		return;
	symbol->addr = sym->st_value;
	symbol->offset = offset;
	symbol->size = sym->st_size;
}

/* ---- by the hash table -------------------------------------------------------------------- */

struct hash {
	const struct elf_file *file;
	const Elf64_Shdr *symbols, *names;
	uint64_t blooms, buckets, chains; /* where in the file */
	uint32_t blooms_cnt, bloom_shift;
	uint32_t buckets_cnt;
	uint32_t first; /* symbol that it has */
};

static bool hash__open(struct hash *h, const struct elf_file *f)
{
	const Elf64_Shdr *section = elf_file__section(f, SHT_GNU_HASH);
	struct {
		uint32_t buckets_cnt, first, blooms_cnt, bloom_shift;
	} head;

	h->file = f;
	h->symbols = section ? elf_file__linked(f, section) : NULL;
	h->names = h->symbols ? elf_file__linked(f, h->symbols) : NULL;
	if (!h->names || h->symbols->sh_type != SHT_DYNSYM ||
	    h->symbols->sh_entsize != sizeof(Elf64_Sym) || section->sh_offset >= ELF_ADDRESS_MAX ||
	    elf_file__read_at(f, section->sh_offset, &head, sizeof(head)) || !head.buckets_cnt ||
	    !head.blooms_cnt)
		return false;
	h->buckets_cnt = head.buckets_cnt;
	h->first = head.first;
	h->blooms_cnt = head.blooms_cnt;
	h->bloom_shift = head.bloom_shift % 32;
	h->blooms = section->sh_offset + sizeof(head);
	h->buckets = h->blooms + head.blooms_cnt * sizeof(uint64_t);
	h->chains = h->buckets + head.buckets_cnt * sizeof(uint32_t);
	return true;
}

static bool hash__is_symbol(const struct hash *h, uint32_t nr, const char *name, Elf64_Sym *sym)
{
	size_t size = strlen(name) + 1;
	char found[NAME_SIZE];

	return nr < h->symbols->sh_size / sizeof(*sym) && size <= sizeof(found) &&
	       !elf_file__read_at(h->file, h->symbols->sh_offset + nr * sizeof(*sym), sym,
				  sizeof(*sym)) &&
	       !elf_file__read_at(h->file, h->names->sh_offset + sym->st_name, found, size) &&
	       !memcmp(found, name, size);
}

/* Tells most names that it has not, by one read. */
static bool hash__may_have(const struct hash *h, uint32_t hash)
{
	uint64_t at = h->blooms + hash / 64 % h->blooms_cnt * sizeof(uint64_t), bits;

	return !elf_file__read_at(h->file, at, &bits, sizeof(bits)) && bits >> hash % 64 & 1 &&
	       bits >> (hash >> h->bloom_shift) % 64 & 1;
}

static void hash__find(const struct hash *h, struct tls_symbol *symbol)
{
	uint32_t hash = 5381, nr, link;
	Elf64_Sym sym;

	for (const char *c = symbol->name; *c; c++)
		hash = hash * 33 + (unsigned char)*c;
	if (!hash__may_have(h, hash) ||
	    elf_file__read_at(h->file, h->buckets + hash % h->buckets_cnt * sizeof(nr), &nr,
			      sizeof(nr)) ||
	    nr < h->first)
		return;
	for (size_t i = 0; i < CHAIN_MAX; i++, nr++) {
		if (elf_file__read_at(h->file, h->chains + (uint64_t)(nr - h->first) * sizeof(link),
				      &link, sizeof(link)))
			return;
		/* The lowest bit says that it is the last one. */
		if ((link | 1) == (hash | 1) && hash__is_symbol(h, nr, symbol->name, &sym))
			take(h->file, &sym, symbol);
		if (link & 1)
			return;
	}
}

/* ---- by going through all ----------------------------------------------------------------- */

/* Most symbols are something else, which their first letters show. */
struct starts {
	bool pair[256][256];
};

struct table {
	char *symbols, *names; /* a NUL is behind the names */
	uint64_t symbols_size, names_size;
};

static bool table__load(struct table *t, const struct elf_file *f, uint32_t type)
{
	const Elf64_Shdr *symbols = elf_file__section(f, type);
	const Elf64_Shdr *names = symbols ? elf_file__linked(f, symbols) : NULL;

	*t = (struct table){0};
	if (!names || symbols->sh_entsize != sizeof(Elf64_Sym) || names->sh_type != SHT_STRTAB ||
	    elf_file__load(f, symbols, TABLE_MAX, &t->symbols) ||
	    elf_file__load(f, names, TABLE_MAX, &t->names))
		return false;
	t->symbols_size = symbols->sh_size;
	t->names_size = names->sh_size;
	return true;
}

static void find_in(const struct elf_file *f, uint32_t type, const struct starts *starts,
		    struct tls_symbol *list, size_t cnt)
{
	struct tls_symbol *found;
	struct table t;
	Elf64_Sym sym;

	if (table__load(&t, f, type)) {
		for (uint64_t at = 0; at + sizeof(sym) <= t.symbols_size; at += sizeof(sym)) {
			const unsigned char *name = (const unsigned char *)t.names;

			memcpy(&sym, t.symbols + at, sizeof(sym));
			if (sym.st_name >= t.names_size)
				continue;
			name += sym.st_name;
			if (!starts->pair[name[0]][name[0] ? name[1] : 0])
				continue;
			found = bsearch(name, list, cnt, sizeof(*list), compare_start);
			if (found)
				take(f, &sym, found);
		}
	}
	free(t.symbols);
	free(t.names);
}

void tls_symbols_find(const struct tls_symbols *s, struct tls_symbol *list, size_t cnt)
{
	struct starts *starts;
	struct hash hash;
	bool has_hash;

	qsort(list, cnt, sizeof(*list), compare_names);
	if (!s->file.is_64)
		return;
	has_hash = hash__open(&hash, &s->file);
	for (size_t i = 0; has_hash && i < cnt; i++)
		hash__find(&hash, &list[i]);
	if (has_hash && s->only_exported)
		return;
	starts = calloc(1, sizeof(*starts));
	for (size_t i = 0; starts && i < cnt; i++)
		starts->pair[(unsigned char)list[i].name[0]][(unsigned char)list[i].name[1]] = true;
	/* What a file exports is what others call, so it goes first. */
	if (starts && !has_hash)
		find_in(&s->file, SHT_DYNSYM, starts, list, cnt);
	if (starts && !s->only_exported)
		find_in(&s->file, SHT_SYMTAB, starts, list, cnt);
	free(starts);
}

const struct tls_symbol *tls_symbols_get(const struct tls_symbol *list, size_t cnt,
					 const char *name)
{
	const struct tls_symbol *found = bsearch(name, list, cnt, sizeof(*list), compare_start);

	return found && found->offset ? found : NULL;
}
