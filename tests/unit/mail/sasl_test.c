/* SPDX-License-Identifier: GPL-3.0-or-later */

/* sasl_test -- the exchange of each mechanism, right and wrong. */

#include "mail/sasl.h"

#include "unit.h"

static struct sasl login_of;
static struct buf out;

static void
begin(unsigned mechanism)
{
	const struct sasl_setup o = { .mechanism = mechanism, .offered = mechanism,
		.nonce = "NONCE", .hostname = "mail.test", .scope = "mail",
		.bindings = { STR("export"), STR(""), STR("cert") },
		.certified = "alice", .certificate = "aa bb" };

	sasl_end(&login_of);
	buf_free(&out);
	buf_init(&out, 8192);
	sasl_begin(&login_of, &o);
}

static enum sasl_then
take(struct str response)
{
	buf_reset(&out);
	return sasl_take(&login_of, response, &out);
}

static enum sasl_then
judge(enum sasl_verdict v, const char *said)
{
	buf_reset(&out);
	return sasl_judged(&login_of, v, str_c(said), &out);
}

static void
asks(const char *by, const char *user, const char *proof, const char *challenge)
{
	ck_assert_str_eq(login_of.ask_by, by);
	ck_str(login_of.user, str_c(user));
	ck_str(login_of.proof, str_c(proof));
	ck_str(login_of.challenge, str_c(challenge));
}

START_TEST(names)
{
	for (unsigned m = SASL_PLAIN; m <= SASL_EXTERNAL; m <<= 1)
		ck_assert_uint_eq(sasl_mechanism(str_c(sasl_name(m))), m);
	ck_assert_uint_eq(sasl_mechanism(STR("scram-sha-256-plus")), SASL_SCRAM_SHA_256_PLUS);
	ck_assert_uint_eq(sasl_mechanism(STR("APOP")), 0);
	ck_assert_uint_eq(sasl_mechanism(STR("")), 0);
	ck_assert(!sasl_is_client_first(SASL_CRAM_MD5));
	ck_assert(sasl_is_client_first(SASL_LOGIN));
	sasl_end(&login_of);
}
END_TEST

START_TEST(plain)
{
	static const struct {
		struct str p;
		enum sasl_then then;
	} t[] = {
		{ { "\0alice\0secret", 13 }, SASL_ASK },
		{ { "alice\0alice\0secret", 18 }, SASL_ASK },
		{ { "\0alice\0", 7 }, SASL_ASK },
		/* Nobody acts for others; nobody has no name; names are text. */
		{ { "root\0alice\0secret", 17 }, SASL_REFUSED },
		{ { "\0\0secret", 8 }, SASL_REFUSED },
		{ { "\0\xff\0secret", 9 }, SASL_REFUSED },
		{ { "", 0 }, SASL_MALFORMED }, { { "alice", 5 }, SASL_MALFORMED },
		{ { "\0alice", 6 }, SASL_MALFORMED },
		{ { "\0alice\0secret\0", 14 }, SASL_MALFORMED },
		{ { "\0alice\0se\0cret", 14 }, SASL_MALFORMED },
		{ { "\0al\nice\0secret", 14 }, SASL_MALFORMED },
		{ { "\0al\tice\0secret", 14 }, SASL_MALFORMED },
		{ { "root\0alice\0secret\0", 18 }, SASL_MALFORMED },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		begin(SASL_PLAIN);
		sasl_open(&login_of, &out);
		ck_assert_uint_eq(out.n, 0);
		ck_assert_msg(take(t[i].p) == t[i].then, "%zu", i);
		if (i == 0)
			asks("PLAIN", "alice", "secret", "");
	}
	ck_assert_int_eq(judge(SASL_YES, ""), SASL_DONE);
	ck_assert_int_eq(judge(SASL_NO, ""), SASL_REFUSED);
	ck_assert_int_eq(judge(SASL_MORE, ""), SASL_REFUSED);
	begin(SASL_PLAIN);
	char *large = malloc(12289);
	memset(large, 'x', 12289);
	ck_assert_int_eq(take(str_n(large, 12289)), SASL_MALFORMED);
	large[0] = large[257] = '\0';
	ck_assert_int_eq(take(str_n(large, 300)), SASL_REFUSED);
	free(large);
}
END_TEST

