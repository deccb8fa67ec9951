// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tls-layout.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX 32 /* of a version's number */

/* The functions that are asked, of which file. */
static const char *const names[] = {
	"BIO_get_data",
	"BIO_get_retry_reason",
	"BIO_method_type",
	"NSSSSL_GetVersion",
	"OpenSSL_version_num",
	"PR_FileDesc2NativeHandle",
	"PR_GetVersion",
	"SSL_CIPHER_get_id",
	"SSL_CIPHER_get_protocol_id",
	"SSL_CTX_set_grease_enabled",
	"SSL_SESSION_get0_cipher",
	"SSL_SESSION_get0_hostname",
	"SSL_get_current_cipher",
	"SSL_get_rbio",
	"SSL_get_session",
	"SSL_get_wbio",
	"SSL_in_init",
	"SSL_is_server",
	"SSL_version",
	"awslc_version_string",
	"gnutls_check_version",
	"gnutls_protocol_get_version",
	"gnutls_transport_get_int",
	"gnutls_transport_get_ptr",
};

#define NAMES (sizeof(names) / sizeof(names[0]))

struct file {
	const struct elf_file *file;
	struct tls_symbol list[NAMES];
};

static void file__open(struct file *f, const struct tls_symbols *symbols)
{
	*f = (struct file){.file = &symbols->file};
	for (size_t i = 0; i < NAMES; i++)
		f->list[i].name = names[i];
	if (symbols->file.is_64 && symbols->file.machine == EM_X86_64)
		tls_symbols_find(symbols, f->list, NAMES);
}

static bool file__has(const struct file *f, const char *name)
{
	return tls_symbols_get(f->list, NAMES, name);
}

static bool ask(const struct elf_file *f, const struct tls_symbol *function, enum code_kind kind,
		struct code code, struct code_value *value)
{
	uint8_t bytes[TLS_CODE_MAX];

	if (!function || !function->size || function->size > sizeof(bytes) ||
	    elf_file__read_at(f, function->offset, bytes, function->size))
		return false;
	code.bytes = bytes;
	code.size = function->size;
	code.addr = function->addr;
	return code_returns(&code, kind, value);
}

static const struct code plain;
static const struct code of_connection = {.is_connection = true};

bool tls_layout_ask(const struct elf_file *f, const struct tls_symbol *function,
		    enum code_kind kind, struct code_value *value)
{
	return ask(f, function, kind, plain, value);
}

static bool file__ask(const struct file *f, const char *name, enum code_kind kind, struct code code,
		      struct code_value *value)
{
	return ask(f->file, tls_symbols_get(f->list, NAMES, name), kind, code, value);
}

/* What a function loads from its argument. */
static bool file__field(const struct file *f, const char *name, const struct code *code,
			struct tls_field *field)
{
	struct code_value value;

	*field = (struct tls_field){0};
	if (!file__ask(f, name, CODE_LOADED, *code, &value) || value.base != CODE_OF_ARGUMENT ||
	    value.field.size < 2)
		return false;
	*field = value.field;
	return true;
}

/* Go on from where a pointer is; what cannot be told in so many steps is not known. */
static void field__append(struct tls_field *field, const struct tls_field *more)
{
	if (!field->steps_cnt || !more->steps_cnt || field->size != sizeof(uint64_t) ||
	    field->steps_cnt + more->steps_cnt > TLS_STEPS) {
		*field = (struct tls_field){0};
		return;
	}
	memcpy(field->steps + field->steps_cnt, more->steps,
	       more->steps_cnt * sizeof(more->steps[0]));
	field->steps_cnt += more->steps_cnt;
	field->size = more->size;
}

/* ---- OpenSSL ------------------------------------------------------------------------------ */

/*
 * No function returns the number of a BIO. But in all releases it stands between the reason for a
 * retry and the pointer to data; there is room for it, and for one more int, or none.
 */
