/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Contexts for listeners: each service, names, and which string was wrong. */

#include "serve/tls.h"

#include "../net/pki.h"

static struct conf *
conf_of(const char *more)
{
	struct buf text, error;

	buf_init(&text, 8192);
	buf_init(&error, 8192);
	buf_addf(&text,
	    "domains = {\"example.test\"}\nhostname = \"mx.example.test\"\n"
	    "auth { backends = {\"file:///etc/users\"} }\n"
	    "tls { certificate = \"%s\" key = \"%s\" %s }\n"
	    "listen \"mx\" { port = \"25\" tls = \"starttls\" }\n"
	    "listen \"pop3s\" { service = \"pop3\" port = \"995\" tls = \"implicit\" }\n"
	    "route \"*\" { via = \"mx\" }\n",
	    pki_path("leaf", "crt"), pki_path("leaf", "key"), more);
	struct conf *c = conf_parse("/etc/barid.conf", buf_str(&text), &error);
	ck_assert_msg(c != NULL, "%s", buf_cstr(&error));
	buf_free(&text);
	buf_free(&error);
	return c;
}

static void
begin(void)
{
	pki_begin();
	pki_leaf("leaf", "mx.example.test", "DNS:mx.example.test", -3600, 86400, false);
	pki_leaf("other", "other.test", "DNS:other.test", -3600, 86400, false);
}

START_TEST(good)
{
	const char *wrong;
	struct buf error;

	begin();
	struct conf *c = conf_of("");
	buf_init(&error, 4096);
	for (size_t i = 0; i < c->listen_n; i++) {
		struct tls_ctx *t = serve_tls(c, &c->listens[i], NULL, &wrong, &error);

		ck_assert_msg(t != NULL, "%s", buf_cstr(&error));
		tls_ctx_free(t);
	}
	ck_assert_uint_eq(c->listen_n, 2);
	buf_free(&error);
	conf_free(c);
	pki_end();
}
END_TEST

/* The key of a name is another certificate's. */
START_TEST(bad_name)
{
	const char *wrong;
	struct buf error, name;

	begin();
	buf_init(&name, 1024);
	buf_addf(&name, "name \"other.test\" { certificate = \"%s\" key = \"%s\" }",
	    pki_path("other", "crt"), pki_path("leaf", "key"));
	struct conf *c = conf_of(buf_cstr(&name));
	buf_init(&error, 4096);
	ck_assert_ptr_null(serve_tls(c, &c->listens[0], NULL, &wrong, &error));
	ck_assert_uint_gt(error.n, 0);
	ck_assert(wrong == c->tls.names[0].key.v[0] ||
	    wrong == c->tls.names[0].certificate.v[0]);
	buf_free(&error);
	buf_free(&name);
	conf_free(c);
	pki_end();
}
END_TEST

UNIT_MAIN("serve/tls", good, bad_name)