START_TEST(login)
{
	begin(SASL_LOGIN);
	sasl_open(&login_of, &out);
	ck_str(buf_str(&out), STR("Username:"));
	ck_assert_int_eq(take(STR("alice")), SASL_SAY);
	ck_str(buf_str(&out), STR("Password:"));
	ck_assert_int_eq(take(STR("se cret")), SASL_ASK);
	asks("LOGIN", "alice", "se cret", "");
	ck_assert_int_eq(judge(SASL_YES, ""), SASL_DONE);
	begin(SASL_LOGIN);
	ck_assert_int_eq(take(STR("a\0b")), SASL_SAY);
	ck_assert_int_eq(take(STR("x")), SASL_MALFORMED);
	begin(SASL_LOGIN);
	ck_assert_int_eq(take(STR("")), SASL_SAY);
	ck_assert_int_eq(take(STR("x")), SASL_REFUSED);
}
END_TEST

/* The challenge is ours, and is what is asked about. */
START_TEST(cram_md5)
{
	begin(SASL_CRAM_MD5);
	sasl_open(&login_of, &out);
	ck_str(buf_str(&out), STR("<NONCE@mail.test>"));
	ck_assert_int_eq(take(STR("al ice 0123456789abcdef0123456789abcdef")), SASL_ASK);
	asks("CRAM-MD5", "al ice", "0123456789abcdef0123456789abcdef", "<NONCE@mail.test>");
	static const char *const bad[] = { "", "alice", "alice ", "alice 0123",
		"0123456789abcdef0123456789abcdef", "alice 0123456789abcdef0123456789abcdef ",
		"alice 0123456789abcdef0123456789abcdef0" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		begin(SASL_CRAM_MD5);
		sasl_open(&login_of, &out);
		ck_assert_int_eq(take(str_c(bad[i])), SASL_MALFORMED);
	}
}
END_TEST

/* The other hashes: each has digits of its own number. */
START_TEST(crams)
{
	static const struct {
		unsigned mechanism;
		size_t digits;
	} t[] = { { SASL_CRAM_SHA1, 40 }, { SASL_CRAM_SHA256, 64 }, { SASL_CRAM_SHA512, 128 } };
	char digits[130];

	memset(digits, 'a', sizeof(digits));
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		for (size_t n = t[i].digits - 1; n <= t[i].digits + 1; n++) {
			struct buf b;

			begin(t[i].mechanism);
			sasl_open(&login_of, &out);
			ck_str(buf_str(&out), STR("<NONCE@mail.test>"));
			buf_init(&b, 200);
			buf_adds(&b, "alice ");
			buf_add(&b, str_n(digits, n));
			ck_assert_int_eq(take(buf_str(&b)),
			    n == t[i].digits ? SASL_ASK : SASL_MALFORMED);
			buf_free(&b);
		}
}
END_TEST

