/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * TLS: the server in a child, our client or OpenSSL's own here, a socket
 * pair between them.  S-06 to S-12, T-01, T-02, T-04 and T-08 by name.
 */

#include "net/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "lib/clock.h"
#include "lib/mem.h"
#include "pki.h"

#define DAY 86400L

static struct buf error;
static int fd;		/* the client's end */
static pid_t server;

/* A path that stays, unlike pki_path()'s. */
static const char *
path_of(const char *name, const char *suffix)
{
	static char *paths[200];
	static size_t n;

	ck_assert_uint_lt(n, ARRAY_LEN(paths));
	return paths[n++] = mem_dup(str_c(pki_path(name, suffix)));
}

static struct tls_server_conf
conf_of(const char *name)
{
	return (struct tls_server_conf){
		.pairs = { { path_of(name, "crt"), path_of(name, "key") } },
		.min_version = "1.2", .ciphers = "", .alpn = "smtp",
		.session_id = "one",
	};
}

static struct tls_ctx *
new_ctx(const struct tls_server_conf *conf)
{
	struct tls_ctx *c;

	error.max = 1000;
	buf_reset(&error);
	c = tls_server_ctx(conf, &error);
	ck_assert_msg(c != NULL, "%s", buf_cstr(&error));
	return c;
}

/*
 * What the server does with a session; its exit code is 40 if there was
 * none, else what the function returns.
 */
typedef int serve_fn(struct tls *t);

static void
serve(struct tls_ctx *c, serve_fn *fn)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	server = fork();
	if (server == 0) {
		struct tls *t;
		int code = 40;

		close(pair[0]);
		signal(SIGPIPE, SIG_IGN);
		t = tls_accept(c, pair[1], clock_ms() + 20000, &error);
		if (t)
			code = fn(t);
		tls_free(t);
		_exit(code);
	}
	close(pair[1]);
	fd = pair[0];
}

