/* SPDX-License-Identifier: GPL-3.0-or-later */

/* P-09: requests for signatures, and what is answered to wrong ones; how often one may ask. */

#include "../net/pki.h"
#include "ipc/frame.h"
#include "ipc/msg.h"
#include "lib/mem.h"
#include "sign/sign.h"
#include "unit.h"

static struct keys keys;
static struct buf packet, answer;
static unsigned char id[TLS_KEY_ID];

/* What a server signs in TLS 1.3. */
static struct str
content(void)
{
	static const char context[] = "TLS 1.3, server CertificateVerify";
	static char b[64 + sizeof(context) + 32];

	memset(b, ' ', 64);
	memcpy(b + 64, context, sizeof(context));
	return str_n(b, sizeof(b));
}

/* A file with N keys, the last one behind BROKEN. */
static int
kept(const char *broken, int n)
{
	FILE *f = tmpfile();
	struct buf error;
	int fd;

	buf_init(&error, 1000);
	for (int i = 0; i < n; i++) {
		const char *name = i == 0 ? "ec" : "other";
		struct tls_key *k = tls_key_load(pki_path(name, "crt"), pki_path(name, "key"),
		    &error);

		ck_assert_msg(k != NULL, "%s", buf_cstr(&error));
		if (i == n - 1)
			fputs(broken, f);
		ck_assert(tls_key_put(k, f));
		tls_key_free(k);
	}
	buf_free(&error);
	fflush(f);
	fd = dup(fileno(f));
	fclose(f);
	return fd;
}

static void
setup(void)
{
	const char *crt = pki_path("ec", "crt");
	FILE *f = fopen(crt, "r");
	X509 *x = PEM_read_X509(f, NULL, NULL, NULL);
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(X509_get0_pubkey(x), &der);

	fclose(f);
	ck_assert_int_eq(EVP_Digest(der, (size_t)n, id, NULL, EVP_sha256(), NULL), 1);
	OPENSSL_free(der);
	X509_free(x);
	keys_take_fd(&keys, kept("", 2));
	ck_assert_uint_eq(keys.n, 2);
	buf_init(&packet, FRAME_MAX);
	buf_init(&answer, FRAME_MAX);
}

static void
teardown(void)
{
	keys_free(&keys);
	buf_free(&packet);
	buf_free(&answer);
}

static const char *
refused(struct str request)
{
	const char *why = NULL;

	ck_assert(!sign_answer(&keys, request, &answer, &why));
	ck_assert_uint_eq(answer.n, 0);
	ck_assert_ptr_nonnull(why);
	return why;
}

START_TEST(answers)
{
	struct msg_sign m = { str_n((char *)id, sizeof(id)), 0x0403, content() };
	struct msg_sign_result r;
	const char *why;

	setup();
	msg_sign_put(&packet, &m);
	ck_assert(sign_answer(&keys, buf_str(&packet), &answer, &why));
	ck_assert(msg_sign_result_get(buf_str(&answer), &r));
	ck_assert_uint_gt(r.signature.n, 60);

	for (size_t n = 0; n < packet.n; n++)
		ck_assert_str_eq(refused(str_head(buf_str(&packet), n)), "the request is broken");
	buf_addc(&packet, 'x');
	ck_assert_str_eq(refused(buf_str(&packet)), "the request is broken");
	m.scheme = 0x0804;
	msg_sign_put(&packet, &m);
	ck_assert_str_eq(refused(buf_str(&packet)), "it is not what a TLS handshake has to be signed");
	m.scheme = 0x0403;
	m.content = STR("a cheque");
	msg_sign_put(&packet, &m);
	ck_assert_str_eq(refused(buf_str(&packet)), "it is not what a TLS handshake has to be signed");
	m.content = content();
	id[0] ^= 1;
	msg_sign_put(&packet, &m);
	ck_assert_str_eq(refused(buf_str(&packet)), "the key is not one that is in force");
	/* Another message. */
	msg_sign_result_put(&packet, &(struct msg_sign_result){ content() });
	ck_assert_str_eq(refused(buf_str(&packet)), "the request is broken");
	teardown();
}
END_TEST

START_TEST(broken_files)
{
	struct keys k;

	keys_take_fd(&k, kept("", 0));
	ck_assert_uint_eq(k.n, 0);
	keys_free(&k);
	keys_take_fd(&k, kept("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 2));
	ck_assert_uint_eq(k.n, 1);
	keys_free(&k);
	keys_take_fd(&k, -1);
	ck_assert_uint_eq(k.n, 0);
}
END_TEST

START_TEST(turns)
{
	struct turns *t = mem_alloc(sizeof(*t));

	for (int i = 0; i < TURNS_EACH; i++)
		ck_assert(turns_take(t, 100, 1000 + i));
	ck_assert(!turns_take(t, 100, 1010));
	/* Others are not concerned, nor one whose turns are long ago. */
	ck_assert(turns_take(t, 101, 1010));
	ck_assert(!turns_take(t, 100, 1000 + TURNS_MS - 1));
	ck_assert(turns_take(t, 100, 1000 + TURNS_MS));
	/* Whoever falls on the same place begins anew. */
	ck_assert(turns_take(t, 100 + TURNS, 1000 + TURNS_MS));
	ck_assert(turns_take(t, 100, 1000 + TURNS_MS));
	/* A number that is none of a process. */
	ck_assert(turns_take(t, 0, 0));
	ck_assert(turns_take(t, -1, 0));
	mem_free(t);
}
END_TEST

int
main(void)
{
	TCase *t = UNIT_CASE("sign", answers, broken_files, turns);
	int status;

	pki_begin();
	pki_leaf("ec", "ec", "DNS:a", -3600, 86400, false);
	pki_leaf_of(EVP_RSA_gen(2048), "other", "rsa", "DNS:a", -3600, 86400, false);
	status = unit_run("sign", t);
	pki_end();
	return status;
}