static bool find_bio_number(const struct file *f, struct tls_field *number)
{
	struct tls_field reason, data;

	if (!file__field(f, "BIO_get_retry_reason", &plain, &reason) ||
	    !file__field(f, "BIO_get_data", &plain, &data) || reason.steps_cnt != 1 ||
	    data.steps_cnt != 1 || reason.size != sizeof(int) ||
	    data.steps[0] != reason.steps[0] + 3 * (int)sizeof(int))
		return false;
	*number = reason;
	number->steps[0] += sizeof(int);
	return true;
}

/*
 * What a BIO of BIO_f_ssl() has as its data begins with a pointer to the connection, in all
 * releases.
 */
static void read_bio_ssl(struct tls_field *field, const struct file *crypto)
{
	static const struct tls_field connection = {.steps_cnt = 1, .size = sizeof(uint64_t)};

	if (file__field(crypto, "BIO_get_data", &plain, field))
		field__append(field, &connection);
}

static void read_bios(struct tls_field *field, const struct file *ssl, const struct file *crypto)
{
	/* While a handshake is buffered the buffer's next one is meant: that has another type. */
	static const struct code of_wbio = {.is_connection = true, .may_leave = true};
	struct tls_field number, type;

	if (!find_bio_number(crypto, &number) ||
	    !file__field(crypto, "BIO_method_type", &plain, &type))
		return;
	if (file__field(ssl, "SSL_get_rbio", &of_connection, &field[TLS_FIELD_READ_FD])) {
		field[TLS_FIELD_READ_TYPE] = field[TLS_FIELD_READ_FD];
		field__append(&field[TLS_FIELD_READ_FD], &number);
		field__append(&field[TLS_FIELD_READ_TYPE], &type);
	}
	if (file__field(ssl, "SSL_get_wbio", &of_wbio, &field[TLS_FIELD_WRITE_FD])) {
		field[TLS_FIELD_WRITE_TYPE] = field[TLS_FIELD_WRITE_FD];
		field__append(&field[TLS_FIELD_WRITE_FD], &number);
		field__append(&field[TLS_FIELD_WRITE_TYPE], &type);
	}
}

static void read_cipher(struct tls_field *field, const struct file *f,
			const struct tls_field *session)
{
	struct tls_field cipher, id;

	if (!file__field(f, "SSL_CIPHER_get_protocol_id", &plain, &id) &&
	    !file__field(f, "SSL_CIPHER_get_id", &plain, &id))
		return;
	id.size = sizeof(uint16_t); /* the other half of an id is not on the wire */
	if (!file__field(f, "SSL_get_current_cipher", &of_connection, field)) {
		file__field(f, "SSL_SESSION_get0_cipher", &plain, &cipher);
		*field = *session;
		field__append(field, &cipher);
	}
	field__append(field, &id);
}

static void read_openssl(struct tls_field *field, const struct file *ssl, const struct file *crypto)
{
	struct tls_field session, name;

	file__field(ssl, "SSL_version", &of_connection, &field[TLS_FIELD_VERSION]);
	file__field(ssl, "SSL_is_server", &of_connection, &field[TLS_FIELD_IS_SERVER]);
	file__field(ssl, "SSL_in_init", &of_connection, &field[TLS_FIELD_IN_INIT]);
	file__field(ssl, "SSL_get_session", &of_connection, &session);
	file__field(ssl, "SSL_SESSION_get0_hostname", &plain, &name);
	read_cipher(&field[TLS_FIELD_CIPHER], ssl, &session);
	field[TLS_FIELD_SERVER_NAME] = session;
	field__append(&field[TLS_FIELD_SERVER_NAME], &name);
	read_bios(field, ssl, crypto);
	read_bio_ssl(&field[TLS_FIELD_BIO_SSL], crypto);
}

/* ---- others ------------------------------------------------------------------------------- */

static void read_gnutls(struct tls_field *field, const struct file *f)
{
	struct tls_field number, pointer;

	file__field(f, "gnutls_protocol_get_version", &plain, &field[TLS_FIELD_VERSION]);
	/* A program may put a pointer there instead: then it is too large for a descriptor. */
	if (file__field(f, "gnutls_transport_get_int", &plain, &number) &&
	    file__field(f, "gnutls_transport_get_ptr", &plain, &pointer) &&
	    number.steps_cnt == pointer.steps_cnt &&
	    !memcmp(number.steps, pointer.steps, sizeof(number.steps)))
		field[TLS_FIELD_READ_FD] = pointer;
}

