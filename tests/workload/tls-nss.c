/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A client and a server of NSS that write down what they read and wrote, see tls-peer.h. Their
 * calls, PR_Read and PR_Write, are those of NSPR for files and plain sockets too: each side also
 * makes some of these, which are no TLS. The certificate is made in memory.
 *
 * usage: tls-nss [-m] [-2] [-f] [plan] TRUTH
 *   -m        PR_Recv and PR_Send, not PR_Read and PR_Write
 *   -2        TLS 1.2
 *   -f        only a handshake that fails: the client trusts nobody
 *
 * Says of each connection and side "handshake SIDE LOCAL REMOTE VERSION NAME" or, in NSS's name
 * for it, "failed SIDE LOCAL REMOTE REASON"; and "plain CALLS" of those that are no TLS.
 */
#include <cert.h>
#include <cryptohi.h>
#include <keyhi.h>
#include <nspr.h>
#include <nss.h>
#include <pk11pub.h>
#include <private/pprio.h>
#include <secder.h>
#include <ssl.h>
#include <sslproto.h>

#include "tls-peer.h"

#define NAME  "nss.example"
#define PLAIN "this is not encrypted"
#define DAY   ((PRTime)24 * 3600 * PR_USEC_PER_SEC)

static struct {
	bool messages;
	bool old;
	bool fail;
} options;

static CERTCertificate *cert;
static SECKEYPrivateKey *private_key;

static void __attribute__((noreturn)) die(const char *what)
{
	errx(1, "%s failed: %s", what, PR_ErrorToString(PR_GetError(), 0));
}

static void key_new(SECKEYPublicKey **public_key)
{
	SECOidData *curve = SECOID_FindOIDByTag(SEC_OID_SECG_EC_SECP256R1);
	unsigned char buf[16] = {SEC_ASN1_OBJECT_ID, curve->oid.len};
	SECItem params = {siBuffer, buf, curve->oid.len + 2};

	memcpy(buf + 2, curve->oid.data, curve->oid.len);
	private_key = PK11_GenerateKeyPair(PK11_GetInternalSlot(), CKM_EC_KEY_PAIR_GEN, &params,
					   public_key, PR_FALSE, PR_TRUE, NULL);
	if (!private_key)
		die("PK11_GenerateKeyPair");
}

static void certificate_new(void)
{
	SECOidTag algorithm = SEC_OID_ANSIX962_ECDSA_SHA256_SIGNATURE;
	CERTName *name = CERT_AsciiToName("CN=" NAME);
	SECItem der = {0}, whole = {0};
	SECKEYPublicKey *public_key;
	CERTCertificateRequest *request;
	CERTCertificate *plan;

	key_new(&public_key);
	request = CERT_CreateCertificateRequest(name, SECKEY_CreateSubjectPublicKeyInfo(public_key),
						NULL);
	plan = CERT_CreateCertificate(1, name, CERT_CreateValidity(PR_Now() - DAY, PR_Now() + DAY),
				      request);
	if (!plan || !SEC_ASN1EncodeInteger(plan->arena, &plan->version, 2) ||
	    SECOID_SetAlgorithmID(plan->arena, &plan->signature, algorithm, NULL) ||
	    !SEC_ASN1EncodeItem(plan->arena, &der, plan, SEC_ASN1_GET(CERT_CertificateTemplate)) ||
	    SEC_DerSignData(plan->arena, &whole, der.data, der.len, private_key, algorithm))
		die("a certificate");
	cert = CERT_NewTempCertificate(CERT_GetDefaultCertDB(), &whole, NULL, PR_FALSE, PR_TRUE);
	if (!cert)
		die("CERT_NewTempCertificate");
}

/* After the fork: what it keeps of keys does not survive one. */
static void way_begin(bool is_server)
{
	SSLVersionRange range = {SSL_LIBRARY_VERSION_TLS_1_2,
				 options.old ? SSL_LIBRARY_VERSION_TLS_1_2
					     : SSL_LIBRARY_VERSION_TLS_1_3};

	if (NSS_NoDB_Init(NULL) || NSS_SetDomesticPolicy() ||
	    SSL_VersionRangeSetDefault(ssl_variant_stream, &range) ||
	    SSL_OptionSetDefault(SSL_NO_CACHE, PR_TRUE))
		die("NSS");
	if (is_server)
		certificate_new();
}

static SECStatus trust(void *arg, PRFileDesc *fd, PRBool signature, PRBool is_server)
{
	(void)arg, (void)fd, (void)signature, (void)is_server;
	return SECSuccess;
}