static int
served(void)
{
	int status = 0;

	close(fd);
	ck_assert_int_eq(waitpid(server, &status, 0), server);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Sends back what comes, until the end. */
static int
echo(struct tls *t)
{
	static char b[40000];
	int64_t end = clock_ms() + 30000;
	ssize_t n;

	while ((n = tls_stream_ops.read(t, b, sizeof(b), end)) > 0)
		for (ssize_t at = 0; at < n;) {
			ssize_t put = tls_stream_ops.write(t, b + at,
			    (size_t)(n - at), end);

			if (put < 0)
				return 2;
			at += put;
		}
	/* The end stays the end. */
	return n == 0 && tls_stream_ops.read(t, b, 1, end) == 0 ? 0 : 1;
}

static int
only_handshake(struct tls *t)
{
	(void)t;
	return 0;
}

/* ---- our client ----------------------------------------------------------------- */

static void
wait_for(enum tls_result r)
{
	struct pollfd p = { .fd = fd, .events = r == TLS_WANT_READ ? POLLIN : POLLOUT };

	ck_assert_int_eq(poll(&p, 1, 20000), 1);
}

static struct tls *
connect_to(const char *ca, const char *name, enum tls_verify verify,
    enum tls_result *result)
{
	struct tls_ctx *c = tls_client_ctx(ca, "1.2", &error);
	struct tls *t;
	enum tls_result r;

	ck_assert_msg(c != NULL, "%s", buf_cstr(&error));
	t = tls_connect(c, fd, &(struct tls_peer){ .name = name, .verify = verify });
	ck_assert_ptr_nonnull(t);
	while ((r = tls_handshake(t)) == TLS_WANT_READ || r == TLS_WANT_WRITE)
		wait_for(r);
	*result = r;
	tls_ctx_free(c);
	return t;
}

START_TEST(both_ways)
{
	struct tls_server_conf conf = conf_of("good");
	struct tls_ctx *c = new_ctx(&conf);
	enum { N = 700000 };
	char *out = mem_alloc(N), *in = mem_alloc(N);
	size_t sent = 0, got = 0;
	struct tls *t;
	struct buf key;
	enum tls_result r;

	for (size_t i = 0; i < N; i++)
		out[i] = (char)(i * 7 >> 3);
	serve(c, echo);
	t = connect_to(pki_path("ca", "crt"), "mx.example.org", TLS_VERIFY_NAME, &r);
	ck_assert_msg(r == TLS_DONE, "%s", tls_error(t));
	ck_assert_str_eq(tls_version(t), "TLSv1.3");
	ck_assert_int_ge(tls_bits(t), 128);
	ck_assert(str_starts(str_c(tls_cipher(t)), STR("TLS_")));
	ck_assert_int_eq(tls_handshake(t), TLS_DONE);
	buf_init(&key, 100);
	tls_exporter(t, &key);
	ck_assert_uint_eq(key.n, 32);
	buf_free(&key);
	while (got < N) {
		size_t n = 0;
		enum tls_result w = TLS_WANT_READ;

		if (sent < N) {
			w = tls_write(t, out + sent, N - sent, &n);
			ck_assert_int_lt(w, TLS_CLOSED);
			sent += n;
		}
		r = tls_read(t, in + got, N - got, &n);
		ck_assert_int_lt(r, TLS_CLOSED);
		got += n;
		if (r != TLS_DONE && w != TLS_DONE) {
			struct pollfd p = { .fd = fd, .events = POLLIN };

			if (sent < N)
				p.events |= POLLOUT;
			ck_assert_int_eq(poll(&p, 1, 20000), 1);
		}
	}
	ck_assert(memcmp(out, in, N) == 0);
	ck_assert_int_eq(tls_write(t, "", 0, &sent), TLS_DONE);
	tls_free(t);	/* says close_notify: the server's read is 0 */
	ck_assert_int_eq(served(), 0);
	tls_ctx_free(c);
	mem_free(out);
	mem_free(in);
}
END_TEST

/* S-11, T-08: who is believed, and the words for who is not. */
START_TEST(verifying)
{
	static const struct {
		const char *leaf, *name, *why;	/* NULL: verified */
	} cases[] = {
		{ "good", "mx.example.org", NULL },
		{ "good", "MX.Example.ORG.", NULL },
		{ "good", "other.example.org", "hostname mismatch" },
		{ "good", "192.0.2.1", "IP address mismatch" },
		{ "expired", "mx.example.org", "certificate has expired" },
		{ "future", "mx.example.org", "certificate is not yet valid" },
		{ "self", "mx.example.org", "self-signed certificate" },
		{ "cn-only", "mx.example.org", "hostname mismatch" },
		{ "wild", "mx.example.org", NULL },
		{ "wild", "a.b.example.org", "hostname mismatch" },
		{ "partial", "mx.example.org", "hostname mismatch" },
		{ "two-stars", "a.b.org", "hostname mismatch" },
		{ "address", "192.0.2.1", NULL },
		{ "address", "2001:db8::1", NULL },
		{ "address", "192.0.2.2", "IP address mismatch" },
		/* A name that looks like an address is no address. */
		{ "fake-address", "192.0.2.1", "IP address mismatch" },
		{ "cut-name", "mx.example.org", "hostname mismatch" },
		{ "no-chain", "mx.example.org", "unable to get local issuer certificate" },
		{ "whole-chain", "mx.example.org", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (int verify = TLS_VERIFY_NONE; verify <= TLS_VERIFY_NAME; verify++) {
			struct tls_server_conf conf = conf_of(cases[i].leaf);
			struct tls_ctx *c = new_ctx(&conf);
			const char *why = verify == TLS_VERIFY_NAME ? cases[i].why : NULL, *tried;
			enum tls_result r;
			struct tls *t;
			size_t n;

			serve(c, only_handshake);
			t = connect_to(pki_path("ca", "crt"), cases[i].name,
			    (enum tls_verify)verify, &r);
			ck_assert_msg((r == TLS_DONE) == (why == NULL),
			    "case %zu: %s", i, tls_error(t));
			if (why) {
				ck_assert_msg(strcasecmp(tls_error(t), why) == 0,
				    "case %zu: %s", i, tls_error(t));
				/* Dead: nothing goes out, nothing comes in. */
				ck_assert_int_eq(tls_handshake(t), TLS_FAILED);
				ck_assert_int_eq(tls_write(t, "x", 1, &n), TLS_FAILED);
				ck_assert_int_eq(tls_read(t, &n, 1, &n), TLS_FAILED);
			}
			if (verify == TLS_VERIFY_NONE) {
				ck_assert_int_eq(tls_trust(t, &tried), TLS_UNTRUSTED);
			} else if (verify == TLS_VERIFY_TRY) {
				bool named = cases[i].why && strstr(cases[i].why, "mismatch");

				ck_assert_int_eq(tls_trust(t, &tried), !cases[i].why ?
					TLS_AUTHENTICATED : named ? TLS_TRUSTED : TLS_UNTRUSTED);
				ck_assert(!cases[i].why || strcasecmp(tried, cases[i].why) == 0);
			}
			tls_free(t);
			(void)served();
			tls_ctx_free(c);
		}
}
END_TEST

START_TEST(anchors)
{
	struct tls_server_conf conf = conf_of("good");
	struct tls_ctx *c = new_ctx(&conf);
	enum tls_result r;
	struct tls *t;

	/* The system's anchors do not know the test's CA. */
	serve(c, only_handshake);
	t = connect_to("", "mx.example.org", TLS_VERIFY_NAME, &r);
	ck_assert_int_eq(r, TLS_FAILED);
	ck_assert_str_eq(tls_error(t), "unable to get local issuer certificate");
	tls_free(t);
	ck_assert_int_eq(served(), 40);
	/* A directory, in which nothing is found. */
	serve(c, only_handshake);
	t = connect_to(pki.dir, "mx.example.org", TLS_VERIFY_NAME, &r);
	ck_assert_int_eq(r, TLS_FAILED);
	tls_free(t);
	(void)served();
	tls_ctx_free(c);

	c = tls_client_ctx("/nonexistent/ca.pem", "1.2", &error);
	ck_assert_ptr_null(c);
	ck_assert_str_eq(buf_cstr(&error), "/nonexistent/ca.pem: No such file or directory");
	buf_reset(&error);
	c = tls_client_ctx(pki_path("good", "key"), "1.2", &error);
	ck_assert_ptr_null(c);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&error), "holds no certificate"));
	buf_reset(&error);
	ck_assert_ptr_null(tls_client_ctx("", "1.1", &error));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&error), "\"1.1\""));
	/* Nobody can be verified by no name. */
	c = tls_client_ctx("", "1.3", &error);
	ck_assert_ptr_null(tls_connect(c, 0,
		&(struct tls_peer){ .name = "", .verify = TLS_VERIFY_NAME }));
	tls_ctx_free(c);
	tls_ctx_free(NULL);
	tls_free(NULL);
}
END_TEST

START_TEST(bad_files)
{
	struct tls_server_conf good = conf_of("good"), other = conf_of("wild");
	const struct {
		struct tls_server_conf conf;
		const char *says;
		enum { CERTIFICATE, KEY, VERSION, CIPHERS } wrong;
	} cases[] = {
		{ { .pairs = { { "/nonexistent", "" } } }, "/nonexistent: No such file", CERTIFICATE },
		{ { .pairs = { { good.pairs[0].certificate, "/nonexistent" } } },
			"/nonexistent: No such file", KEY },
		{ { .pairs = { { pki.dir, "" } } }, "Is a directory", CERTIFICATE },
		{ { .pairs = { { good.pairs[0].key, "" } } }, "holds no certificate in PEM form", CERTIFICATE },
		/* T-01: at its own side, too, SHA-1 and RSA with 1024 bits are none. */
		{ { .pairs = { { pki_path("sha1", "crt"), pki_path("sha1", "key") } } },
			"ca md too weak", CERTIFICATE },
		{ { .pairs = { { pki_path("short", "crt"), pki_path("short", "key") } } },
			"its key is too short", CERTIFICATE },
		{ { .pairs = { { "/dev/null", "" } } }, "/dev/null: holds no certificate", CERTIFICATE },
		{ { .pairs = { { good.pairs[0].certificate, "" } } },
			"good.crt: holds no private key in PEM form", CERTIFICATE },
		{ { .pairs = { { good.pairs[0].certificate, other.pairs[0].key } } },
			"is not the key of the certificate in", KEY },
		{ { .pairs = { { good.pairs[0].certificate, pki_path("locked", "key") } } },
			"the key is encrypted", KEY },
		{ { .pairs = { { pki_path("broken", "crt"), good.pairs[0].key } } }, "broken.crt: ", CERTIFICATE },
		{ { .pairs = { { good.pairs[0].certificate, good.pairs[0].key } }, .min_version = "1.1" },
			"neither 1.2 nor 1.3", VERSION },
		{ { .pairs = { { good.pairs[0].certificate, good.pairs[0].key } }, .ciphers = "NONSENSE" },
			"\"NONSENSE\": no cipher match", CIPHERS },
	};
	const char *wrong;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tls_server_conf c = cases[i].conf;
		const char *which[] = { c.pairs[0].certificate, c.pairs[0].key, c.min_version, c.ciphers };

		c.wrong = &wrong;
		wrong = NULL;
		error.max = 1000;
		ck_assert_ptr_null(tls_server_ctx(&c, &error));
		ck_assert_msg(strstr(buf_cstr(&error), cases[i].says) != NULL,
		    "case %zu: %s", i, buf_cstr(&error));
		ck_assert_msg(wrong == which[cases[i].wrong], "case %zu: %s", i, wrong);
		buf_free(&error);
	}
	struct tls_name bad = { "x.example.org", { { "/nonexistent", "" } } };

	good.wrong = &wrong;

	good.names = &bad;
	good.name_n = 1;
	error.max = 1000;
	ck_assert_ptr_null(tls_server_ctx(&good, &error));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&error), "/nonexistent"));
	ck_assert_ptr_eq(wrong, bad.pairs[0].certificate);
	/* The key may stand in the certificate's file. */
	good.name_n = 0;
	good.pairs[0].certificate = pki_path("both", "pem");
	good.pairs[0].key = "";
	tls_ctx_free(new_ctx(&good));
}
END_TEST

