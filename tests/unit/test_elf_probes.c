/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Probes of files that are made up here, some of them hostile, and what libbpf sees of them. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <gelf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "elf-args.h"
#include "elf-image.h"
#include "elf-probes.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define CODE_AT     0x1000
#define CODE_OFFSET 0x40
#define DATA_AT     0x3000

/* A file of 64 bits: two segments, a section of notes, .stapsdt.base if base is not 0. */
struct file {
	Elf64_Ehdr ehdr;
	Elf64_Phdr code, data;
	Elf64_Shdr none, notes, names, base;
	char text[sizeof("\0.note.stapsdt\0.stapsdt.base")];
	_Alignas(8) char note[512];
};

struct note {
	const char *text; /* provider, name, arguments, each with its NUL */
	size_t text_len;
	uint64_t addr, base, semaphore;
};

/* Without the NUL that a string literal has at its end. */
#define TEXT(s) .text = (s), .text_len = sizeof(s) - 1

static void make_file(struct file *f)
{
	*f = (struct file){
		.ehdr = {.e_ident = ELF_PROBES_IDENT,
			 .e_type = ET_DYN,
			 .e_phoff = offsetof(struct file, code),
			 .e_shoff = offsetof(struct file, none),
			 .e_phentsize = sizeof(Elf64_Phdr),
			 .e_phnum = 2,
			 .e_shentsize = sizeof(Elf64_Shdr),
			 .e_shnum = 4,
			 .e_shstrndx = 2},
		.code = {PT_LOAD, PF_R | PF_X, CODE_OFFSET, CODE_AT, CODE_AT, 0x1000, 0x1000, 1},
		.data = {PT_LOAD, PF_R | PF_W, 0x2000, DATA_AT, DATA_AT, 0x1000, 0x1000, 1},
		.notes = {.sh_name = 1,
			  .sh_type = SHT_NOTE,
			  .sh_offset = offsetof(struct file, note)},
		.names = {.sh_type = SHT_STRTAB,
			  .sh_offset = offsetof(struct file, text),
			  .sh_size = sizeof(f->text)},
		.text = "\0.note.stapsdt\0.stapsdt.base",
	};
}

static void add_note(struct file *f, const struct note *note)
{
	const uint64_t addrs[] = {note->addr, note->base, note->semaphore};
	const Elf64_Nhdr nhdr = {sizeof("stapsdt"), sizeof(addrs) + note->text_len, 3};
	char *at = f->note + f->notes.sh_size;

	memcpy(at, &nhdr, sizeof(nhdr));
	at = mempcpy(at + sizeof(nhdr), "stapsdt", sizeof("stapsdt"));
	at = mempcpy(at, addrs, sizeof(addrs));
	at = mempcpy(at, note->text, note->text_len);
	f->notes.sh_size = (at - f->note + 3) / 4 * 4;
	assert_in_range(f->notes.sh_size, 1, sizeof(f->note));
}

/* Of the file only so many bytes. */
static int read_part(struct elf_probes *p, const struct file *f, size_t size)
{
	int fd = memfd_create("elf", MFD_CLOEXEC), err;

	assert_int_equal(write(fd, f, size), size);
	err = elf_probes__read(p, fd);
	close(fd);
	return err;
}

static int read_file(struct elf_probes *p, const struct file *f)
{
	return read_part(p, f, offsetof(struct file, note) + f->notes.sh_size);
}

static const char *const readable[] = {
	"",
	":x",
	" ",
	"8@%rdi",
	"-4@$5",
	"8@$-5",
	"-4@-20(%rbp)",
	"8@(%rsp) ",
	"1@%al  2@%ax -8@%rdx",
	"8@8(%rax,%rbx,8)",
	"8@(%rax,%rbx)",
	"8@x0",
	"4@5",
	"-4@[sp, 96]",
	"8@[x1]",
	"8@[sp,8]",
	"8@%aaaaaaaaaaaaaaa",
};
static const char *const unreadable[] = {
	"8@8(%rax",
	"8@(%rax",
	"8@[sp",
	"8@[sp, 96",
	"8@[sp, 96x]",
	"8@[x0, x1]",
	"8@",
	"8",
	"@%rax",
	"8@%",
	"8@8(%rax)x",
	"8@8(%rax]",
	"888@%rax",
	"--8@%rax",
	"8 @%rax",
	"8@%rax x",
	"8@sym(%rip)",
	"8@%RAX",
	"8@%rax\t8@%rbx",
	"8@%rax\n",
	"8@$",
	"8@8()",
	"8@$99999999999999999999",
	"8@%aaaaaaaaaaaaaaaa",
	"8@%rax 8@8(%rbx",
};

