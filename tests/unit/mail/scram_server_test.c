/* SPDX-License-Identifier: GPL-3.0-or-later */

/* scram_server_test -- SCRAM's messages, right and wrong (RFC 5802 5, 6, 7). */

#include "mail/scram_server.h"

#include <errno.h>

#include "unit.h"

static struct arena arena;
static struct scram_server server;

/* 'n': there is no -PLUS; 'o': it was offered; 'p': it was chosen. */
static void
begin(char how)
{
	arena_free(&arena);
	arena_init(&arena, 1 << 20);
	server = (struct scram_server){ .arena = &arena, .nonce = "OURS", .plus = how == 'p',
		.plus_offered = how != 'n' };
	if (how == 'p')
		server.bindings = (struct sasl_bindings){ .exporter = STR("\1\2\3"),
			.unique = STR(""), .end_point = STR("cert") };
}

START_TEST(firsts)
{
	static const struct {
		char how;
		const char *message;
		int error;
		const char *user, *authzid;
	} t[] = {
		{ 'n', "n,,n=user,r=abc", 0, "user", "" },
		{ 'n', "y,,n=user,r=abc", 0, "user", "" },
		{ 'o', "n,,n=user,r=abc", 0, "user", "" },
		{ 'n', "n,a=bob,n=user,r=abc,x=more", 0, "user", "bob" },
		{ 'n', "n,,n=a=2Cb=3Dc,r=abc", 0, "a,b=c", "" },
		{ 'p', "p=tls-exporter,,n=user,r=abc", 0, "user", "" },
		{ 'p', "p=tls-server-end-point,,n=user,r=abc", 0, "user", "" },
		/* Somebody took -PLUS out of the list. */
		{ 'o', "y,,n=user,r=abc", EPERM, "user", "" },
		{ 'p', "y,,n=user,r=abc", EPERM, "user", "" },
		/* A binding that we do not have, or know. */
		{ 'p', "p=tls-unique,,n=user,r=abc", EPERM, "user", "" },
		{ 'p', "p=tls-else,,n=user,r=abc", EPERM, "user", "" },
		{ 'o', "p=tls-exporter,,n=user,r=abc", EPERM, "user", "" },
		{ 'p', "n,,n=user,r=abc", EBADMSG, "user", "" },
		{ 'n', "x,,n=user,r=abc", EBADMSG, "user", "" },
		{ 'n', "", EBADMSG, NULL, NULL }, { 'n', "n", EBADMSG, NULL, NULL },
		{ 'n', "n,", EBADMSG, NULL, NULL }, { 'n', "n,,", EBADMSG, NULL, NULL },
		{ 'n', "n,,n=user", EBADMSG, NULL, NULL },
		{ 'n', "n,,n=user,", EBADMSG, NULL, NULL },
		{ 'n', "n,,n=user,r=", EBADMSG, NULL, NULL },
		{ 'n', "n,,r=abc,n=user", EBADMSG, NULL, NULL },
		{ 'n', "n,,m=x,n=user,r=abc", EBADMSG, NULL, NULL },
		{ 'n', "n,bob,n=user,r=abc", EBADMSG, NULL, NULL },
		{ 'n', "n,,n=us=er,r=abc", EBADMSG, NULL, NULL },
		{ 'n', "n,,n=user=,r=abc", EBADMSG, NULL, NULL },
		{ 'n', "n,,n=user=2c,r=abc", EBADMSG, NULL, NULL },
		{ 'n', "n,,n=user,r=a b", EBADMSG, NULL, NULL },
		{ 'n', "n,,n=user,r=a\x7f", EBADMSG, NULL, NULL },
		{ 'n', "n,,n=user,r=\xc3\xa4", EBADMSG, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		begin(t[i].how);
		errno = 0;
		int rc = scram_server_first(&server, str_c(t[i].message));

		ck_assert_msg(rc == (t[i].error ? -1 : 0), "%s", t[i].message);
		if (rc < 0)
			ck_assert_msg(errno == t[i].error, "%s", t[i].message);
		if (t[i].user == NULL)
			continue;
		ck_str(server.user, str_c(t[i].user));
		ck_str(server.authzid, str_c(t[i].authzid));
	}
	begin('n');
	ck_assert_int_eq(scram_server_first(&server, STR("n,,n=us\0er,r=abc")), -1);
}
END_TEST

START_TEST(finals)
{
	static const struct {
		char how;
		const char *message;
		int error;
	} t[] = {
		{ 'n', "c=biws,r=abcOURS,p=AAAA", 0 },
		{ 'n', "c=biws,r=abcOURS,x=1,p=AAAA", 0 },
		/* "n,," is not "y,,"; the nonce is another's. */
		{ 'n', "c=eSws,r=abcOURS,p=AAAA", EPERM },
		{ 'n', "c=biwsAAAA,r=abcOURS,p=AAAA", EPERM },
		{ 'n', "c=,r=abcOURS,p=AAAA", EPERM },
		{ 'n', "c=biws,r=abcours,p=AAAA", EPERM },
		{ 'n', "c=biws,r=abc,p=AAAA", EPERM },
		{ 'n', "c=biws,r=OURS,p=AAAA", EPERM },
		{ 'n', "c=biws,r=abcxOURS,p=AAAA", EPERM },
		{ 'n', "c=biws,r=abcOURS,p=", EBADMSG },
		{ 'n', "c=biws,r=abcOURS", EBADMSG },
		{ 'n', "c=biws,p=AAAA,r=abcOURS", EBADMSG },
		{ 'n', "r=abcOURS,p=AAAA", EBADMSG },
		{ 'n', "c=biws,p=AAAA", EBADMSG },
		{ 'n', "p=AAAA", EBADMSG }, { 'n', "", EBADMSG }, { 'n', ",,,", EBADMSG },
		/* "p=tls-exporter,," and the three octets of the session. */
		{ 'p', "c=cD10bHMtZXhwb3J0ZXIsLAECAw==,r=abcOURS,p=AAAA", 0 },
		{ 'p', "c=cD10bHMtZXhwb3J0ZXIsLAECBA==,r=abcOURS,p=AAAA", EPERM },
		{ 'p', "c=biws,r=abcOURS,p=AAAA", EPERM },
	};
	struct buf out;

	buf_init(&out, 500);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		begin(t[i].how);
		ck_assert_int_eq(scram_server_first(&server, t[i].how == 'p' ?
		    STR("p=tls-exporter,,n=u,r=abc") : STR("n,,n=u,r=abc")), 0);
		buf_reset(&out);
		scram_server_ask(&server, STR("s=AA==,i=9"), &out);
		ck_str(buf_str(&out), STR("r=abcOURS,s=AA==,i=9"));
		errno = 0;
		int rc = scram_server_final(&server, str_c(t[i].message));

		ck_assert_msg(rc == (t[i].error ? -1 : 0), "%s", t[i].message);
		if (rc < 0)
			ck_assert_msg(errno == t[i].error, "%s", t[i].message);
		else
			ck_str(server.proof, STR("AAAA"));
		if (i == 1)
			ck_str(server.text, STR("n=u,r=abc,r=abcOURS,s=AA==,i=9,c=biws,r=abcOURS,x=1"));
	}
	begin('n');
	ck_assert_int_eq(scram_server_first(&server, STR("n,,n=u,r=abc")), 0);
	scram_server_ask(&server, STR("s=AA==,i=9"), &out);
	ck_assert_int_eq(scram_server_final(&server, STR("c=biws,r=abcOURS,x=\0,p=AAAA")), -1);
	buf_free(&out);
	arena_free(&arena);
}
END_TEST

UNIT_MAIN("mail/scram_server", firsts, finals)
