/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * scram_test -- SCRAM-SHA-256 with libgsasl's server, with and without a
 * binding to TLS, and with servers that are none.
 */

#include "unit.h"

#include <gsasl.h>

#include "client/engine.h"
#include "mail/text.h"

#define BINDING "0123456789abcdef0123456789abcdef"

struct server {
	const char *password;
	const char *iterations;
	struct buf binding;	/* base64 */
};

static int
on_property(Gsasl *g, Gsasl_session *s, Gsasl_property p)
{
	struct server *v = gsasl_callback_hook_get(g);

	switch (p) {
	case GSASL_PASSWORD:
		return gsasl_property_set(s, p, v->password);
	case GSASL_SCRAM_ITER:
		return gsasl_property_set(s, p, v->iterations);
	case GSASL_CB_TLS_EXPORTER:
		if (v->binding.n == 0)
			return GSASL_NO_CALLBACK;
		return gsasl_property_set(s, p, buf_cstr(&v->binding));
	default:
		return GSASL_NO_CALLBACK;
	}
}

/* How it ends for both; FIRST gets the client's first message. */
struct outcome_of {
	int server;
	enum mech_answer client;
	bool proved;
	struct buf first;
};

static void
exchange(const char *mech, const struct scram_options *o, struct server *v,
    struct outcome_of *out)
{
	struct scram *s = scram_new(o);
	Gsasl *g;
	Gsasl_session *session;
	struct buf said, challenge;

	ck_assert_int_eq(gsasl_init(&g), GSASL_OK);
	gsasl_callback_hook_set(g, v);
	gsasl_callback_set(g, on_property);
	ck_assert_int_eq(gsasl_server_start(g, mech, &session), GSASL_OK);
	buf_init(&said, 10000);
	buf_init(&challenge, 10000);
	buf_init(&out->first, 10000);
	out->server = GSASL_NEEDS_MORE;
	for (;;) {
		char *p = NULL;
		size_t n = 0;

		buf_reset(&said);
		out->client = scram_step(s, buf_str(&challenge), &said);
		if (challenge.n == 0)
			buf_add(&out->first, buf_str(&said));
		if (out->client != MECH_SAY || out->server != GSASL_NEEDS_MORE)
			break;
		out->server = gsasl_step(session, said.p, said.n, &p, &n);
		buf_reset(&challenge);
		if (out->server == GSASL_OK || out->server == GSASL_NEEDS_MORE)
			buf_add(&challenge, str_n(p, n));
		gsasl_free(p);
		if (challenge.n == 0)
			break;
	}
	out->proved = scram_proved(s);
	scram_free(s);
	gsasl_finish(session);
	gsasl_done(g);
	buf_free(&said);
	buf_free(&challenge);
}

static const struct scram_options user = { .user = "us,er=x",
	.password = "p\303\244ss word" };

START_TEST(good)
{
	struct server v = { .password = "p\303\244ss word",
		.iterations = "4096" };
	struct outcome_of out;

	exchange("SCRAM-SHA-256", &user, &v, &out);
	ck_assert_int_eq(out.server, GSASL_OK);
	ck_assert_int_eq(out.client, MECH_SAY);
	ck_assert(out.proved);
	ck_assert(str_starts(buf_str(&out.first), STR("n,,n=us=2Cer=3Dx,r=")));
	buf_free(&out.first);
}
END_TEST

/* RFC 9266: who stands between has another session with each of us. */
START_TEST(bound)
{
	static const char *const theirs[] = { BINDING, "x" BINDING };

	for (size_t i = 0; i < ARRAY_LEN(theirs); i++) {
		struct scram_options o = user;
		struct server v = { .password = user.password,
			.iterations = "5000" };
		struct outcome_of out;

		o.binding = STR(BINDING);
		buf_init(&v.binding, 100);
		base64_add(&v.binding, str_c(theirs[i]));
		exchange("SCRAM-SHA-256-PLUS", &o, &v, &out);
		ck_assert_int_eq(out.server == GSASL_OK, i == 0);
		ck_assert_int_eq(out.proved, i == 0);
		ck_assert(str_starts(buf_str(&out.first),
		    STR("p=tls-exporter,,n=us=2Cer=3Dx,r=")));
		buf_free(&v.binding);
		buf_free(&out.first);
	}
}
END_TEST