/* ---- OpenSSL's client ------------------------------------------------------------------ */

static SSL_SESSION *last_session;

static int
keep_session(SSL *ssl, SSL_SESSION *session)
{
	(void)ssl;
	SSL_SESSION_free(last_session);
	last_session = session;
	return 1;
}

/* What a client of OpenSSL asks for; a zero leaves the default. */
struct offer {
	int min, max;
	const char *alpn;	/* as on the wire */
	const char *sni;
	const char *ciphers;
	const char *sigalgs;
	SSL_SESSION *session;
	bool weak;		/* no security level */
};

static SSL *
raw_connect(const struct offer *o, int *rc)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl;

	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT |
		SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, keep_session);
	ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	if (o->weak)
		SSL_set_security_level(ssl, 0);
	SSL_set_min_proto_version(ssl, o->min);
	SSL_set_max_proto_version(ssl, o->max);
	if (o->alpn)
		SSL_set_alpn_protos(ssl, (const unsigned char *)o->alpn,
		    (unsigned)strlen(o->alpn));
	if (o->sni) {
		/* The macro of this name drops a const. */
		char *copy = mem_dup(str_c(o->sni));

		SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, copy);
		mem_free(copy);
	}
	if (o->ciphers)
		SSL_set_cipher_list(ssl, o->ciphers);
	if (o->sigalgs) {
		char list[64] = "";

		/* The macro casts const away. */
		memcpy(list, o->sigalgs, strnlen(o->sigalgs, sizeof(list) - 1));
		ck_assert_int_eq(SSL_set1_sigalgs_list(ssl, list), 1);
	}
	if (o->session)
		SSL_set_session(ssl, o->session);
	SSL_set_fd(ssl, fd);
	ERR_clear_error();
	*rc = SSL_connect(ssl);
	return ssl;
}

