/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A target's ELF file: what we read of it, and what libbpf makes of what it gets to see. The
 * last three bytes are not part of the file: they choose where it is mapped.
 */
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "elf-args.h"
#include "elf-image.h"
#include "elf-symbols.h"
#include "fuzz.h"
#include "log.h"
#include "process.h"
#include "udp-syscall.skel.h"

#define ATTACHED_MAX 8 /* of a file, to stay fast */

/* What bpf_program__attach_usdt() calls once its program is loaded; not in libbpf's headers. */
struct usdt_manager;
struct usdt_manager *usdt_manager_new(struct bpf_object *obj);
struct bpf_link *usdt_manager_attach_usdt(struct usdt_manager *man, const struct bpf_program *prog,
					  pid_t pid, const char *path, const char *provider,
					  const char *name, __u64 cookie);

static struct udp_syscall_bpf *skel;
static struct usdt_manager *manager;
static char path[32];
static int file;

/* As log_raw() does: reads each text to its end. */
static int format_message(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char text[512];

	(void)level;
	return vsnprintf(text, sizeof(text), fmt, args);
}

static void set_up(void)
{
	log_init("fuzz");
	libbpf_set_print(format_message);
	skel = udp_syscall_bpf__open();
	FUZZ_CHECK(skel);
	manager = usdt_manager_new(skel->obj);
	FUZZ_CHECK(manager);
	file = memfd_create("elf", MFD_CLOEXEC);
	FUZZ_CHECK(file >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
}

static void check_class(const uint8_t *data, size_t size)
{
	int bits = file_elf_class(path);
	bool known = size > EI_CLASS && !memcmp(data, ELFMAG, SELFMAG) &&
		     (data[EI_CLASS] == ELFCLASS32 || data[EI_CLASS] == ELFCLASS64);

	FUZZ_CHECK(bits == (known ? data[EI_CLASS] * 32 : -ENOEXEC));
}

/* libelf must find in the image just the probes that can be attached to. */
static void check_note(const struct elf_probe *probe, const char *desc, size_t size)
{
	uint64_t addrs[3];
	const char *provider = desc + sizeof(addrs), *name, *args;

	FUZZ_CHECK(size > sizeof(addrs) && !desc[size - 1]);
	memcpy(addrs, desc, sizeof(addrs));
	name = provider + strlen(provider) + 1;
	args = name + strlen(name) + 1;
	FUZZ_CHECK(addrs[0] == probe->addr && addrs[2] == probe->semaphore);
	FUZZ_CHECK(!strcmp(provider, probe->provider) && !strcmp(name, probe->name));
	FUZZ_CHECK(!strcmp(args, probe->args) && args + strlen(args) + 1 == desc + size);
}

static void check_image(const struct elf_probes *p)
{
	/* Any descriptor: this is the call that libbpf makes, and it leads to the image. */
	Elf *elf = elf_begin(file, ELF_C_READ_MMAP, NULL);
	Elf_Scn *scn = elf_getscn(elf, 1);
	Elf_Data *notes = elf_getdata(scn, NULL);
	size_t at = 0, name, desc, segments;
	GElf_Nhdr note;

	FUZZ_CHECK(elf && scn && notes);
	FUZZ_CHECK(!elf_getphdrnum(elf, &segments) && segments == p->segments_cnt);
	for (size_t i = 0; i < p->cnt; i++) {
		FUZZ_CHECK(*p->list[i].name);
		if (!p->list[i].args)
			continue;
		FUZZ_CHECK(elf_args_are_readable(p->list[i].args));
		at = gelf_getnote(notes, at, &note, &name, &desc);
		FUZZ_CHECK(at > 0);
		check_note(&p->list[i], (const char *)notes->d_buf + desc, note.n_descsz);
	}
	FUZZ_CHECK(gelf_getnote(notes, at, &note, &name, &desc) == 0);
	elf_end(elf);
}

static void attach(const struct elf_probes *p)
{
	const struct elf_probe *found;
	int err;

	for (size_t i = 0; i < p->cnt && i < ATTACHED_MAX; i++) {
		const struct elf_probe *probe = &p->list[i];

		err = elf_probes__find(p, probe->provider, probe->name, &found);
		FUZZ_CHECK(err == 0 || (err == -EINVAL && !found->args));
		/* The program is not loaded, so that this ends in an error at the latest there. */
		if (!err)
			FUZZ_CHECK(!usdt_manager_attach_usdt(
				manager, skel->progs.usdt_msg_start_send, -1, path, probe->provider,
				probe->name, 0));
	}
}

static void check_probes(struct elf_probes *p)
{
	FUZZ_CHECK(!elf_image_show(p));
	check_image(p);
	attach(p);
	elf_image_hide();
}

/* Of a file whose size is known: where code is. */
static bool is_code(const struct elf_symbols *s, uint64_t offset)
{
	for (size_t i = 0; i < s->file.segments_cnt; i++) {
		const struct elf_segment *segment = &s->file.segments[i];

		if (segment->executable && offset >= segment->offset &&
		    offset - segment->offset < segment->file_size)
			return true;
	}
	return false;
}

static void check_symbol(const struct elf_symbols *s, const struct elf_symbol *symbol)
{
	struct elf_symbol *list;
	bool found = false;
	char *name = NULL;
	ssize_t cnt;

	FUZZ_CHECK(symbol->name_len && strlen(symbol->name) == symbol->name_len);
	FUZZ_CHECK(is_code(s, symbol->offset));
	FUZZ_CHECK(asprintf(&name, "%s%s%s", symbol->name, symbol->version ? "@" : "",
			    symbol->version ?: "") > 0);
	cnt = elf_symbols__find(s, name, &list);
	/* A version whose name begins with "@" is asked for by another one. */
	if (!symbol->version || (*symbol->version && !strchr(symbol->version, '@'))) {
		for (ssize_t i = 0; i < cnt; i++)
			found |= list[i].offset == symbol->offset;
		FUZZ_CHECK(found || symbol->is_old);
	}
	free(name);
	free(list);
}

static void check_symbols(void)
{
	struct elf_symbol *list;
	struct elf_symbols s;
	ssize_t cnt;

	if (!elf_symbols__read(&s, file, NULL)) {
		cnt = elf_symbols__match(&s, "*", &list);
		FUZZ_CHECK(cnt >= 0);
		for (ssize_t i = 0; i < cnt && i < ATTACHED_MAX; i++)
			check_symbol(&s, &list[i]);
		elf_symbols__refuse(&s, "file", cnt ? list->name : "function");
		free(list);
	}
	elf_symbols__free(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t file_size = size < 3 ? 0 : size - 3;
	struct fuzz_input in = {data + file_size, size - file_size};
	struct elf_probes p;

	if (!skel)
		set_up();
	FUZZ_CHECK(!ftruncate(file, 0) && pwrite(file, data, file_size, 0) == (ssize_t)file_size);
	check_class(data, file_size);
	check_symbols();
	if (!elf_probes__read(&p, file)) {
		check_probes(&p);
		if (!elf_probes__move(&p, (uint64_t)fuzz_byte(&in) << 40, fuzz_byte(&in) << 12,
				      fuzz_byte(&in) << 12))
			check_probes(&p);
	}
	elf_probes__free(&p);
	return 0;
}