START_TEST(scram)
{
	begin(SASL_SCRAM_SHA_256);
	ck_assert_int_eq(take(STR("n,,n=alice,r=abc")), SASL_ASK);
	asks("SCRAM-SHA-256", "alice", "", "");
	ck_assert_int_eq(judge(SASL_MORE, "s=AA==,i=4096"), SASL_SAY);
	ck_str(buf_str(&out), STR("r=abcNONCE,s=AA==,i=4096"));
	ck_assert_int_eq(take(STR("c=biws,r=abcNONCE,p=AAAA")), SASL_ASK);
	asks("SCRAM-SHA-256", "alice", "AAAA",
	    "n=alice,r=abc,r=abcNONCE,s=AA==,i=4096,c=biws,r=abcNONCE");
	ck_assert_int_eq(judge(SASL_YES, "BBBB"), SASL_SAY);
	ck_str(buf_str(&out), STR("v=BBBB"));
	ck_assert_int_eq(take(STR("")), SASL_DONE);
	/* A yes without a proof, a second set of parameters, a proof of nothing. */
	begin(SASL_SCRAM_SHA_256);
	ck_assert_int_eq(take(STR("n,,n=alice,r=abc")), SASL_ASK);
	ck_assert_int_eq(judge(SASL_YES, "BBBB"), SASL_REFUSED);
	ck_assert_int_eq(judge(SASL_NO, ""), SASL_REFUSED);
	ck_assert_int_eq(judge(SASL_MORE, "s=AA==,i=4096"), SASL_SAY);
	ck_assert_int_eq(take(STR("c=biws,r=abcNONCE,p=AAAA")), SASL_ASK);
	ck_assert_int_eq(judge(SASL_MORE, "s=AA==,i=4096"), SASL_REFUSED);
	ck_assert_int_eq(judge(SASL_YES, ""), SASL_REFUSED);
	ck_assert_int_eq(judge(SASL_YES, "BBBB"), SASL_SAY);
	ck_assert_int_eq(take(STR("x")), SASL_MALFORMED);
	static const struct {
		const char *message;
		enum sasl_then then;
	} t[] = { { "n,a=alice,n=alice,r=abc", SASL_ASK }, { "n,a=root,n=alice,r=abc", SASL_REFUSED },
		{ "n,,n=,r=abc", SASL_REFUSED }, { "n,,n=a\tb,r=abc", SASL_MALFORMED },
		{ "n,,n=alice", SASL_MALFORMED }, { "p=tls-exporter,,n=alice,r=abc", SASL_REFUSED } };
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		begin(SASL_SCRAM_SHA_256);
		ck_assert_msg(take(str_c(t[i].message)) == t[i].then, "%s", t[i].message);
	}
	begin(SASL_SCRAM_SHA_256_PLUS);
	ck_assert_int_eq(take(STR("p=tls-exporter,,n=alice,r=abc")), SASL_ASK);
	asks("SCRAM-SHA-256", "alice", "", "");
	ck_assert_int_eq(judge(SASL_MORE, "s=AA==,i=4096"), SASL_SAY);
	ck_assert_int_eq(take(STR("c=biws,r=abcNONCE,p=AAAA")), SASL_REFUSED);
}
END_TEST

/* RFC 7628 3.2.2: who is refused hears why, answers, and is refused. */
/* RFC 4422 A: nobody in particular, or who it is; another is not to be had. */
START_TEST(external)
{
	static const struct {
		struct str p;
		enum sasl_then then;
	} t[] = {
		{ { "", 0 }, SASL_ASK }, { { "alice", 5 }, SASL_ASK },
		{ { "bob", 3 }, SASL_REFUSED }, { { "Alice", 5 }, SASL_REFUSED },
		{ { "alice ", 6 }, SASL_REFUSED }, { { "al\0ice", 6 }, SASL_MALFORMED },
		{ { "\n", 1 }, SASL_MALFORMED },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		begin(SASL_EXTERNAL);
		sasl_open(&login_of, &out);
		ck_assert_uint_eq(out.n, 0);
		ck_assert_msg(take(t[i].p) == t[i].then, "%zu", i);
		if (t[i].then == SASL_ASK)
			asks("EXTERNAL", "alice", "aa bb", "");
	}
	begin(SASL_EXTERNAL);
	ck_assert_int_eq(take(STR("")), SASL_ASK);
	ck_assert_int_eq(judge(SASL_NO, ""), SASL_REFUSED);
	begin(SASL_EXTERNAL);
	ck_assert_int_eq(take(STR("alice")), SASL_ASK);
	ck_assert_int_eq(judge(SASL_YES, ""), SASL_DONE);
	sasl_end(&login_of);
}
END_TEST