/* T-01: what is agreed on, and with whom there is no agreement. */
START_TEST(versions)
{
	static const struct {
		const char *min_version, *ciphers;
		struct offer offer;
		const char *agreed;	/* NULL: refused */
	} cases[] = {
		{ "1.2", "", { 0 }, "TLSv1.3" },
		{ "1.2", "", { .max = TLS1_2_VERSION }, "TLSv1.2" },
		{ "1.3", "", { 0 }, "TLSv1.3" },
		{ "1.3", "", { .max = TLS1_2_VERSION }, NULL },
		{ "1.2", "", { .max = TLS1_1_VERSION, .weak = true }, NULL },
		{ "1.2", "", { .max = TLS1_VERSION, .weak = true }, NULL },
		{ "1.2", "", { .max = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-SHA" }, NULL },
		{ "1.2", "", { .max = TLS1_2_VERSION, .ciphers = "AECDH:aNULL:NULL", .weak = true }, NULL },
		{ "1.2", "ECDHE-ECDSA-AES256-GCM-SHA384", { .max = TLS1_2_VERSION }, "TLSv1.2" },
		{ "1.2", "ECDHE-ECDSA-AES256-GCM-SHA384",
			{ .max = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256" }, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tls_server_conf conf = conf_of("good");
		struct tls_ctx *c;
		SSL *ssl;
		int rc;

		conf.min_version = cases[i].min_version;
		conf.ciphers = cases[i].ciphers;
		c = new_ctx(&conf);
		serve(c, only_handshake);
		ssl = raw_connect(&cases[i].offer, &rc);
		ck_assert_msg((rc == 1) == (cases[i].agreed != NULL), "case %zu", i);
		if (rc == 1) {
			ck_assert_str_eq(SSL_get_version(ssl), cases[i].agreed);
			ck_assert_str_eq(SSL_get_cipher_version(ssl), cases[i].agreed);
			ck_assert_ptr_null(SSL_get_current_compression(ssl));
			ck_assert(SSL_version(ssl) == TLS1_3_VERSION ||
			    SSL_get_secure_renegotiation_support(ssl) == 1);
		}
		SSL_free(ssl);
		ck_assert_int_eq(served(), cases[i].agreed ? 0 : 40);
		tls_ctx_free(c);
	}
}
END_TEST

/* S-09 */
START_TEST(alpn)
{
	static const struct {
		const char *ours, *offer, *chosen;	/* NULL: refused */
	} cases[] = {
		{ "smtp", "\x04smtp", "smtp" }, { "smtp", NULL, "" },
		{ "smtp", "\x08http/1.1", NULL }, { "smtp", "\x04imap", NULL },
		{ "smtp", "\x02h2\x04smtp", "smtp" }, { "pop3", "\x04smtp", NULL },
		{ "pop3", "\x04pop3", "pop3" }, { "", "\x02h2", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tls_server_conf conf = conf_of("good");
		struct offer o = { .alpn = cases[i].offer };
		struct tls_ctx *c;
		const unsigned char *p;
		unsigned n;
		SSL *ssl;
		int rc;

		conf.alpn = cases[i].ours;
		c = new_ctx(&conf);
		serve(c, only_handshake);
		ssl = raw_connect(&o, &rc);
		ck_assert_msg((rc == 1) == (cases[i].chosen != NULL), "case %zu", i);
		if (rc == 1) {
			SSL_get0_alpn_selected(ssl, &p, &n);
			ck_str(str_n((const char *)p, n), str_c(cases[i].chosen));
		} else {
			ck_assert_int_eq(ERR_GET_REASON(ERR_peek_error()),
			    SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL);
		}
		SSL_free(ssl);
		ck_assert_int_eq(served(), cases[i].chosen ? 0 : 40);
		tls_ctx_free(c);
	}
}
END_TEST

static void
subject(SSL *ssl, char *out, size_t n)
{
	X509 *x = SSL_get1_peer_certificate(ssl);

	ck_assert_ptr_nonnull(x);
	X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, out, (int)n);
	X509_free(x);
}

/* S-10, T-04 */
START_TEST(sni)
{
	char longest[256];
	const struct {
		const char *sni, *cn;
	} cases[] = {
		{ NULL, "good" }, { "mail.example.net", "net" },
		{ "MAIL.example.NET", "net" }, { "pop.example.net", "wild" },
		{ "unknown.example", "good" }, { "../../x", "good" },
		{ "\\", "good" }, { longest, "good" }, { "mail.example.ne", "good" },
		{ "any.example.com", "expired" }, { "ANY.Example.COM", "expired" },
		{ "mail.example.com", "net" }, { "example.com", "good" },
		{ "a.b.example.com", "good" }, { ".example.com", "good" },
	};
	struct tls_server_conf conf = conf_of("good"), net = conf_of("net"),
	    wild = conf_of("wild"), star = conf_of("expired");
	struct tls_name names[] = {
		{ "*.example.com", { star.pairs[0] } },
		{ "mail.example.com", { net.pairs[0] } },
		{ "mail.example.net", { net.pairs[0] } },
		{ "pop.example.net", { wild.pairs[0] } },
	};
	struct tls_ctx *c;

	memset(longest, 'a', 255);
	longest[255] = '\0';
	conf.names = names;
	conf.name_n = ARRAY_LEN(names);
	c = new_ctx(&conf);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct offer o = { .sni = cases[i].sni, .max = i % 2 ? TLS1_2_VERSION : 0 };
		char cn[64];
		SSL *ssl;
		int rc;

		serve(c, only_handshake);
		ssl = raw_connect(&o, &rc);
		ck_assert_msg(rc == 1, "case %zu", i);
		subject(ssl, cn, sizeof(cn));
		ck_assert_str_eq(cn, cases[i].cn);
		SSL_free(ssl);
		ck_assert_int_eq(served(), 0);
	}
	/* Another offer is refused under every name. */
	struct offer o = { .sni = "mail.example.net", .alpn = "\x02h2" };
	int rc;

	serve(c, only_handshake);
	SSL_free(raw_connect(&o, &rc));
	ck_assert_int_ne(rc, 1);
	ck_assert_int_eq(served(), 40);
	tls_ctx_free(c);
}
END_TEST

/* T-03: RSA and ECDSA side by side, also under a name of its own. */
START_TEST(two_kinds)
{
	static const struct {
		const char *sni, *sigalgs, *ciphers;
		int max;
		const char *cn;		/* NULL: no handshake */
	} cases[] = {
		{ NULL, "ECDSA+SHA256", NULL, 0, "good" },
		{ NULL, "RSA-PSS+SHA256", NULL, 0, "rsa" },
		{ NULL, "ECDSA+SHA256:RSA-PSS+SHA256", NULL, 0, "good" },
		{ NULL, "ed25519", NULL, 0, NULL },
		{ NULL, NULL, "ECDHE-RSA-AES128-GCM-SHA256", TLS1_2_VERSION, "rsa" },
		{ NULL, NULL, "ECDHE-ECDSA-AES128-GCM-SHA256", TLS1_2_VERSION, "good" },
		{ "mail.example.net", "ECDSA+SHA256", NULL, 0, "net" },
		{ "mail.example.net", "RSA-PSS+SHA256", NULL, 0, "net-rsa" },
		{ "mail.example.net", NULL, "ECDHE-RSA-AES128-GCM-SHA256", TLS1_2_VERSION, "net-rsa" },
	};
	struct tls_server_conf conf = conf_of("good"), rsa = conf_of("rsa"),
	    net = conf_of("net"), net_rsa = conf_of("net-rsa");
	struct tls_name name = { "mail.example.net", { net.pairs[0], net_rsa.pairs[0] } };
	const char *wrong = NULL;
	struct tls_ctx *c;

	conf.pairs[1] = rsa.pairs[0];
	conf.names = &name;
	conf.name_n = 1;
	c = new_ctx(&conf);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct offer o = { .sni = cases[i].sni, .ciphers = cases[i].ciphers,
			.sigalgs = cases[i].sigalgs, .max = cases[i].max };
		char cn[64];
		SSL *ssl;
		int rc;

		serve(c, only_handshake);
		ssl = raw_connect(&o, &rc);
		ck_assert_msg((rc == 1) == (cases[i].cn != NULL), "case %zu", i);
		if (rc == 1) {
			subject(ssl, cn, sizeof(cn));
			ck_assert_msg(strcmp(cn, cases[i].cn) == 0, "case %zu: %s", i, cn);
		}
		SSL_free(ssl);
		ck_assert_int_eq(served(), cases[i].cn ? 0 : 40);
	}
	tls_ctx_free(c);
	/* The second is read as the first is, and must be of another kind. */
	conf.wrong = &wrong;
	conf.pairs[1] = net.pairs[0];
	ck_assert_ptr_null(tls_server_ctx(&conf, &error));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&error), "has the same kind of key"));
	ck_assert_ptr_eq(wrong, net.pairs[0].certificate);
	conf.pairs[1] = (struct tls_pair){ rsa.pairs[0].certificate, net.pairs[0].key };
	ck_assert_ptr_null(tls_server_ctx(&conf, &error));
	ck_assert_ptr_eq(wrong, net.pairs[0].key);
	buf_free(&error);
}
END_TEST