/* NSPR: from the lowest of the layers, which the function asks another one for. */
static void read_nspr(struct tls_field *field, const struct file *f)
{
	struct code_value value;

	if (file__ask(f, "PR_FileDesc2NativeHandle", CODE_LOADED, plain, &value) &&
	    value.base == CODE_OF_CALL && value.field.size == sizeof(int))
		field[TLS_FIELD_READ_FD] = value.field;
}

/* ---- version ------------------------------------------------------------------------------ */

/* A text of the file, as far as it looks like the number of a version. */
static bool file__number(const struct file *f, uint64_t addr, char text[TEXT_MAX])
{
	for (size_t i = 0; i < f->file->segments_cnt; i++) {
		const struct elf_segment *s = &f->file->segments[i];

		if (addr < s->start || addr - s->start >= s->file_size)
			continue;
		if (s->file_size - (addr - s->start) < TEXT_MAX ||
		    elf_file__read_at(f->file, s->offset + (addr - s->start), text, TEXT_MAX))
			return false;
		text[strspn(text, "0123456789.")] = '\0';
		return *text;
	}
	return false;
}

static void name_text_version(char *text, size_t size, const struct file *f, const char *name,
			      const char *function)
{
	/* They compare their argument by other functions, and return the same text or NULL. */
	struct code_value value;
	char number[TEXT_MAX + 1] = "";

	if (file__ask(f, function, CODE_ADDRESS, plain, &value) &&
	    file__number(f, value.number, number))
		snprintf(text, size, "%s %s", name, number);
}

/* 0x30000160 is 3.0.22, 0x101010bf is 1.1.1k; forks return what they are like. */
static void name_openssl_version(char *text, size_t size, const struct file *ssl,
				 const struct file *crypto)
{
	struct code_value value;
	unsigned int v, patch;

	if (file__has(ssl, "SSL_CTX_set_grease_enabled")) {
		snprintf(text, size, "%s",
			 file__has(crypto, "awslc_version_string") ? "AWS-LC" : "BoringSSL");
		return;
	}
	if (!file__ask(crypto, "OpenSSL_version_num", CODE_NUMBER, plain, &value))
		return;
	v = value.number;
	patch = v >> 4 & 0xff;
	if (v >> 28 >= 3)
		snprintf(text, size, "OpenSSL %u.%u.%u", v >> 28, v >> 20 & 0xff, patch);
	else if (v >> 28 == 2)
		snprintf(text, size, "LibreSSL");
	else if (patch <= 26)
		snprintf(text, size, "OpenSSL %u.%u.%u%.1s", v >> 28, v >> 20 & 0xff,
			 v >> 12 & 0xff, patch ? &"abcdefghijklmnopqrstuvwxyz"[patch - 1] : "");
}

static void name_version(char *text, size_t size, const struct file *file,
			 const struct file *helper, enum tls_api api)
{
	if (api == TLS_OPENSSL)
		name_openssl_version(text, size, file, helper);
	else if (api == TLS_GNUTLS)
		name_text_version(text, size, file, "GnuTLS", "gnutls_check_version");
	else if (file__has(file, "NSSSSL_GetVersion"))
		name_text_version(text, size, file, "NSS", "NSSSSL_GetVersion");
	else
		name_text_version(text, size, file, "NSPR", "PR_GetVersion");
}

void tls_layout_read(struct tls_layout *layout, char *version, size_t size,
		     const struct tls_symbols *symbols, const struct tls_symbols *helper,
		     enum tls_api api)
{
	struct file file, other;

	*layout = (struct tls_layout){0};
	*version = '\0';
	file__open(&file, symbols);
	other = file;
	if (helper)
		file__open(&other, helper);
	name_version(version, size, &file, &other, api);
	/* NSS has its connections in the descriptors of libnspr4. */
	if (api == TLS_OPENSSL)
		read_openssl(layout->field, &file, &other);
	else if (api == TLS_GNUTLS)
		read_gnutls(layout->field, &file);
	else
		read_nspr(layout->field, &other);
}
