/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Contexts of servers whose keys another has: every kind of certificate, by
 * TLS 1.2 and 1.3, against OpenSSL's client.
 */

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "lib/clock.h"
#include "lib/mem.h"
#include "net/tls.h"
#include "net/tls_key.h"
#include "pki.h"

#define DAY 86400L
#define KEYS 6

static const char *const kinds[KEYS] = { "ec", "p384", "rsa", "rsa-pss", "ed25519", "net" };
static struct tls_key *keys[KEYS];
static bool absent;	/* as if nobody answered */
static struct buf error;

static bool
sign(void *arg UNUSED, struct str id, unsigned code, struct str content, struct buf *signature)
{
	for (size_t i = 0; i < KEYS && !absent; i++)
		if (tls_key_is(keys[i], id))
			return tls_key_sign(keys[i], code, content, signature);
	return false;
}

static const struct tls_signer signer = { sign, NULL };

static const char *
path_of(const char *name, const char *suffix)
{
	static char *paths[100];
	static size_t n;

	ck_assert_uint_lt(n, ARRAY_LEN(paths));
	return paths[n++] = mem_dup(str_c(pki_path(name, suffix)));
}

/* The key's path is one that nobody could read. */
static struct tls_server_conf
conf_of(const char *one, const char *other)
{
	return (struct tls_server_conf){
		.pairs = { { path_of(one, "crt"), "/nonexistent" },
			{ other ? path_of(other, "crt") : NULL, "/nonexistent" } },
		.min_version = "1.2", .ciphers = "", .alpn = "smtp", .session_id = "one",
		.signer = &signer,
	};
}

static struct tls_ctx *
context(const struct tls_server_conf *conf)
{
	struct tls_ctx *c;

	error.max = 1000;
	buf_reset(&error);
	absent = true;
	c = tls_server_ctx(conf, &error);
	absent = false;
	ck_assert_msg(c != NULL, "%s", buf_cstr(&error));
	return c;
}

/* A handshake that offers SIGALGS, and into CN whose certificate came; "" if it failed. */
static void
handshake(struct tls_ctx *c, int version, const char *sigalgs, const char *name, char cn[64])
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl;
	int pair[2], status;
	pid_t server;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	if ((server = fork()) == 0) {
		struct tls *t;

		close(pair[0]);
		signal(SIGPIPE, SIG_IGN);
		t = tls_accept(c, pair[1], clock_ms() + 20000, &error);
		_exit(t && tls_stream_ops.write(t, "x", 1, clock_ms() + 20000) == 1 ? 0 : 1);
	}
	close(pair[1]);
	ck_assert_int_eq(SSL_CTX_load_verify_file(ctx, pki_path("ca", "crt")), 1);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	ck_assert_int_eq(SSL_CTX_set_max_proto_version(ctx, version), 1);
	/* Macros that take no const. */
	char *list = sigalgs ? mem_dup(str_c(sigalgs)) : NULL, *host = mem_dup(str_c(name));
	if (list)
		ck_assert_int_eq(SSL_CTX_set1_sigalgs_list(ctx, list), 1);
	ssl = SSL_new(ctx);
	SSL_set_tlsext_host_name(ssl, host);
	mem_free(list);
	mem_free(host);
	SSL_set_fd(ssl, pair[0]);
	cn[0] = '\0';
	if (SSL_connect(ssl) == 1) {
		char octet;

		ck_assert_int_eq(SSL_version(ssl), version);
		ck_assert_int_eq(SSL_read(ssl, &octet, 1), 1);
		X509_NAME_get_text_by_NID(
		    X509_get_subject_name(SSL_get0_peer_certificate(ssl)), NID_commonName, cn, 64);
	}
	ERR_clear_error();
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(pair[0]);
	ck_assert_int_eq(waitpid(server, &status, 0), server);
	ck_assert_int_eq(status == 0, cn[0] != '\0');
}

/* Each kind of key, by both versions. */
START_TEST(every_kind)
{
	struct tls_server_conf conf = conf_of(kinds[_i], NULL);
	struct tls_ctx *c = context(&conf);
	char cn[64];

	handshake(c, TLS1_3_VERSION, NULL, "a.example", cn);
	ck_assert_str_eq(cn, kinds[_i]);
	handshake(c, TLS1_2_VERSION, NULL, "a.example", cn);
	ck_assert_str_eq(cn, kinds[_i]);
	/* Nobody signs: there is no handshake, and the next one is a good one again. */
	absent = true;
	handshake(c, TLS1_3_VERSION, NULL, "a.example", cn);
	ck_assert_str_eq(cn, "");
	handshake(c, TLS1_2_VERSION, NULL, "a.example", cn);
	ck_assert_str_eq(cn, "");
	absent = false;
	handshake(c, TLS1_3_VERSION, NULL, "a.example", cn);
	ck_assert_str_eq(cn, kinds[_i]);
	tls_ctx_free(c);
}
END_TEST

