/* SPDX-License-Identifier: GPL-3.0-or-later */

/* mech_test -- names, order, and what each mechanism says. */

#include "unit.h"

#include "client/engine.h"

START_TEST(names)
{
	unsigned seen = 0;

	for (size_t i = 0; i < client_mech_n; i++) {
		const struct mech *m = &client_mechs[i];

		ck_assert_uint_eq(client_mechanism(m->name), m->bit);
		/* The lowest bit is the best: in the order of the table. */
		ck_assert_uint_gt(m->bit, seen);
		seen |= m->bit;
	}
	ck_assert_uint_eq(client_mechanism(STR("scram-sha-256")),
	    MECH_SCRAM_SHA_256);
	ck_assert_uint_eq(client_mechanism(STR("SCRAM-SHA-25")), 0);
	ck_assert_uint_eq(client_mechanism(STR("GSSAPI")), 0);
	ck_assert_uint_eq(client_mechanism(STR("")), 0);
}
END_TEST

static enum mech_answer
answer(struct client *c, unsigned bit, unsigned turn, const char *challenge,
    struct buf *out)
{
	buf_reset(out);
	for (size_t i = 0; i < client_mech_n; i++) {
		c->mech = &client_mechs[i];
		if (client_mechs[i].bit == bit)
			return c->mech->answer(c, turn, str_c(challenge), out);
	}
	return MECH_STRANGE;
}

static const struct {
	unsigned bit, turn;
	const char *challenge;
	enum mech_answer want;
	struct str said;
} cases[] = {
	{ MECH_PLAIN, 0, "", MECH_SAY, { "\0u=,s\0pw", 8 } },
	{ MECH_PLAIN, 1, "", MECH_STRANGE, { "", 0 } },
	{ MECH_LOGIN, 0, "what", MECH_SAY, { "u=,s", 4 } },
	{ MECH_LOGIN, 1, "!", MECH_SAY, { "pw", 2 } },
	{ MECH_LOGIN, 2, "", MECH_STRANGE, { "", 0 } },
	{ MECH_CRAM_MD5, 0, "!", MECH_STRANGE, { "", 0 } },
	{ MECH_CRAM_MD5, 1, "QUFB", MECH_STRANGE, { "", 0 } },
	{ MECH_SCRAM_SHA_256, 1, "!", MECH_STRANGE, { "", 0 } },
	{ MECH_XOAUTH2, 0, "", MECH_SAY,
	    { "user=u=,s\001auth=Bearer ya29.x-\001\001", 31 } },
	{ MECH_XOAUTH2, 1, "eyJzIjo0MDF9", MECH_SAY, { "", 0 } },
	{ MECH_XOAUTH2, 2, "", MECH_STRANGE, { "", 0 } },
	{ MECH_OAUTHBEARER, 0, "", MECH_SAY,
	    { "n,a=u=3D=2Cs,\001auth=Bearer ya29.x-\001\001", 35 } },
	{ MECH_OAUTHBEARER, 1, "!", MECH_SAY, { "\001", 1 } },
	{ MECH_OAUTHBEARER, 2, "", MECH_STRANGE, { "", 0 } },
};

START_TEST(answers)
{
	static const struct client_events none = { 0 };
	struct client_options o = { .ehlo_name = "me", .user = "u=,s",
		.password = "pw", .token = "ya29.x-" };
	struct client *c = client_new(&o, &none, NULL);
	struct buf out;

	buf_init(&out, 10000);
	(void)answer(c, MECH_SCRAM_SHA_256, 0, "", &out);
	ck_assert(str_starts(buf_str(&out), STR("n,,n=u=3D=2Cs,r=")));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ck_assert_int_eq(answer(c, cases[i].bit, cases[i].turn,
		    cases[i].challenge, &out), cases[i].want);
		ck_str(buf_str(&out), cases[i].said);
		if (cases[i].bit == MECH_XOAUTH2 && cases[i].turn == 1)
			ck_str(buf_str(&c->auth_error), STR("{\"s\":401}"));
	}
	/* What is no base64 is no error that could be shown. */
	ck_assert_uint_eq(c->auth_error.n, 0);
	client_free(c);
	buf_free(&out);
}
END_TEST

UNIT_MAIN("client/mech", names, answers)