/* A connection with SESSION and NAME to C: true if it was resumed. */
static bool
resumes(struct tls_ctx *c, SSL_SESSION *session, const char *name, int max)
{
	/* A copy each time: a session is spent by its use. */
	SSL_SESSION *copy = session ? SSL_SESSION_dup(session) : NULL;
	struct offer o = { .sni = name, .session = copy, .max = max };
	char byte;
	SSL *ssl;
	int rc;
	bool resumed;

	serve(c, echo);
	ssl = raw_connect(&o, &rc);
	ck_assert_int_eq(rc, 1);
	/* In 1.3 the ticket comes with the first octets from the server. */
	ck_assert_int_eq(SSL_write(ssl, "x", 1), 1);
	ck_assert_int_eq(SSL_read(ssl, &byte, 1), 1);
	resumed = SSL_session_reused(ssl) == 1;
	SSL_shutdown(ssl);
	SSL_free(ssl);
	SSL_SESSION_free(copy);
	ck_assert_int_eq(served(), 0);
	return resumed;
}

/* S-07, T-02 */
START_TEST(tickets)
{
	static const int max[] = { TLS1_3_VERSION, TLS1_2_VERSION };
	struct tls_server_conf conf = conf_of("good"), net = conf_of("net");
	struct tls_name name = { "mail.example.net", { net.pairs[0] } };

	conf.names = &name;
	conf.name_n = 1;
	for (size_t i = 0; i < ARRAY_LEN(max); i++) {
		struct tls_ctx *c = new_ctx(&conf), *other;
		SSL_SESSION *first;

		conf.session_id = "two";
		other = new_ctx(&conf);
		conf.session_id = "one";
		ck_assert(!resumes(c, NULL, "mx.example.org", max[i]));
		ck_assert_ptr_nonnull(last_session);
		ck_assert_uint_eq(SSL_SESSION_get_max_early_data(last_session), 0);
		first = SSL_SESSION_dup(last_session);
		ck_assert(resumes(c, first, "mx.example.org", max[i]));
		ck_assert(!resumes(other, first, "mx.example.org", max[i]));
		ck_assert(!resumes(c, first, "mail.example.net", max[i]));
		ck_assert(resumes(c, first, "mx.example.org", max[i]));
		tls_ctx_rotate(c);
		ck_assert(!resumes(c, first, "mx.example.org", max[i]));
		SSL_SESSION_free(first);
		tls_ctx_free(c);
		tls_ctx_free(other);
	}
}
END_TEST

/* S-08 */
START_TEST(renegotiation)
{
	struct tls_server_conf conf = conf_of("good");
	struct tls_ctx *c = new_ctx(&conf);
	struct offer o = { .max = TLS1_2_VERSION };
	SSL *ssl;
	int rc;

	serve(c, echo);
	ssl = raw_connect(&o, &rc);
	ck_assert_int_eq(rc, 1);
	ck_assert_int_eq(SSL_renegotiate(ssl), 1);
	ck_assert_int_ne(SSL_do_handshake(ssl), 1);
	SSL_free(ssl);
	(void)served();
	tls_ctx_free(c);
}
END_TEST

/* ---- what a server reads ------------------------------------------------------------------- */

/* 0 if after the first octet comes an end that stays one, 3 if more octets. */
static int
read_to_end(struct tls *t)
{
	char b[100];
	int64_t end = clock_ms() + 20000;
	ssize_t n;

	if (tls_stream_ops.read(t, b, 1, end) != 1)
		return 1;
	for (int i = 0; i < 3; i++) {
		n = tls_stream_ops.read(t, b, sizeof(b), end);
		if (n > 0)
			return 3;
		if (n < 0 && errno == ETIMEDOUT)
			return 4;
	}
	return 0;
}

/* S-06: octets in clear after the session's end, or in its middle. */
START_TEST(clear_text)
{
	for (int notify = 0; notify < 2; notify++)
		for (int max = TLS1_2_VERSION; max <= TLS1_3_VERSION; max++) {
			struct tls_server_conf conf = conf_of("good");
			struct tls_ctx *c = new_ctx(&conf);
			struct offer o = { .max = max };
			BIO *out = BIO_new(BIO_s_mem());
			char *p;
			long n;
			SSL *ssl;
			int rc;

			serve(c, read_to_end);
			ssl = raw_connect(&o, &rc);
			ck_assert_int_eq(rc, 1);
			/* All in one segment. */
			SSL_set0_wbio(ssl, out);
			ck_assert_int_eq(SSL_write(ssl, "x", 1), 1);
			if (notify)
				SSL_shutdown(ssl);
			BIO_write(out, "QUIT\r\n", 6);
			n = BIO_get_mem_data(out, &p);
			ck_assert_int_eq(send(fd, p, (size_t)n, MSG_NOSIGNAL), n);
			shutdown(fd, SHUT_WR);
			SSL_free(ssl);
			ck_assert_int_eq(served(), 0);
			tls_ctx_free(c);
		}
}
END_TEST

/* Two octets in time, one after a deadline that passed: it is not lost. */
static int
read_with_deadline(struct tls *t)
{
	char b[10];
	int64_t start = clock_ms();

	if (tls_stream_ops.read(t, b, 1, start + 20000) != 1)
		return 1;
	if (tls_stream_ops.read(t, b, 1, start + 60) != -1 || errno != ETIMEDOUT)
		return 2;
	if (clock_ms() < start + 60 || clock_ms() > start + 10000)
		return 3;
	if (tls_stream_ops.write(t, "g", 1, start + 20000) != 1)
		return 4;
	return tls_stream_ops.read(t, b, 1, start + 20000) == 1 ? 0 : 5;
}

START_TEST(deadlines)
{
	struct tls_server_conf conf = conf_of("good");
	struct tls_ctx *c = new_ctx(&conf);
	struct offer o = { 0 };
	char go;
	SSL *ssl;
	int rc;

	serve(c, read_with_deadline);
	ssl = raw_connect(&o, &rc);
	ck_assert_int_eq(SSL_write(ssl, "x", 1), 1);
	ck_assert_int_eq(SSL_read(ssl, &go, 1), 1);
	ck_assert_int_eq(SSL_write(ssl, "y", 1), 1);
	SSL_free(ssl);
	ck_assert_int_eq(served(), 0);
	tls_ctx_free(c);
}
END_TEST