/* RSA and ECDSA side by side; the certificate of a name. */
START_TEST(chosen)
{
	struct tls_server_conf conf = conf_of("ec", "rsa");
	struct tls_name names[] = { { "mail.example.net", { { path_of("net", "crt"), "" } } } };
	struct tls_ctx *c;
	char cn[64];

	conf.names = names;
	conf.name_n = 1;
	c = context(&conf);
	handshake(c, TLS1_3_VERSION, "ECDSA+SHA256", "a.example", cn);
	ck_assert_str_eq(cn, "ec");
	handshake(c, TLS1_3_VERSION, "RSA-PSS+SHA384", "a.example", cn);
	ck_assert_str_eq(cn, "rsa");
	handshake(c, TLS1_2_VERSION, "RSA+SHA512", "a.example", cn);
	ck_assert_str_eq(cn, "rsa");
	handshake(c, TLS1_2_VERSION, "RSA-PSS+SHA256", "a.example", cn);
	ck_assert_str_eq(cn, "rsa");
	handshake(c, TLS1_3_VERSION, NULL, "mail.example.net", cn);
	ck_assert_str_eq(cn, "net");
	tls_ctx_free(c);
}
END_TEST

/* What the server of show() made of the chain; and how many a client shows as signers. */
static char shown_chain[TLS_CHAIN_MAX + 1];
static unsigned signers;

static void
keep_chain(const struct tls *t, size_t *n, char *to)
{
	struct buf b;

	buf_init(&b, TLS_CHAIN_MAX + 1);
	tls_client_chain(t, &b);
	*n = b.n;
	memcpy(to, b.p != NULL ? b.p : "", b.n);
	buf_free(&b);
}

/* What a server is told of the certificate NAME of a client; NULL: it shows none. */
static struct tls_client
show(struct tls_ctx *c, int version, const char *name, bool *shown)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct {
		bool shown;
		struct tls_client client;
		size_t chain_n;
		char chain[TLS_CHAIN_MAX];
	} told;
	int pair[2], out[2], status;
	pid_t server;
	SSL *ssl;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(pipe(out), 0);
	if ((server = fork()) == 0) {
		struct tls *t;

		close(pair[0]);
		signal(SIGPIPE, SIG_IGN);
		t = tls_accept(c, pair[1], clock_ms() + 20000, &error);
		if (!t)
			_exit(1);
		told.shown = tls_client(t, &told.client);
		keep_chain(t, &told.chain_n, told.chain);
		_exit(write(out[1], &told, sizeof(told)) == sizeof(told) &&
		    tls_stream_ops.write(t, "x", 1, clock_ms() + 20000) == 1 ? 0 : 1);
	}
	close(pair[1]);
	ck_assert_int_eq(SSL_CTX_set_max_proto_version(ctx, version), 1);
	if (name) {
		ck_assert_int_eq(SSL_CTX_use_certificate_file(ctx, pki_path(name, "crt"),
			SSL_FILETYPE_PEM), 1);
		ck_assert_int_eq(SSL_CTX_use_PrivateKey_file(ctx, pki_path(name, "key"),
			SSL_FILETYPE_PEM), 1);
	}
	for (unsigned i = 0; i < signers; i++)
		ck_assert_int_eq(SSL_CTX_add1_chain_cert(ctx, pki.ca), 1);
	ssl = SSL_new(ctx);
	SSL_set_fd(ssl, pair[0]);
	ck_assert_int_eq(SSL_connect(ssl), 1);
	ck_assert_int_eq(SSL_read(ssl, &status, 1), 1);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(pair[0]);
	ck_assert_int_eq(waitpid(server, &status, 0), server);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(read(out[0], &told, sizeof(told)), sizeof(told));
	close(out[0]);
	close(out[1]);
	*shown = told.shown;
	memcpy(shown_chain, told.chain, told.chain_n);
	shown_chain[told.chain_n] = '\0';
	return told.client;
}

/* NAME.crt as its PEM has it between the lines. */
static char *
base64_of(const char *name)
{
	FILE *f = fopen(pki_path(name, "crt"), "r");
	char line[200], *all = calloc(1, 8192);

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f))
		if (line[0] != '-')
			strncat(all, line, strcspn(line, "\n"));
	fclose(f);
	return all;
}

/* A20: who may want it has the chain as it was shown, whole certificates up to a limit. */
START_TEST(chains)
{
	struct tls_server_conf conf = conf_of("ec", NULL);
	char *net = base64_of("net"), *ca = base64_of("ca"), want[20000];
	struct tls_ctx *c;
	bool shown;

	conf.ask = true;
	c = context(&conf);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		signers = 0;
		(void)show(c, version, NULL, &shown);
		ck_assert_str_eq(shown_chain, "");
		(void)show(c, version, "net", &shown);
		ck_assert_str_eq(shown_chain, net);
		signers = 2;
		(void)show(c, version, "net", &shown);
		snprintf(want, sizeof(want), "%s %s %s", net, ca, ca);
		ck_assert_str_eq(shown_chain, want);
		signers = 50;
		(void)show(c, version, "net", &shown);
		ck_assert_uint_le(strlen(shown_chain), TLS_CHAIN_MAX);
		ck_assert_uint_gt(strlen(shown_chain) + strlen(ca) + 1, TLS_CHAIN_MAX);
		ck_assert_str_eq(strrchr(shown_chain, ' ') + 1, ca);
	}
	signers = 0;
	free(net);
	free(ca);
	tls_ctx_free(c);
}
END_TEST

