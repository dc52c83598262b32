/* SPDX-License-Identifier: GPL-3.0-or-later */

/* auth_test -- the mechanisms, their order, and what is never said in clear. */

#include "dialogue.h"

#define LONG \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LONGER LONG LONG LONG LONG LONG LONG

#define HI(offer) \
	"S:220 hello\nC:EHLO me.test\nS:250-peer\nS:250 " offer "\n"
#define TLS .user = "tim", .password = "tanstaaftanstaaf", .tls_already = true
#define CLEAR .user = "tim", .password = "tanstaaftanstaaf"
#define TOKEN TLS, .token = "vF9dft4qmT"
#define PLAIN "AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm"
#define REFUSED "close temp auth 0 4.7.0 "

static const struct dialogue dialogues[] = {
	/* The exchange that RFC 2195 2 gives as its example. */
	{ "CRAM-MD5 before all", .none = true, .o = { CLEAR },
	    .script = HI("AUTH LOGIN PLAIN CRAM-MD5 X-NEW")
	    "C:AUTH CRAM-MD5\nX:time 300000\n"
	    "S:334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+\n"
	    "C:dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw\n"
	    "S:235 2.7.0 welcome\n", .events = "ready\n" },
	{ "PLAIN under TLS", .none = true, .o = { TLS },
	    .script = HI("AUTH LOGIN plain") "C:" PLAIN "\nS:235 in\n",
	    .events = "ready\n" },
	{ "PLAIN in clear where that is allowed", .none = true,
	    .o = { CLEAR, .auth_in_clear = true },
	    .script = HI("AUTH=LOGIN PLAIN") "C:" PLAIN "\nS:235 in\n",
	    .events = "ready\n" },
	{ "PLAIN in clear where it is not", .o = { CLEAR },
	    .script = HI("AUTH PLAIN LOGIN") "C:QUIT\n",
	    .events = REFUSED "the server wants the password in clear text\n" },
	{ "PLAIN after STARTTLS", .none = true,
	    .o = { CLEAR, .tls = CLIENT_TLS_REQUIRED },
	    .script = HI("STARTTLS")
	    "C:STARTTLS\nS:220 go\nX:secured\nC:EHLO me.test\nS:250-peer\n"
	    "S:250 AUTH PLAIN\nC:" PLAIN "\nS:235 in\n",
	    .events = "starttls\nready\n" },
	{ "what was offered before TLS is forgotten",
	    .o = { CLEAR, .tls = CLIENT_TLS_MAY },
	    .script =
	    "S:220 hello\nC:EHLO me.test\nS:250-peer\nS:250-AUTH PLAIN\n"
	    "S:250 STARTTLS\nC:STARTTLS\nS:220 go\nX:secured\n"
	    "C:EHLO me.test\nS:250 peer\nC:QUIT\n",
	    .events = "starttls\n" REFUSED
	    "a login is wanted, but the server does not offer AUTH\n" },
	{ "not offered", .o = { TLS }, .script = HI("SIZE") "C:QUIT\n",
	    .events = REFUSED
	    "a login is wanted, but the server does not offer AUTH\n" },
	{ "none that we know", .o = { TLS },
	    .script = HI("AUTH GSSAPI NTLM") "C:QUIT\n",
	    .events = REFUSED
	    "the server offers no AUTH mechanism that we can use\n" },
	{ "LOGIN", .none = true, .o = { TLS },
	    .script = HI("AUTH LOGIN")
	    "C:AUTH LOGIN\nS:334 VXNlcm5hbWU6\nC:dGlt\nS:334 UGFzc3dvcmQ6\n"
	    "C:dGFuc3RhYWZ0YW5zdGFhZg==\nS:235 in\n", .events = "ready\n" },
	{ "LOGIN asks a third time", .o = { TLS },
	    .script = HI("AUTH LOGIN")
	    "C:AUTH LOGIN\nS:334 x\nC:dGlt\nS:334 y\n"
	    "C:dGFuc3RhYWZ0YW5zdGFhZg==\nS:334 z\n",
	    .events = "close temp auth 0 4.5.0 protocol error: a strange"
	    " challenge\n" },
	{ "PLAIN with an empty password", .none = true,
	    .o = { .user = "u", .tls_already = true },
	    .script = HI("AUTH PLAIN") "C:AUTH PLAIN AHUA\nS:235 in\n",
	    .events = "ready\n" },
	{ "PLAIN that is too long for an initial response", .none = true,
	    .o = { .user = LONGER, .password = "", .tls_already = true },
	    .script = HI("AUTH PLAIN") "C:AUTH PLAIN\nS:334\n"
	    "C:ADAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2Rl"
	    "ZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2Rl"
	    "ZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2Rl"
	    "ZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2Rl"
	    "ZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2Rl"
	    "ZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2Rl"
	    "ZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2Rl"
	    "ZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2Rl"
	    "ZgA=\nS:235 in\n",
	    .events = "ready\n" },
	{ "PLAIN was said, and is asked for", .o = { TLS },
	    .script = HI("AUTH PLAIN") "C:" PLAIN "\nS:334\n",
	    .events = "close temp auth 0 4.5.0 protocol error: a strange"
	    " challenge\n" },
	{ "CRAM-MD5 with a challenge that is none", .o = { TLS },
	    .script = HI("AUTH CRAM-MD5") "C:AUTH CRAM-MD5\nS:334 !!!\n",
	    .events = "close temp auth 0 4.5.0 protocol error: a strange"
	    " challenge\n" },
	{ "CRAM-MD5 challenges twice", .o = { TLS },
	    .script = HI("AUTH CRAM-MD5") "C:AUTH CRAM-MD5\nS:334 QUFB\n"
	    "C:dGltIGUzOGUyMjM5M2EyZmVmYTc1MDFlZDYxNjkzZGY3ZGY2\nS:334 QUFB\n",
	    .events = "close temp auth 0 4.5.0 protocol error: a strange"
	    " challenge\n" },
	{ "a wrong password bounces nothing", .o = { TLS },
	    .script = HI("AUTH PLAIN") "C:" PLAIN "\nS:535 5.7.8 wrong\n"
	    "C:QUIT\n",
	    .events = "close temp auth 535 5.7.8 wrong\n" },
	{ "a wrong password is not said again in clear", .o = { TLS },
	    .script = HI("AUTH CRAM-MD5 PLAIN") "C:AUTH CRAM-MD5\n"
	    "S:535 5.7.8 wrong\nC:QUIT\n",
	    .events = "close temp auth 535 5.7.8 wrong\n" },
	{ "a mechanism that is not there after all", .none = true,
	    .o = { TLS },
	    .script = HI("AUTH CRAM-MD5 PLAIN") "C:AUTH CRAM-MD5\n"
	    "S:504 5.5.4 unknown\nC:" PLAIN "\nS:235 in\n",
	    .events = "ready\n" },
	{ "the last mechanism is not there", .o = { TLS },
	    .script = HI("AUTH LOGIN") "C:AUTH LOGIN\nS:504 unknown\nC:QUIT\n",
	    .events = "close temp auth 504 unknown\n" },
	{ "down for now", .o = { TLS },
	    .script = HI("AUTH PLAIN") "C:" PLAIN "\nS:454 4.7.0 later\n"
	    "C:QUIT\n",
	    .events = "close temp auth 454 4.7.0 later\n" },
	{ "421", .o = { TLS },
	    .script = HI("AUTH PLAIN") "C:" PLAIN "\nS:421 bye\n",
	    .events = "close temp auth 421 bye\n" },
	/* RFC 7628 4.1, RFC 4954 4. */
	{ "a token before a password", .none = true, .o = { TOKEN },
	    .script = HI("AUTH PLAIN XOAUTH2 OAUTHBEARER") "C:AUTH OAUTHBEARER"
	    " bixhPXRpbSwBYXV0aD1CZWFyZXIgdkY5ZGZ0NHFtVAEB\nS:235 in\n",
	    .events = "ready\n" },
	{ "XOAUTH2", .none = true, .o = { TOKEN },
	    .script = HI("AUTH PLAIN XOAUTH2") "C:AUTH XOAUTH2 dXNlcj10aW0BYXV0aD1CZWFyZXIgdkY5ZGZ0NHFtVAEB\n"
	    "S:235 in\n", .events = "ready\n" },
	{ "a token alone", .o = { .user = "tim", .token = "vF9dft4qmT",
		.tls_already = true }, .script = HI("AUTH PLAIN LOGIN") "C:QUIT\n",
	    .events = REFUSED
	    "the server offers no AUTH mechanism that we can use\n" },
	{ "a token is not shown to everybody", .o = { .user = "tim",
		.token = "vF9dft4qmT" }, .script = HI("AUTH XOAUTH2") "C:QUIT\n",
	    .events = REFUSED "the server wants the password in clear text\n" },
	{ "XOAUTH2 with a token that is old", .o = { TOKEN },
	    .script = HI("AUTH XOAUTH2") "C:AUTH XOAUTH2 dXNlcj10aW0BYXV0aD1CZWFyZXIgdkY5ZGZ0NHFtVAEB\n"
	    "S:334 eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIn0=\nC:\nS:535 5.7.8 no\nC:QUIT\n",
	    .events = "close temp auth 535 5.7.8 no ({\"status\":\"401\","
	    "\"schemes\":\"bearer\"})\n" },
	{ "OAUTHBEARER with a token that is old", .o = { TOKEN },
	    .script = HI("AUTH OAUTHBEARER") "C:AUTH OAUTHBEARER bixhPXRpbSwBYXV0aD1CZWFyZXIgdkY5ZGZ0NHFtVAEB\n"
	    "S:334 eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIn0=\nC:AQ==\nS:535 5.7.8 no\nC:QUIT\n",
	    .events = "close temp auth 535 5.7.8 no ({\"status\":\"401\","
	    "\"schemes\":\"bearer\"})\n" },
	{ "a token that nothing satisfies", .o = { TOKEN },
	    .script = HI("AUTH XOAUTH2") "C:AUTH XOAUTH2 dXNlcj10aW0BYXV0aD1CZWFyZXIgdkY5ZGZ0NHFtVAEB\n"
	    "S:334 e30=\nC:\nS:334 e30=\n",
	    .events = "close temp auth 0 4.5.0 protocol error: a strange"
	    " challenge\n" },
	{ "only what is allowed", .none = true,
	    .o = { TLS, .mechanisms = MECH_LOGIN | MECH_SCRAM_SHA_256 },
	    .script = HI("AUTH PLAIN CRAM-MD5 LOGIN") "C:AUTH LOGIN\nS:334\n"
	    "C:dGlt\nS:334\nC:dGFuc3RhYWZ0YW5zdGFhZg==\nS:235\n",
	    .events = "ready\n" },
	{ "nothing that is allowed",
	    .o = { TLS, .mechanisms = MECH_SCRAM_SHA_256_PLUS },
	    .script = HI("AUTH PLAIN SCRAM-SHA-256-PLUS") "C:QUIT\n",
	    .events = REFUSED
	    "the server offers no AUTH mechanism that we can use\n" },
	{ "lost", .o = { TLS },
	    .script = HI("AUTH PLAIN") "C:" PLAIN "\nX:eof\n",
	    .events = "close temp auth 0 4.4.2 connection lost while logging"
	    " in\n" },
};