static void test_arguments(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(readable); i++) {
		if (!elf_args_are_readable(readable[i]))
			fail_msg("refused: '%s'", readable[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(unreadable); i++) {
		if (elf_args_are_readable(unreadable[i]))
			fail_msg("taken: '%s'", unreadable[i]);
	}
}

static void test_probes_are_found(void **state)
{
	const struct elf_probe *at;
	struct elf_probes p;
	struct file f;

	(void)state;
	make_file(&f);
	add_note(&f, &(struct note){TEXT("p\0n\0008@%rdi\0"), CODE_AT + 1, 0, DATA_AT});
	add_note(&f, &(struct note){TEXT("p\0n\0008@sym(%rip)\0"), CODE_AT + 2, 0, 0});
	add_note(&f, &(struct note){TEXT("\0only\0\0"), CODE_AT + 3, 0, 0});
	assert_int_equal(read_file(&p, &f), 0);
	assert_int_equal(p.cnt, 3);
	assert_string_equal(p.list[0].args, "8@%rdi");
	assert_int_equal(p.list[0].semaphore, DATA_AT);
	assert_null(p.list[1].args);
	assert_int_equal(elf_probes__find(&p, "p", "n", &at), -EINVAL);
	assert_ptr_equal(at, &p.list[1]);
	assert_int_equal(elf_probes__find(&p, "", "only", &at), 0);
	assert_int_equal(elf_probes__find(&p, "p", "only", &at), -ENOENT);
	elf_probes__free(&p);
}

/* Texts that do not end, or are not there, are no probes. */
static void test_hostile_notes(void **state)
{
	static const struct note notes[] = {
		{TEXT("p\0n\0008@%rax"), CODE_AT, 0, 0}, {TEXT("p\0nnnn"), CODE_AT, 0, 0},
		{TEXT("pppppppp"), CODE_AT, 0, 0},       {TEXT("p\0"), CODE_AT, 0, 0},
		{TEXT("p\0\0\0"), CODE_AT, 0, 0},        {TEXT("p\0n\0"), CODE_AT, 0, 0},
	};
	struct elf_probes p;
	struct file f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++) {
		make_file(&f);
		add_note(&f, &notes[i]);
		/* The padding after it must not end it either. */
		memset(f.note + f.notes.sh_size, 'x', 8);
		assert_int_equal(read_file(&p, &f), 0);
		assert_int_equal(p.cnt, 0);
		elf_probes__free(&p);
	}
	make_file(&f);
	add_note(&f, &(struct note){TEXT("p\0n\0\0"), CODE_AT, 0, 0});
	((Elf64_Nhdr *)f.note)->n_descsz = UINT32_MAX;
	assert_int_equal(read_file(&p, &f), 0);
	assert_int_equal(p.cnt, 0);
	elf_probes__free(&p);
}

static int expected_of_part(size_t size)
{
	const size_t names = offsetof(struct file, text);

	if (size < sizeof(Elf64_Ehdr))
		return -ENOEXEC;
	/* A section without its name is another section. */
	return size >= names && size < names + 1 + sizeof(".note.stapsdt") ? 0 : -EBADMSG;
}

static void test_damaged_files(void **state)
{
	struct elf_probes p;
	struct file f;

	(void)state;
	make_file(&f);
	add_note(&f, &(struct note){TEXT("p\0n\0\0"), CODE_AT, 0, 0});
	for (size_t size = 0; size < offsetof(struct file, note) + f.notes.sh_size; size++) {
		assert_int_equal(read_part(&p, &f, size), expected_of_part(size));
		assert_int_equal(p.cnt, 0);
		elf_probes__free(&p);
	}
	f.notes.sh_size = UINT64_MAX;
	assert_int_equal(read_part(&p, &f, sizeof(f)), -E2BIG);
	elf_probes__free(&p);
	f.code.p_vaddr = UINT64_MAX;
	assert_int_equal(read_part(&p, &f, sizeof(f)), -EBADMSG);
	elf_probes__free(&p);
	f.ehdr.e_phnum = UINT16_MAX;
	assert_int_equal(read_part(&p, &f, sizeof(f)), -E2BIG);
	elf_probes__free(&p);
	f.ehdr.e_type = ET_REL;
	assert_int_equal(read_part(&p, &f, sizeof(f)), -ENOEXEC);
	elf_probes__free(&p);
}