/* S-12: what no handshake comes of ends at its deadline, or at once. */
START_TEST(no_handshake)
{
	static const struct {
		struct str octets;
		bool ends;		/* the client closes */
		const char *why;
	} cases[] = {
		{ { "", 0 }, false, "Connection timed out" },
		{ { "\x16\x03\x01\x02", 4 }, false, "Connection timed out" },
		{ { "\x16\x03\x01\x00\x05\x01", 6 }, false, "Connection timed out" },
		{ { "GET / HTTP/1.0\r\n\r\n", 18 }, false, "http request" },
		{ { "EHLO example.org\r\n", 18 }, false, "wrong version number" },
		{ { "\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10", 11 }, false, NULL },
		{ { "\x16\x03\x01\xff\xff\x01", 6 }, false, NULL },
		{ { "", 0 }, true, "connection closed" },
		{ { "\x16\x03\x01", 3 }, true, "connection closed" },
	};
	struct tls_server_conf conf = conf_of("good");
	struct tls_ctx *c = new_ctx(&conf);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (int blocking = 0; blocking < 2; blocking++) {
			int pair[2];
			int64_t start = clock_ms();
			struct str s = cases[i].octets;

			ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM |
				(blocking ? 0 : SOCK_NONBLOCK), 0, pair), 0);
			ck_assert_int_eq(write(pair[0], s.p, s.n), (ssize_t)s.n);
			if (cases[i].ends)
				shutdown(pair[0], SHUT_WR);
			buf_reset(&error);
			ck_assert_ptr_null(tls_accept(c, pair[1], start + 100, &error));
			ck_assert_int_lt(clock_ms() - start, 10000);
			ck_assert_uint_gt(error.n, 0);
			if (cases[i].why)
				ck_assert_msg(strcmp(buf_cstr(&error), cases[i].why) == 0,
				    "case %zu: %s", i, buf_cstr(&error));
			close(pair[0]);
			close(pair[1]);
		}
	tls_ctx_free(c);
}
END_TEST

/* What our client makes of a server that speaks no TLS. */
START_TEST(no_server)
{
	static const struct {
		struct str octets;
		bool ends;
	} cases[] = {
		{ { "220 hello\r\n", 11 }, false },
		{ { "", 0 }, true },
		{ { "\x15\x03\x03\x00\x02\x02\x28", 7 }, false },
	};

	error.max = 1000;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int pair[2];
		enum tls_result r;
		struct tls *t;

		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		fd = pair[0];
		ck_assert_int_eq(write(pair[1], cases[i].octets.p, cases[i].octets.n),
		    (ssize_t)cases[i].octets.n);
		if (cases[i].ends)
			shutdown(pair[1], SHUT_WR);
		t = connect_to("", "mx.example.org", TLS_VERIFY_NONE, &r);
		ck_assert_int_eq(r, cases[i].ends ? TLS_CLOSED : TLS_FAILED);
		ck_assert_uint_gt(strlen(tls_error(t)), 0);
		ck_assert_int_eq(tls_handshake(t), TLS_FAILED);
		tls_free(t);
		close(pair[0]);
		close(pair[1]);
	}
}
END_TEST

/* ---- DANE ------------------------------------------------------------------------- */

/* The data of a TLSA record for X: selector and matching type as in RFC 6698. */
static struct str
tlsa_data(X509 *x, int selector, int matching)
{
	unsigned char *der = NULL;
	static unsigned char data[2000];
	unsigned n = 0;
	int der_n = selector ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der) :
			       i2d_X509(x, &der);

	ck_assert_int_gt(der_n, 0);
	ck_assert_int_lt(der_n, (int)sizeof(data));
	if (matching == 0)
		memcpy(data, der, n = (unsigned)der_n);
	else
		EVP_Digest(der, (size_t)der_n, data, &n,
		    matching == 1 ? EVP_sha256() : EVP_sha512(), NULL);
	OPENSSL_free(der);
	return str_n((char *)data, n);
}

static X509 *
read_leaf(const char *name)
{
	FILE *f = fopen(pki_path(name, "crt"), "r");
	X509 *x;

	ck_assert_ptr_nonnull(f);
	x = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	ck_assert_ptr_nonnull(x);
	return x;
}

