// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tls-names.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct name {
	int number;
	const char *text;
};

#include "tls-ciphers.h"
#include "tls-gnutls-errors.h"
#include "tls-nss-errors.h"
#include "tls-nss-other-errors.h"
#include "tls-openssl-errors.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define NSS_SSL_BASE (-0x3000)
#define NSS_SEC_BASE (-0x2000)
#define NSPR_BASE    (-6000)
#define NSS_RANGE    1000 /* after each base */

/* What numbers in OpenSSL's queue of errors are of. */
enum { OPENSSL_SYSTEM = 2, OPENSSL_SSL = 20, OPENSSL_ALERT = 1000 };

static const struct name versions[] = {
	{0x0002, "SSLv2"},    {0x0100, "DTLSv0.9"}, {0x0300, "SSLv3"},   {0x0301, "TLSv1"},
	{0x0302, "TLSv1.1"},  {0x0303, "TLSv1.2"},  {0x0304, "TLSv1.3"}, {0xfefc, "DTLSv1.3"},
	{0xfefd, "DTLSv1.2"}, {0xfeff, "DTLSv1"},
};

/* Reasons of any part of OpenSSL 3; those of its parts ("X509 lib") say where more was said. */
static const struct name openssl_common[] = {
	{0x80002, "system lib"},
	{0x80006, "EVP lib"},
	{0x8000b, "X509 lib"},
	{0x80010, "EC lib"},
	{0x80020, "BIO lib"},
	{0x80106, "passed invalid argument"},
	{0x8010c, "unsupported"},
	{0x8010d, "fetch failed"},
	{0xc0100, "malloc failure"},
	{0xc0101, "called a function you should not call"},
	{0xc0102, "passed a null parameter"},
	{0xc0103, "internal error"},
	{0xc0104, "called a function that was disabled at compile-time"},
	{0xc0105, "init fail"},
	{0xc0107, "operation fail"},
};

/* As OpenSSL names them; texts of their reasons are not worth their room. */
static const struct name openssl_libraries[] = {
	{3, "bignum"},
	{4, "rsa"},
	{5, "Diffie-Hellman"},
	{6, "digital envelope"},
	{7, "memory"},
	{8, "object id"},
	{9, "PEM"},
	{10, "dsa"},
	{11, "x509"},
	{13, "asn1"},
	{14, "configuration"},
	{15, "crypto"},
	{16, "EC"},
	{20, "SSL"},
	{32, "BIO"},
	{33, "PKCS7"},
	{34, "X509 V3"},
	{35, "PKCS12"},
	{36, "random"},
	{38, "engine"},
	{39, "OCSP"},
	{40, "UI"},
	{44, "store"},
	{46, "CMS"},
	{50, "CT"},
	{51, "async"},
	{52, "KDF"},
	{57, "provider"},
	{60, "decoder"},
	{61, "HTTP"},
};

static int compare(const void *key, const void *element)
{
	int number = *(const int *)key, other = ((const struct name *)element)->number;

	return number < other ? -1 : number > other;
}

static const char *find(const struct name *names, size_t cnt, int number)
{
	const struct name *found = bsearch(&number, names, cnt, sizeof(*names), compare);

	return found ? found->text : NULL;
}

#define FIND(names, number) find(names, ARRAY_SIZE(names), number)

const char *tls_version_name(uint16_t version, char buf[TLS_TEXT])
{
	const char *name = FIND(versions, version);

	if (name)
		snprintf(buf, TLS_TEXT, "%s", name);
	else
		snprintf(buf, TLS_TEXT, "0x%04x", version);
	return buf;
}

const char *tls_cipher_name(uint32_t cipher, char buf[TLS_TEXT])
{
	const char *name = cipher <= 0xffff ? FIND(ciphers, (int)cipher) : NULL;

	if (name)
		snprintf(buf, TLS_TEXT, "%s", name);
	else
		snprintf(buf, TLS_TEXT, "0x%04x", cipher);
	return buf;
}

/*
 * NULL: there is no text. Alerts are numbered alike in BoringSSL, which numbers its parts in
 * another way; its other reasons are not known.
 */
static const char *openssl_reason(int library, int reason)
{
	const char *common = FIND(openssl_common, reason);

	if (common)
		return common;
	if (library == OPENSSL_SYSTEM)
		return strerror(reason);
	if (library == OPENSSL_SSL || reason >= OPENSSL_ALERT)
		return FIND(openssl_errors, reason);
	return NULL;
}

static void openssl_text(const struct tls_record *record, char buf[TLS_TEXT])
{
	int library = (int)record->error_library ?: OPENSSL_SSL;
	const char *text = openssl_reason(library, record->error);
	const char *name = FIND(openssl_libraries, library);

	if (text)
		snprintf(buf, TLS_TEXT, "%s", text);
	else if (name)
		snprintf(buf, TLS_TEXT, "%s reason %d", name, record->error);
	else
		snprintf(buf, TLS_TEXT, "library %d reason %d", library, record->error);
}

static void gnutls_text(const struct tls_record *record, char buf[TLS_TEXT])
{
	const char *text = record->error < 0 ? FIND(gnutls_errors, -record->error) : NULL;

	if (text)
		snprintf(buf, TLS_TEXT, "%s", text);
	else
		snprintf(buf, TLS_TEXT, "GnuTLS error %d", record->error);
}

static bool is_from(int base, int error)
{
	return error >= base && error < base + NSS_RANGE;
}

static void nss_text(const struct tls_record *record, char buf[TLS_TEXT])
{
	int error = record->error;
	const char *text = NULL;

	if (is_from(NSS_SSL_BASE, error))
		text = FIND(nss_ssl_errors, error - NSS_SSL_BASE);
	else if (is_from(NSS_SEC_BASE, error))
		text = FIND(nss_sec_errors, error - NSS_SEC_BASE);
	else if (is_from(NSPR_BASE, error))
		text = FIND(nspr_errors, error - NSPR_BASE);
	if (text)
		snprintf(buf, TLS_TEXT, "%s", text);
	else
		snprintf(buf, TLS_TEXT, "NSS error %d", error);
}

const char *tls_error_text(const struct tls_record *record, char buf[TLS_TEXT])
{
	static void (*const texts[TLS_APIS])(const struct tls_record *, char *) = {
		[TLS_OPENSSL] = openssl_text,
		[TLS_GNUTLS] = gnutls_text,
		[TLS_NSS] = nss_text,
	};

	if (!record->error)
		snprintf(buf, TLS_TEXT, "closed before it was complete");
	else if (record->api < TLS_APIS)
		texts[record->api](record, buf);
	else
		snprintf(buf, TLS_TEXT, "error %d", record->error);
	return buf;
}