/* Notes have the addresses of the link, .stapsdt.base that of now. */
static void test_moved_by_prelink(void **state)
{
	struct elf_probes p;
	struct file f;

	(void)state;
	make_file(&f);
	f.base = (Elf64_Shdr){.sh_name = 1 + sizeof(".note.stapsdt"), .sh_addr = 0x9000};
	add_note(&f, &(struct note){TEXT("p\0n\0\0"), 0x1100, 0x8000, 0x3000});
	add_note(&f, &(struct note){TEXT("p\0m\0\0"), 0x1100, 0x8000, 0});
	assert_int_equal(read_file(&p, &f), 0);
	assert_int_equal(p.list[0].addr, 0x2100);
	assert_int_equal(p.list[0].semaphore, 0x4000);
	assert_int_equal(p.list[1].semaphore, 0);
	elf_probes__free(&p);
}

static void test_moved_to_a_process(void **state)
{
	struct elf_probes p;
	struct file f;

	(void)state;
	make_file(&f);
	add_note(&f, &(struct note){TEXT("p\0n\0\0"), CODE_AT + 0x10, 0, DATA_AT});
	assert_int_equal(read_file(&p, &f), 0);
	assert_int_equal(elf_probes__move(&p, 0x7f0000, 0x1000, 0x5000), -ESRCH);
	/* The page of the file that the code begins in is at 0x7f0000. */
	assert_int_equal(elf_probes__move(&p, 0x7f0000, 0x2000, 0), 0);
	assert_int_equal(p.type, ET_EXEC);
	assert_int_equal(p.list[0].addr, 0x7f0000 + CODE_OFFSET + 0x10);
	assert_int_equal(p.segments[0].start, 0x7f0000 + CODE_OFFSET);
	assert_int_equal(p.segments[1].start - p.segments[0].start, DATA_AT - CODE_AT);
	elf_probes__free(&p);
}

static size_t count_notes(Elf *elf)
{
	Elf_Data *data = elf_getdata(elf_getscn(elf, 1), NULL);
	size_t at = 0, cnt = 0, name, desc;
	GElf_Nhdr note;

	assert_non_null(data);
	while ((at = gelf_getnote(data, at, &note, &name, &desc)) > 0)
		cnt++;
	return cnt;
}

/* libbpf calls elf_begin() with a descriptor of the file. */
static void test_image(void **state)
{
	struct elf_probes p;
	size_t segments;
	struct file f;
	GElf_Phdr phdr;
	Elf *elf;

	(void)state;
	make_file(&f);
	add_note(&f, &(struct note){TEXT("p\0n\0008@%rdi\0"), CODE_AT, 0, 0});
	add_note(&f, &(struct note){TEXT("p\0n\0008@8(%rdi\0"), CODE_AT, 0, 0});
	assert_int_equal(read_file(&p, &f), 0);
	assert_int_equal(elf_image_show(&p), 0);
	elf_version(EV_CURRENT);
	elf = elf_begin(-1, ELF_C_READ_MMAP, NULL);
	assert_non_null(elf);
	assert_int_equal(count_notes(elf), 1);
	assert_int_equal(elf_getphdrnum(elf, &segments), 0);
	assert_int_equal(segments, 2);
	assert_non_null(gelf_getphdr(elf, 0, &phdr));
	assert_int_equal(phdr.p_vaddr, CODE_AT);
	assert_int_equal(phdr.p_offset, CODE_OFFSET);
	assert_true(phdr.p_flags & PF_X);
	elf_end(elf);
	elf_image_hide();
	assert_null(elf_begin(-1, ELF_C_READ_MMAP, NULL));
	elf_probes__free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_probes_are_found),
		cmocka_unit_test(test_hostile_notes),
		cmocka_unit_test(test_damaged_files),
		cmocka_unit_test(test_moved_by_prelink),
		cmocka_unit_test(test_moved_to_a_process),
		cmocka_unit_test(test_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
