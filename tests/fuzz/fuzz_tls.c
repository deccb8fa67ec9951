/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a file says of the TLS calls that it has, and the code of its functions. The first byte
 * says which of both the rest is.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "log.h"
#include "tls-layout-code.h"
#include "tls-layout.h"
#include "tls-libraries-file.h"
#include "tls-symbols.h"

enum { IS_FILE = 128, IS_CONNECTION = 64, MAY_LEAVE = 32 };

static int file = -1;

static void check_field(const struct tls_field *f)
{
	FUZZ_CHECK(f->steps_cnt <= TLS_STEPS);
	FUZZ_CHECK(!f->steps_cnt || f->size == 2 || f->size == 4 || f->size == 8);
}

static void check_version(const char *text)
{
	FUZZ_CHECK(strlen(text) < TLS_VERSION_MAX && fuzz_is_printable(text, strlen(text), ""));
}

static void try_code(uint8_t options, struct fuzz_input *in)
{
	char *bytes = fuzz_copy(in);
	struct code code = {
		.bytes = (const uint8_t *)bytes,
		.size = in->size,
		.addr = 0x1000,
		.is_connection = options & IS_CONNECTION,
		.may_leave = options & MAY_LEAVE,
	};
	enum code_kind kind = CODE_NUMBER + options % CODE_LOADED;
	struct code_value value;

	if (code_returns(&code, kind, &value)) {
		FUZZ_CHECK(value.kind == kind);
		FUZZ_CHECK(kind != CODE_LOADED || (value.field.steps_cnt && !value.number));
		FUZZ_CHECK(value.field.steps_cnt <= TLS_STEPS);
	}
	free(bytes);
}

static void try_file(const struct fuzz_input *in)
{
	struct tls_library library = {.binary.fd = file};

	FUZZ_CHECK(!ftruncate(file, 0) && pwrite(file, in->data, in->size, 0) == (ssize_t)in->size);
	tls_file_has_calls(file);
	tls_file_hint(file);
	if (!tls_file_read(&library, file)) {
		for (size_t i = 0; i < library.functions_cnt; i++)
			FUZZ_CHECK(library.functions[i].call < tls_calls_cnt &&
				   library.functions[i].offset);
		for (size_t i = 0; i < TLS_FIELDS; i++)
			check_field(&library.layout.field[i]);
		check_version(library.version);
	}
	free(library.functions);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	uint8_t options = fuzz_byte(&in);

	if (file < 0) {
		log_init("fuzz");
		file = memfd_create("tls", MFD_CLOEXEC);
		FUZZ_CHECK(file >= 0);
	}
	if (options & IS_FILE)
		try_file(&in);
	else
		try_code(options, &in);
	return 0;
}