START_TEST(auth)
{
	dialogues_run(dialogues, ARRAY_LEN(dialogues));
}
END_TEST

START_TEST(too_long)
{
	static char user[20000];
	struct dialogue d = { "a name beyond RFC 4954's line",
		.o = { .user = user, .tls_already = true },
		.script = HI("AUTH PLAIN") "C:QUIT\n",
		.events = REFUSED
		"user name and password are too long for AUTH\n" };

	memset(user, 'u', sizeof(user) - 1);
	dialogue_run(&d);
}
END_TEST

/* What the client said since the last time. */
static struct str
said(struct run *t)
{
	static char copy[4096];
	struct str s = str_head(buf_str(&t->sent), sizeof(copy));

	memcpy(copy, s.p, s.n);
	buf_reset(&t->sent);
	return str_n(copy, s.n);
}

/*
 * RFC 7677: SCRAM is preferred, its first message goes with AUTH.  A server
 * that says 235 without its proof may be anybody.
 */
START_TEST(scram)
{
	static const struct {
		const char *offer, *want, *reply, *events;
		bool bound;
	} cases[] = {
		{ "CRAM-MD5 PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS",
		    "AUTH SCRAM-SHA-256 biws", "235 2.7.0 welcome\r\n",
		    "close temp auth 0 4.5.0 protocol error: a login without"
		    " the server's proof\n", false },
		{ "SCRAM-SHA-256-PLUS SCRAM-SHA-256",
		    "AUTH SCRAM-SHA-256-PLUS cD10bHMtZXhwb3J0ZXIsL",
		    "334 bm9uc2Vuc2U=\r\n",
		    "close temp auth 0 4.5.0 protocol error: a strange"
		    " challenge\n", true },
		{ "SCRAM-SHA-256", "AUTH SCRAM-SHA-256 biws",
		    "535 5.7.8 no\r\n", "close temp auth 535 5.7.8 no\n",
		    false },
		{ "SCRAM-SHA-256 PLAIN", "AUTH SCRAM-SHA-256 biws",
		    "504 5.5.4 no\r\n235 ok\r\n", "close temp auth 0 4.5.0"
		    " protocol error: a reply before the command\n", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct client_options o = { .ehlo_name = "me", TLS };
		struct run t = { .cut = SIZE_MAX, .step = SIZE_MAX };
		struct buf line;

		buf_init(&t.sent, 10000);
		buf_init(&t.log, 10000);
		buf_init(&line, 1000);
		t.c = client_new(&o, &dlg_events, &t);
		if (cases[i].bound)
			client_binding(t.c,
			    STR("0123456789abcdef0123456789abcdef"));
		dlg_feed(&t, STR("220 hi\r\n"));
		(void)said(&t);
		buf_addf(&line, "250-x\r\n250 AUTH %s\r\n", cases[i].offer);
		dlg_feed(&t, buf_str(&line));
		ck_assert(str_starts(said(&t), str_c(cases[i].want)));
		dlg_feed(&t, str_c(cases[i].reply));
		ck_assert_str_eq(buf_cstr(&t.log), cases[i].events);
		client_free(t.c);
		buf_free(&t.sent);
		buf_free(&t.log);
		buf_free(&line);
	}
}
END_TEST

UNIT_MAIN("client/auth", auth, too_long, scram)