/* T-04: a certificate is asked for, and everybody is served whatever he shows. */
START_TEST(clients)
{
	static const struct {
		const char *name;
		bool verified;
		const char *subject, *issuer;
	} cases[] = {
		{ "net", true, "net", "the test's CA" },
		{ "self", false, "self", "self" },
		{ "expired", false, "expired", "the test's CA" },
		{ "odd", true, "", "the test's CA" },
	};
	struct tls_server_conf conf = conf_of("ec", NULL);
	struct tls_ctx *c, *blind;
	bool shown;

	conf.ask = true;
	blind = context(&conf);
	conf.client_ca = path_of("ca", "crt");
	c = context(&conf);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
			struct tls_client t = show(c, version, cases[i].name, &shown);

			ck_assert(shown);
			ck_assert_msg(t.verified == cases[i].verified, "%s", cases[i].name);
			ck_assert_str_eq(t.issuer, cases[i].issuer);
			ck_assert_uint_eq(strlen(t.fingerprint), 64);
			ck_assert_uint_eq(strlen(t.key), 64);
			ck_assert_str_ne(t.key, t.fingerprint);
			if (i < 3)
				ck_assert_str_eq(t.subject, cases[i].subject);
			else	/* No quote, no parenthesis, no line's end. */
				ck_assert_msg(strpbrk(t.subject, "\"()\r\n\\") == NULL, "%s",
				    t.subject);
		}
		/* Without anchors nothing is verified. */
		ck_assert(!show(blind, TLS1_3_VERSION, cases[i].name, &shown).verified);
		ck_assert(shown);
	}
	(void)show(c, TLS1_3_VERSION, NULL, &shown);
	ck_assert(!shown);
	(void)show(c, TLS1_2_VERSION, NULL, &shown);
	ck_assert(!shown);
	tls_ctx_free(c);
	tls_ctx_free(blind);
	/* Who is not asked shows none. */
	conf = conf_of("ec", NULL);
	c = context(&conf);
	(void)show(c, TLS1_3_VERSION, "net", &shown);
	ck_assert(!shown);
	tls_ctx_free(c);
	/* Anchors that are none are blamed. */
	const char *wrong = NULL;
	conf.wrong = &wrong;
	conf.ask = true;
	conf.client_ca = path_of("ec", "key");
	buf_reset(&error);
	ck_assert_ptr_null(tls_server_ctx(&conf, &error));
	ck_assert_ptr_eq(wrong, conf.client_ca);
}
END_TEST

/* Files are complained of as ever, but for keys, which nobody looks at. */
START_TEST(bad_files)
{
	struct tls_server_conf conf = conf_of("ec", "net");
	const char *wrong = NULL;

	conf.wrong = &wrong;
	error.max = 1000;
	buf_reset(&error);
	ck_assert_ptr_null(tls_server_ctx(&conf, &error));
	ck_assert_ptr_eq(wrong, conf.pairs[1].certificate);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&error), "the same kind of key"));
	conf = conf_of("missing", NULL);
	conf.wrong = &wrong;
	buf_reset(&error);
	ck_assert_ptr_null(tls_server_ctx(&conf, &error));
	ck_assert_ptr_eq(wrong, conf.pairs[0].certificate);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&error), "No such file"));
}
END_TEST

static void
make_keys(void)
{
	EVP_PKEY *made[KEYS] = { EVP_EC_gen("P-256"), EVP_EC_gen("P-384"), EVP_RSA_gen(2048),
		pki_rsa_pss(), EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), EVP_EC_gen("P-256") };
	struct buf b;

	buf_init(&b, 1000);
	for (size_t i = 0; i < KEYS; i++) {
		pki_leaf_of(made[i], kinds[i], kinds[i], "DNS:a.example", -3600, DAY, false);
		keys[i] = tls_key_load(pki_path(kinds[i], "crt"), pki_path(kinds[i], "key"), &b);
		pki_must(keys[i] != NULL);
	}
	buf_free(&b);
	pki_leaf("self", "self", "DNS:a.example", -3600, DAY, true);
	pki_leaf("expired", "expired", "DNS:a.example", -2 * DAY, -DAY, false);
	pki_leaf("odd", "a \"(b)\\ \r\nc", "DNS:a.example", -3600, DAY, false);
}

int
main(void)
{
	TCase *t = tcase_create("tls_server");
	int status;

	pki_begin();
	make_keys();
	tcase_add_loop_test(t, every_kind, 0, KEYS);
	tcase_add_test(t, chosen);
	tcase_add_test(t, clients);
	tcase_add_test(t, chains);
	tcase_add_test(t, bad_files);
	status = unit_run("tls_server", t);
	for (size_t i = 0; i < KEYS; i++)
		tls_key_free(keys[i]);
	pki_end();
	return status;
}