/* T-06: what TLSA records make of the certificates above. */
START_TEST(dane)
{
	static const struct {
		const char *leaf, *name, *other;	/* of the server; demanded */
		uint8_t usage, selector, matching;
		enum { OF_LEAF, OF_CA, OF_OTHER, OF_NOTHING } of;
		const char *why;			/* NULL: it passes */
		enum tls_trust trust;
	} cases[] = {
		{ "good", "mx.example.org", NULL, 3, 1, 1, OF_LEAF, NULL, TLS_AUTHENTICATED },
		{ "good", "mx.example.org", NULL, 3, 0, 2, OF_LEAF, NULL, TLS_AUTHENTICATED },
		{ "good", "mx.example.org", NULL, 3, 0, 0, OF_LEAF, NULL, TLS_AUTHENTICATED },
		{ "good", "mx.example.org", NULL, 3, 1, 0, OF_LEAF, NULL, TLS_AUTHENTICATED },
		/* DANE-EE: neither names nor dates nor who signed it count. */
		{ "good", "other.test", NULL, 3, 1, 1, OF_LEAF, NULL, TLS_AUTHENTICATED },
		{ "expired", "mx.example.org", NULL, 3, 1, 1, OF_LEAF, NULL, TLS_AUTHENTICATED },
		{ "future", "mx.example.org", NULL, 3, 1, 1, OF_LEAF, NULL, TLS_AUTHENTICATED },
		{ "self", "mx.example.org", NULL, 3, 1, 1, OF_LEAF, NULL, TLS_AUTHENTICATED },
		{ "good", "mx.example.org", NULL, 3, 1, 1, OF_OTHER,
			"no matching dane tlsa records", TLS_UNTRUSTED },
		{ "good", "mx.example.org", NULL, 3, 1, 1, OF_CA,
			"no matching dane tlsa records", TLS_UNTRUSTED },
		/* DANE-TA: the anchor is in the chain, and names count. */
		{ "chain", "mx.example.org", NULL, 2, 1, 1, OF_CA, NULL, TLS_AUTHENTICATED },
		{ "chain", "mx.example.org", NULL, 2, 0, 1, OF_CA, NULL, TLS_AUTHENTICATED },
		{ "chain", "other.test", "mx.example.org", 2, 1, 1, OF_CA, NULL, TLS_AUTHENTICATED },
		{ "chain", "other.test", NULL, 2, 1, 1, OF_CA, "hostname mismatch", TLS_UNTRUSTED },
		{ "good", "mx.example.org", NULL, 2, 1, 0, OF_CA, NULL, TLS_AUTHENTICATED },
		{ "late-chain", "mx.example.org", NULL, 2, 1, 1, OF_CA,
			"certificate has expired", TLS_UNTRUSTED },
		/* Nothing usable: TLS, and whoever it is. */
		{ "self", "other.test", NULL, 1, 1, 1, OF_LEAF, NULL, TLS_UNTRUSTED },
		{ "self", "other.test", NULL, 0, 0, 1, OF_OTHER, NULL, TLS_UNTRUSTED },
		{ "self", "other.test", NULL, 3, 2, 1, OF_OTHER, NULL, TLS_UNTRUSTED },
		{ "self", "other.test", NULL, 3, 1, 9, OF_OTHER, NULL, TLS_UNTRUSTED },
		{ "self", "other.test", NULL, 3, 1, 1, OF_NOTHING, NULL, TLS_UNTRUSTED },
		{ "self", "other.test", NULL, 3, 0, 0, OF_NOTHING, NULL, TLS_UNTRUSTED },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tls_server_conf conf = conf_of(cases[i].leaf);
		struct tls_ctx *server_ctx = new_ctx(&conf);
		/* No anchors: DANE needs none. */
		struct tls_ctx *c = tls_client_ctx(pki_path("wild", "crt"), "1.2", &error);
		X509 *x = cases[i].of == OF_LEAF ? read_leaf(cases[i].leaf) :
		    cases[i].of == OF_CA	 ? read_leaf("ca") : read_leaf("net");
		struct dns_tlsa r = { cases[i].usage, cases[i].selector, cases[i].matching,
			cases[i].of == OF_NOTHING ? STR("short") :
			tlsa_data(x, cases[i].selector % 2, cases[i].matching % 3) };
		const char *why;
		enum tls_result result;
		struct tls *t;

		serve(server_ctx, only_handshake);
		t = tls_connect(c, fd, &(struct tls_peer){ .name = cases[i].name,
			.others = { cases[i].other }, .verify = TLS_VERIFY_DANE,
			.tlsa = &r, .tlsa_n = 1 });
		ck_assert_ptr_nonnull(t);
		while ((result = tls_handshake(t)) == TLS_WANT_READ || result == TLS_WANT_WRITE)
			wait_for(result);
		ck_assert_msg((result == TLS_DONE) == (cases[i].why == NULL), "case %zu: %s", i,
		    tls_error(t));
		if (cases[i].why)
			ck_assert_msg(strcasecmp(tls_error(t), cases[i].why) == 0,
			    "case %zu: %s", i, tls_error(t));
		else
			ck_assert_msg(tls_trust(t, &why) == cases[i].trust, "case %zu", i);
		tls_free(t);
		(void)served();
		tls_ctx_free(c);
		tls_ctx_free(server_ctx);
		X509_free(x);
	}
}
END_TEST

/* Several records: one that fits is enough; and an address has no DANE. */
START_TEST(dane_several)
{
	struct tls_server_conf conf = conf_of("good");
	struct tls_ctx *server_ctx = new_ctx(&conf);
	struct tls_ctx *c = tls_client_ctx(pki_path("ca", "crt"), "1.2", &error);
	X509 *x = read_leaf("good");
	struct dns_tlsa r[] = { { 3, 1, 1, STR("0123456789abcdef0123456789abcdef") },
		{ 1, 1, 1, STR("x") }, { 3, 1, 2, tlsa_data(x, 1, 2) } };
	struct tls_peer p = { .name = "mx.example.org", .verify = TLS_VERIFY_DANE, .tlsa = r,
		.tlsa_n = 3 };
	enum tls_result result;
	struct tls *t;

	/* RFC 7671 9: the strongest digest alone counts, so that the first may be stale. */
	serve(server_ctx, only_handshake);
	t = tls_connect(c, fd, &p);
	while ((result = tls_handshake(t)) == TLS_WANT_READ || result == TLS_WANT_WRITE)
		wait_for(result);
	ck_assert_int_eq(result, TLS_DONE);
	tls_free(t);
	ck_assert_int_eq(served(), 0);
	p.name = "192.0.2.1";
	ck_assert_ptr_null(tls_connect(c, 0, &p));
	p.name = "";
	ck_assert_ptr_null(tls_connect(c, 0, &p));
	tls_ctx_free(c);
	tls_ctx_free(server_ctx);
	X509_free(x);
}
END_TEST

/* A certificate of ours is shown to whoever asks for one. */
START_TEST(identity)
{
	struct tls_identity *id;
	struct buf b;

	buf_init(&b, 1000);
	ck_assert_ptr_null(tls_identity_load("/nonexistent", "", &b));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&b), "/nonexistent: No such file"));
	buf_reset(&b);
	id = tls_identity_load(pki_path("good", "crt"), pki_path("good", "key"), &b);
	ck_assert_msg(id != NULL, "%s", buf_cstr(&b));
	tls_identity_free(id);
	id = tls_identity_load(pki_path("both", "pem"), "", &b);
	ck_assert_ptr_nonnull(id);

	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	struct tls_ctx *c = tls_client_ctx(pki_path("ca", "crt"), "1.2", &error);
	enum tls_result result;
	struct tls *t;
	int pair[2];

	ck_assert_int_eq(SSL_CTX_use_certificate_chain_file(ctx, pki_path("good", "crt")), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey_file(ctx, pki_path("good", "key"),
		SSL_FILETYPE_PEM), 1);
	ck_assert_int_eq(SSL_CTX_load_verify_file(ctx, pki_path("ca", "crt")), 1);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	/* Nothing is written when the client may be gone. */
	SSL_CTX_set_num_tickets(ctx, 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	server = fork();
	if (server == 0) {
		SSL *ssl = SSL_new(ctx);
		char cn[64] = "";

		close(pair[0]);
		SSL_set_fd(ssl, pair[1]);
		if (SSL_accept(ssl) == 1)
			subject(ssl, cn, sizeof(cn));
		_exit(strcmp(cn, "both") == 0 ? 0 : 1);
	}
	close(pair[1]);
	fd = pair[0];
	t = tls_connect(c, fd, &(struct tls_peer){ .name = "mx.example.org",
		.verify = TLS_VERIFY_NAME, .identity = id });
	ck_assert_ptr_nonnull(t);
	while ((result = tls_handshake(t)) == TLS_WANT_READ || result == TLS_WANT_WRITE)
		wait_for(result);
	ck_assert_int_eq(result, TLS_DONE);
	buf_reset(&b);
	tls_add_facts(&b, t);
	ck_assert_str_eq(buf_cstr(&b), "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)");
	ck_assert_int_eq(served(), 0);
	tls_free(t);
	tls_ctx_free(c);
	tls_identity_free(id);
	tls_identity_free(NULL);
	SSL_CTX_free(ctx);
	buf_free(&b);
}
END_TEST

