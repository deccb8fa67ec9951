/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "elf-image.h"

#include <errno.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

/* The image: header, segments, notes, names of sections, sections. */
enum { SECTION_NONE, SECTION_NOTES, SECTION_NAMES, SECTIONS };

static const char section_names[] = "\0" ELF_PROBES_SECTION "\0.shstrtab";

struct image {
	char *at;
	size_t len;
};

/* Without room at first, to learn how much there must be. */
static void image__add(struct image *image, const void *bytes, size_t size)
{
	if (image->at)
		memcpy(image->at + image->len, bytes, size);
	image->len += size;
}

static void image__align(struct image *image, size_t to)
{
	static const char zeros[8];

	image__add(image, zeros, -image->len % to);
}

static void image__add_segments(struct image *image, const struct elf_probes *p)
{
	for (size_t i = 0; i < p->segments_cnt; i++) {
		const struct elf_segment *s = &p->segments[i];
		const Elf64_Phdr phdr = {
			.p_type = PT_LOAD,
			.p_flags = PF_R | (s->executable ? PF_X : 0),
			.p_offset = s->offset,
			.p_vaddr = s->start,
			.p_memsz = s->size,
		};

		image__add(image, &phdr, sizeof(phdr));
	}
}

static void image__add_note(struct image *image, const struct elf_probe *probe)
{
	const uint64_t addrs[] = {probe->addr, 0, probe->semaphore};
	const char *const texts[] = {probe->provider, probe->name, probe->args};
	Elf64_Nhdr note = {.n_namesz = sizeof(ELF_PROBES_OWNER),
			   .n_descsz = sizeof(addrs),
			   .n_type = ELF_PROBES_TYPE};

	for (size_t i = 0; i < 3; i++)
		note.n_descsz += strlen(texts[i]) + 1;
	image__add(image, &note, sizeof(note));
	image__add(image, ELF_PROBES_OWNER, sizeof(ELF_PROBES_OWNER));
	image__add(image, addrs, sizeof(addrs));
	for (size_t i = 0; i < 3; i++)
		image__add(image, texts[i], strlen(texts[i]) + 1);
	image__align(image, 4);
}

static void image__write(struct image *image, const struct elf_probes *p)
{
	Elf64_Ehdr e = {
		.e_ident = ELF_PROBES_IDENT,
		.e_type = p->type,
		.e_machine = p->machine,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(e),
		.e_ehsize = sizeof(e),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = p->segments_cnt,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = SECTIONS,
		.e_shstrndx = SECTION_NAMES,
	};
	Elf64_Shdr sections[SECTIONS] = {
		[SECTION_NOTES] = {.sh_name = 1, .sh_type = SHT_NOTE, .sh_addralign = 4},
		[SECTION_NAMES] = {.sh_name = 1 + sizeof(ELF_PROBES_SECTION),
				   .sh_type = SHT_STRTAB},
	};

	image__add(image, &e, sizeof(e));
	image__add_segments(image, p);
	sections[SECTION_NOTES].sh_offset = image->len;
	for (size_t i = 0; i < p->cnt; i++) {
		if (p->list[i].args)
			image__add_note(image, &p->list[i]);
	}
	sections[SECTION_NOTES].sh_size = image->len - sections[SECTION_NOTES].sh_offset;
	sections[SECTION_NAMES].sh_offset = image->len;
	sections[SECTION_NAMES].sh_size = sizeof(section_names);
	image__add(image, section_names, sizeof(section_names));
	image__align(image, 8);
	e.e_shoff = image->len;
	image__add(image, sections, sizeof(sections));
	if (image->at)
		memcpy(image->at, &e, sizeof(e));
}

static struct image shown;

int elf_image_show(const struct elf_probes *p)
{
	struct image image = {0};

	image__write(&image, p);
	image.at = malloc(image.len);
	if (!image.at)
		return -ENOMEM;
	image.len = 0;
	image__write(&image, p);
	elf_image_hide();
	shown = image;
	return 0;
}

void elf_image_hide(void)
{
	free(shown.at);
	shown = (struct image){0};
}

Elf *__real_elf_begin(int fd, Elf_Cmd cmd, Elf *ref);
Elf *__wrap_elf_begin(int fd, Elf_Cmd cmd, Elf *ref);

Elf *__wrap_elf_begin(int fd, Elf_Cmd cmd, Elf *ref)
{
	return shown.at ? elf_memory(shown.at, shown.len) : __real_elf_begin(fd, cmd, ref);
}