START_TEST(tokens)
{
	static const struct {
		unsigned mechanism;
		const char *message;
		enum sasl_then then;
		const char *user, *token;
	} t[] = {
		{ SASL_XOAUTH2, "user=alice\001auth=Bearer abc.def==\001\001", SASL_ASK, "alice", "abc.def==" },
		{ SASL_XOAUTH2, "user=alice\001auth=bearer  t\001\001", SASL_ASK, "alice", "t" },
		{ SASL_OAUTHBEARER, "n,a=al=2Cice,\001host=h\001port=25\001auth=Bearer t\001\001", SASL_ASK,
		  "al,ice", "t" },
		{ SASL_OAUTHBEARER, "y,,\001auth=Bearer t\001\001", SASL_ASK, "", "t" },
		/* Without a token: where would one be had? */
		{ SASL_OAUTHBEARER, "n,a=alice,\001\001", SASL_SAY, "alice", "" },
		{ SASL_XOAUTH2, "user=alice\001auth=Basic x\001\001", SASL_SAY, "alice", "" },
		{ SASL_XOAUTH2, "user=alice\001auth=Bearer a b\001\001", SASL_SAY, "alice", "" },
		{ SASL_XOAUTH2, "", SASL_MALFORMED, NULL, NULL },
		{ SASL_XOAUTH2, "user=alice\001auth=Bearer t", SASL_MALFORMED, NULL, NULL },
		{ SASL_XOAUTH2, "user=alice\001auth=Bearer t\001", SASL_MALFORMED, NULL, NULL },
		{ SASL_XOAUTH2, "user=alice\001auth=Bearer t\001\001x", SASL_MALFORMED, NULL, NULL },
		{ SASL_XOAUTH2, "user=al\nice\001auth=Bearer t\001\001", SASL_MALFORMED, NULL, NULL },
		{ SASL_OAUTHBEARER, "n,a=alice,auth=Bearer t\001\001", SASL_MALFORMED, NULL, NULL },
		{ SASL_OAUTHBEARER, "p=x,a=alice,\001auth=Bearer t\001\001", SASL_MALFORMED, NULL, NULL },
		{ SASL_OAUTHBEARER, "n,alice,\001auth=Bearer t\001\001", SASL_MALFORMED, NULL, NULL },
		{ SASL_OAUTHBEARER, "n,a=al=ice,\001auth=Bearer t\001\001", SASL_MALFORMED, NULL, NULL },
		{ SASL_OAUTHBEARER, "n", SASL_MALFORMED, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		begin(t[i].mechanism);
		ck_assert_msg(take(str_c(t[i].message)) == t[i].then, "%zu", i);
		if (t[i].user != NULL)
			asks(sasl_name(t[i].mechanism), t[i].user, t[i].token, "");
	}
	begin(SASL_OAUTHBEARER);
	ck_assert_int_eq(take(STR("n,,\001auth=Bearer t\001\001")), SASL_ASK);
	ck_assert_int_eq(judge(SASL_NO, ""), SASL_SAY);
	ck_str(buf_str(&out), STR("{\"status\":\"invalid_token\",\"schemes\":\"bearer\",\"scope\":\"mail\"}"));
	ck_assert_int_eq(take(STR("\001")), SASL_REFUSED);
	begin(SASL_XOAUTH2);
	ck_assert_int_eq(take(STR("user=a\001auth=Bearer t\001\001")), SASL_ASK);
	ck_assert_int_eq(judge(SASL_NO, ""), SASL_SAY);
	ck_str(buf_str(&out), STR("{\"status\":\"401\",\"schemes\":\"bearer\",\"scope\":\"mail\"}"));
	/* Another token comes too late. */
	ck_assert_int_eq(take(STR("user=a\001auth=Bearer t\001\001")), SASL_REFUSED);
	begin(SASL_XOAUTH2);
	ck_assert_int_eq(take(STR("user=a\001auth=Bearer t\001\001")), SASL_ASK);
	ck_assert_int_eq(judge(SASL_YES, ""), SASL_DONE);
	sasl_end(&login_of);
	sasl_end(&login_of);
	buf_free(&out);
}
END_TEST

UNIT_MAIN("mail/sasl", names, plain, login, cram_md5, crams, scram, external, tokens)