static size_t way_read(struct tls_peer *peer, void *buf, size_t len)
{
	int n = options.messages ? PR_Recv(peer->handle, buf, len, 0, PR_INTERVAL_NO_TIMEOUT)
				 : PR_Read(peer->handle, buf, len);

	if (n < 0)
		die("a read");
	return n;
}

static size_t way_write(struct tls_peer *peer, const void *buf, size_t len)
{
	int n = options.messages ? PR_Send(peer->handle, buf, len, 0, PR_INTERVAL_NO_TIMEOUT)
				 : PR_Write(peer->handle, buf, len);

	if (n < 0)
		die("a write");
	return n;
}

static void say(const struct tls_peer *peer, SECStatus status)
{
	const char *side = peer->is_server ? "server" : "client";
	SSLChannelInfo info;

	if (status) {
		printf("failed %s %u %u %s\n", side, peer->local, peer->remote,
		       PR_ErrorToName(PR_GetError()));
		return;
	}
	if (SSL_GetChannelInfo(peer->handle, &info, sizeof(info)))
		die("SSL_GetChannelInfo");
	printf("handshake %s %u %u 0x%04x 0x%04x %s\n", side, peer->local, peer->remote,
	       info.protocolVersion, info.cipherSuite, NAME);
}

static void way_open(struct tls_peer *peer)
{
	/* Closing it here must not close it there. */
	PRFileDesc *fd = SSL_ImportFD(NULL, PR_ImportTCPSocket(dup(peer->fd)));
	SECStatus status;

	if (!fd || SSL_ResetHandshake(fd, peer->is_server))
		die("SSL_ImportFD");
	if (peer->is_server && SSL_ConfigServerCert(fd, cert, private_key, NULL, 0))
		die("SSL_ConfigServerCert");
	if (!peer->is_server && SSL_SetURL(fd, NAME))
		die("SSL_SetURL");
	if (!peer->is_server && !options.fail)
		SSL_AuthCertificateHook(fd, trust, NULL);
	peer->handle = fd;
	status = SSL_ForceHandshake(fd);
	if (status && !options.fail)
		die("SSL_ForceHandshake");
	say(peer, status);
}

/* The same calls on what is no TLS. */
static void plain(const struct tls_peer *peer)
{
	char path[512], buf[sizeof(PLAIN)];
	PRFileDesc *file, *pair[2];
	PRInt32 len = sizeof(PLAIN);

	snprintf(path, sizeof(path), "%s/../plain-%d-%u", peer->plan->truth, getpid(),
		 peer->number);
	file = PR_Open(path, PR_RDWR | PR_CREATE_FILE, 0600);
	if (!file || PR_NewTCPSocketPair(pair) || PR_Write(file, PLAIN, len) != len ||
	    PR_Seek64(file, 0, PR_SEEK_SET) || PR_Read(file, buf, len) != len ||
	    PR_Write(pair[0], PLAIN, len) != len || PR_Read(pair[1], buf, len) != len ||
	    PR_Send(pair[0], PLAIN, len, 0, PR_INTERVAL_NO_TIMEOUT) != len ||
	    PR_Recv(pair[1], buf, len, 0, PR_INTERVAL_NO_TIMEOUT) != len)
		die("what is not encrypted");
	PR_Close(file);
	PR_Close(pair[0]);
	PR_Close(pair[1]);
	printf("plain 6\n");
}

static void way_close(struct tls_peer *peer)
{
	PR_Shutdown(peer->handle, PR_SHUTDOWN_SEND);
	tls_peer_drain(peer->fd);
	plain(peer);
	PR_Close(peer->handle);
}

int main(int argc, char **argv)
{
	struct tls_way way = {.begin = way_begin,
			      .open = way_open,
			      .read = way_read,
			      .write = way_write,
			      .close = way_close};
	struct tls_plan plan;
	int option;

	tls_plan_init(&plan);
	while ((option = getopt(argc, argv, "m2f" TLS_PLAN_OPTIONS)) != -1) {
		switch (option) {
		case 'm':
			options.messages = true;
			break;
		case '2':
			options.old = true;
			break;
		case 'f':
			options.fail = true;
			break;
		default:
			tls_plan_option(&plan, option, optarg);
		}
	}
	if (argc - optind != 1)
		errx(2, "usage: tls-nss [OPTION]... TRUTH\n%s", TLS_PLAN_USAGE);
	tls_plan_complete(&plan, argv[optind]);
	if (options.fail)
		plan.rounds = 0;
	tls_peer_run(&plan, &way);
	return 0;
}