/* Writes X, of KEY and signed anew with DIGEST, as NAME; frees it. */
static void
write_signed(const char *name, X509 *x, EVP_PKEY *key, const EVP_MD *digest)
{
	pki_must(X509_sign(x, pki.ca_key, digest) > 0);
	pki_write(name, "crt", x, NULL, NULL, NULL);
	pki_write(name, "key", NULL, NULL, key, NULL);
	X509_free(x);
}

/* Those of S-11 that take some making: a name that C would cut, a weak digest, a chain of three. */
static void
make_odd(EVP_PKEY *key)
{
	static const char cut[] = "mx.example.org\0.evil.test";
	EVP_PKEY *middle_key = EVP_EC_gen("P-256");
	X509 *middle = pki_make(middle_key, "middle", "", -3600, DAY, pki.ca, pki.ca_key,
	    "critical,CA:TRUE"), *x;
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();

	ASN1_STRING_set(text, cut, sizeof(cut) - 1);
	GENERAL_NAME_set0_value(name, GEN_DNS, text);
	sk_GENERAL_NAME_push(names, name);
	x = pki_make(key, "cut-name", "", -3600, DAY, pki.ca, pki.ca_key, "CA:FALSE");
	pki_must(X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1);
	GENERAL_NAMES_free(names);
	write_signed("cut-name", x, key, EVP_sha256());
	x = pki_make(key, "sha1", "DNS:mx.example.org", -3600, DAY, pki.ca, pki.ca_key, "CA:FALSE");
	write_signed("sha1", x, key, EVP_sha1());
	x = pki_make(key, "leaf", "DNS:mx.example.org", -3600, DAY, middle, middle_key, "CA:FALSE");
	pki_write("no-chain", "crt", x, NULL, NULL, NULL);
	pki_write("no-chain", "key", NULL, NULL, key, NULL);
	pki_write("whole-chain", "crt", x, middle, NULL, NULL);
	pki_write("whole-chain", "key", NULL, NULL, key, NULL);
	X509_free(x);
	X509_free(middle);
	EVP_PKEY_free(middle_key);
}

static void
make_certificates(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x;
	FILE *f;

	pki_begin();
	pki_leaf("good", "good", "DNS:mx.example.org", -3600, DAY, false);
	pki_leaf("expired", "expired", "DNS:mx.example.org", -2 * DAY, -DAY, false);
	pki_leaf("future", "future", "DNS:mx.example.org", DAY, 2 * DAY, false);
	pki_leaf("self", "self", "DNS:mx.example.org", -3600, DAY, true);
	pki_leaf("cn-only", "mx.example.org", "", -3600, DAY, false);
	pki_leaf("wild", "wild", "DNS:*.example.org", -3600, DAY, false);
	pki_leaf("partial", "partial", "DNS:m*.example.org", -3600, DAY, false);
	pki_leaf("two-stars", "two-stars", "DNS:*.*.org", -3600, DAY, false);
	pki_leaf("address", "address", "IP:192.0.2.1,IP:2001:db8::1", -3600, DAY, false);
	pki_leaf("fake-address", "fake", "DNS:192.0.2.1", -3600, DAY, false);
	pki_leaf("net", "net", "DNS:mail.example.net", -3600, DAY, false);
	pki_leaf_of(EVP_RSA_gen(2048), "rsa", "rsa", "DNS:mx.example.org", -3600, DAY, false);
	pki_leaf_of(EVP_RSA_gen(2048), "net-rsa", "net-rsa", "DNS:mail.example.net", -3600, DAY, false);
	pki_write("locked", "key", NULL, NULL, key, "secret");
	x = pki_make(key, "both", "DNS:b", -3600, DAY, pki.ca, pki.ca_key, "CA:FALSE");
	pki_write("both", "pem", x, pki.ca, key, NULL);
	X509_free(x);
	x = pki_make(key, "chain", "DNS:mx.example.org", -3600, DAY, pki.ca, pki.ca_key, "CA:FALSE");
	pki_write("chain", "crt", x, pki.ca, NULL, NULL);
	pki_write("chain", "key", NULL, NULL, key, NULL);
	X509_free(x);
	x = pki_make(key, "late", "DNS:mx.example.org", -2 * DAY, -DAY, pki.ca, pki.ca_key, "CA:FALSE");
	pki_write("late-chain", "crt", x, pki.ca, NULL, NULL);
	pki_write("late-chain", "key", NULL, NULL, key, NULL);
	X509_free(x);
	make_odd(key);
	pki_leaf_of(EVP_RSA_gen(1024), "short", "short", "DNS:mx.example.org", -3600, DAY, false);
	EVP_PKEY_free(key);
	f = fopen(pki_path("broken", "crt"), "w");
	fputs("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", f);
	fclose(f);
}

int
main(void)
{
	TCase *t = UNIT_CASE("tls", both_ways, verifying, anchors, bad_files,
		versions, alpn, sni, two_kinds, tickets, renegotiation, clear_text, deadlines,
		no_handshake, no_server, dane, dane_several, identity);
	int status;

	make_certificates();
	status = unit_run("tls", t);
	pki_end();
	return status;
}