START_TEST(wrong)
{
	static const struct {
		const char *password, *iterations;
	} cases[] = {
		{ "another", "4096" },
		/* One that wants to guess, and one that wants us to count. */
		{ "p\303\244ss word", "4095" },
		{ "p\303\244ss word", "1000001" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct server v = { .password = cases[i].password,
			.iterations = cases[i].iterations };
		struct outcome_of out;

		exchange("SCRAM-SHA-256", &user, &v, &out);
		ck_assert_int_ne(out.server, GSASL_OK);
		ck_assert(!out.proved);
		buf_free(&out.first);
	}
}
END_TEST

/* What no server says. */
START_TEST(strange)
{
	static const struct {
		const char *first, *last;
		enum mech_answer want;
	} cases[] = {
		{ "", NULL, MECH_STRANGE },
		{ "r=x,s=QUFB", NULL, MECH_STRANGE },
		{ "r=x,s=QUFB,i=4096", NULL, MECH_STRANGE },
		{ "r=x,s=QUFB,i=5000,i=4096", NULL, MECH_STRANGE },
		{ "r=x,s=QUFB,i=99999999999999999999", NULL, MECH_STRANGE },
		{ "r=%,s=QUFB,i=-1", NULL, MECH_STRANGE },
		{ "e=other-error", NULL, MECH_STRANGE },
		{ "r=%x,s=QUFB,i=4096", "v=QUFB", MECH_FALSE },
		{ "r=%x,s=QUFB,i=4096", "e=invalid-proof", MECH_FALSE },
		{ "r=%x,s=QUFB,i=4096", "", MECH_FALSE },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct scram *s = scram_new(&user);
		struct buf out, first;
		struct str head, tail, nonce;

		buf_init(&out, 10000);
		buf_init(&first, 10000);
		ck_assert_int_eq(scram_step(s, STR(""), &out), MECH_SAY);
		nonce = str_skip(buf_str(&out),
		    (size_t)str_rfind(buf_str(&out), '=') + 1);
		/* "%" stands for the client's nonce. */
		if (str_cut(str_c(cases[i].first), '%', &head, &tail)) {
			buf_add(&first, head);
			buf_add(&first, nonce);
			buf_add(&first, tail);
		} else
			buf_add(&first, head);
		ck_assert_int_eq(scram_step(s, buf_str(&first), &out),
		    cases[i].last ? MECH_SAY : cases[i].want);
		if (cases[i].last)
			ck_assert_int_eq(scram_step(s, str_c(cases[i].last),
			    &out), cases[i].want);
		ck_assert(!scram_proved(s));
		ck_assert_int_eq(scram_step(s, STR("x"), &out) == MECH_SAY,
		    false);
		scram_free(s);
		buf_free(&out);
		buf_free(&first);
	}
	scram_free(NULL);
}
END_TEST

/* A password that SASLprep forbids is told, not sent otherwise. */
START_TEST(unfit_password)
{
	struct scram_options o = { .user = "u", .password = "a\001b" };
	struct scram *s = scram_new(&o);
	struct buf out;

	buf_init(&out, 10000);
	if (scram_step(s, STR(""), &out) == MECH_SAY)
		ck_assert_int_eq(scram_step(s, STR("r=x,s=QUFB,i=4096"), &out),
		    MECH_STRANGE);
	scram_free(s);
	buf_free(&out);
}
END_TEST

UNIT_MAIN("client/scram", good, bound, wrong, strange, unfit_password)
