/* SPDX-License-Identifier: GPL-3.0-or-later */

/* secrets_test -- lines of E-MailRelay's secrets files, whatever stands in them. */

#include "mail/secrets.h"

#include "mail/text.h"

#include "unit.h"

/* Of "barid"; the same as eight numbers. */
#define STATE "ovu+j2+umf0GNzcs9uDI27TIh1XhWqoLACkrQ0cadO0="
#define DOTTED "2411658146.4254707311.741816070.3687375094.1434962100.195713761.1126902016.3983809095"

/* FEATURES A3, A4, A5, A23, A24 */
START_TEST(good)
{
	static const struct {
		const char *line;
		bool client;
		enum secrets_type type;
		const char *user, *secret, *selector;
	} t[] = {
		{ "server plain alice barid", false, SECRETS_PLAIN, "alice", "barid", "" },
		{ "  Server\tPLAIN  alice\tbarid \r", false, SECRETS_PLAIN, "alice", "barid", "" },
		{ "server plain alice+40example.org a+20b+2B+3D+23", false, SECRETS_PLAIN,
		    "alice@example.org", "a b+=#", "" },
		{ "server plain:b YWxpY2U= YSBi", false, SECRETS_PLAIN, "alice", "a b", "" },
		{ "login server alice barid", false, SECRETS_PLAIN, "alice", "barid", "" },
		{ "client plain me secret", true, SECRETS_PLAIN, "me", "secret", "" },
		{ "client plain me secret isp", true, SECRETS_PLAIN, "me", "secret", "isp" },
		{ "client plain:b = = free", true, SECRETS_PLAIN, "", "", "free" },
		{ "client plain = = free", true, SECRETS_PLAIN, "", "", "free" },
		{ "client oauth me user+3Dme+01auth+3DBearer+20x+01+01", true, SECRETS_OAUTH, "me",
		    "user=me\001auth=Bearer x\001\001", "" },
		{ "client oauth:b bWU= eA== two", true, SECRETS_OAUTH, "me", "x", "two" },
		{ "server none 192.168.0.0/24 trusted", false, SECRETS_NONE, "", "trusted", "" },
		{ "server none 192.168.0.* a+20b", false, SECRETS_NONE, "", "a+20b", "" },
		{ "server NONE ::1/128 x", false, SECRETS_NONE, "", "x", "" },
		{ "server md5 alice " STATE, false, SECRETS_STATE, "alice", NULL, "" },
		{ "server md5 alice " DOTTED, false, SECRETS_STATE, "alice", NULL, "" },
		{ "CRAM-MD5 client alice " DOTTED, true, SECRETS_STATE, "alice", NULL, "" },
		{ "client md5 alice " STATE " isp", true, SECRETS_STATE, "alice", NULL, "isp" },
	};
	struct hmac_state state;
	struct secrets_line l;
	struct arena a;
	const char *why;

	arena_init(&a, 1 << 20);
	ck_assert_int_eq(hmac_state_make(&state, HMAC_MD5, STR("barid")), 0);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		int r = secrets_parse(str_c(t[i].line), &a, &l, &why);

		ck_assert_msg(r == 1, "%s %s", t[i].line, why);
		ck_assert(l.client == t[i].client && l.type == t[i].type);
		ck_str(l.user, str_c(t[i].user));
		ck_str(l.selector, str_c(t[i].selector));
		ck_str(l.secret, str_c(t[i].secret ? t[i].secret : ""));
		if (t[i].secret == NULL)
			ck_assert_mem_eq(l.state.octets, state.octets, sizeof(state.octets));
	}
	arena_free(&a);
}
END_TEST

START_TEST(bad)
{
	static const struct {
		const char *line, *why;
	} t[] = {
		{ "peer plain alice barid", "for nobody" }, { "server", "type that is not known" },
		{ "alice:barid", "for nobody" },
		{ "server sha512 alice x", "type that is not known" },
		{ "server sha256:b alice x", "type that is not known" },
		{ "server sha1 alice x", "hash that cannot be read" },
		{ "server sha1 alice " DOTTED, "hash that cannot be read" },
		{ "server sha1 alice " STATE, "hash that cannot be read" },
		{ "server sha256 alice " STATE, "hash that cannot be read" },
		{ "server md5:b alice x", "type that is not known" },
		{ "server plain alice", "too short" }, { "server plain", "too short" },
		{ "server plain al+4 barid", "user that cannot be read" },
		{ "server plain al=ice barid", "user that cannot be read" },
		{ "server plain al+0Aice barid", "user that cannot be read" },
		{ "server plain alice a+", "secret that cannot be read" },
		{ "server plain alice a+00b", "secret that cannot be read" },
		{ "server plain:b YWxpY2U YSBi", "user that cannot be read" },
		{ "server plain:b YWxpY2U= AA==", "secret that cannot be read" },
		{ "server md5 alice barid", "hash that cannot be read" },
		{ "server md5 alice 1.2.3.4.5.6.7", "hash that cannot be read" },
		{ "server md5 alice 1.2.3.4.5.6.7.4294967296", "hash that cannot be read" },
		{ "server md5 alice 1.2.3.4.5.6.7.8.9", "hash that cannot be read" },
		{ "server md5 alice YWxpY2U=", "hash that cannot be read" },
		{ "server oauth alice x", "for clients" },
		{ "client none 192.168.0.0/24 x", "for servers" },
		{ "server none 192.168.0.0/33 x", "range that cannot be read" },
		{ "server none alice x", "range that cannot be read" },
		{ "server none 10.0.0.0/8 a|b", "keyword that cannot be used" },
		{ "server none 10.0.0.0/8", "too short" },
	};
	struct secrets_line l;
	struct arena a;
	const char *why;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		ck_assert_int_eq(secrets_parse(str_c(t[i].line), &a, &l, &why), -1);
		ck_assert_msg(strstr(why, t[i].why) && strstr(why, "expected"), "%s: %s",
		    t[i].line, why);
	}
	ck_assert_int_eq(secrets_parse(STR(""), &a, &l, &why), 0);
	ck_assert_int_eq(secrets_parse(STR("  \t\r"), &a, &l, &why), 0);
	ck_assert_int_eq(secrets_parse(STR("# server plain alice barid"), &a, &l, &why), 0);
	ck_assert_ptr_null(why);
	arena_free(&a);
}
END_TEST

/* FEATURES A5: states of other hashes, in base64. */
START_TEST(hashes)
{
	static const char *const types[HMAC_HASHES] = { "md5", "sha1", "SHA256", NULL };
	struct hmac_state state;
	struct secrets_line l;
	struct arena a;
	const char *why;
	struct buf b;

	arena_init(&a, 1 << 20);
	for (int i = 0; i < HMAC_HASHES && types[i]; i++) {
		buf_init(&b, 1000);
		ck_assert_int_eq(hmac_state_make(&state, (enum hmac_hash)i, STR("barid")), 0);
		buf_addf(&b, "server %s alice ", types[i]);
		base64_add(&b, str_n((const char *)state.octets, hmac_state_size(state.hash)));
		ck_assert_int_eq(secrets_parse(buf_str(&b), &a, &l, &why), 1);
		ck_assert(l.type == SECRETS_STATE);
		ck_assert_int_eq(l.state.hash, i);
		ck_assert_mem_eq(l.state.octets, state.octets, sizeof(state.octets));
		buf_free(&b);
	}
	arena_free(&a);
}
END_TEST

/* Only who may log in here is in a list of users. */
START_TEST(accounts)
{
	static const struct {
		const char *line, *secret;
	} t[] = {
		{ "server plain alice a:b+20", "{PLAIN}a:b " },
		{ "server md5 alice " STATE, "{CRAM-MD5}b4c88755e15aaa0b00292b43471a74eda"
					     "2fbbe8f6fae99fd0637372cf6e0c8db" },
		{ "client plain alice barid", NULL }, { "server none 10.0.0.0/8 x", NULL },
		{ "server plain = x", NULL }, { "server plain alice =", NULL },
	};
	struct account account;
	struct secrets_line l;
	struct arena a;
	const char *why;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		ck_assert_int_eq(secrets_parse(str_c(t[i].line), &a, &l, &why), 1);
		ck_assert_msg(secrets_account(&l, &a, &account) == (t[i].secret != NULL), "%s",
		    t[i].line);
		if (t[i].secret == NULL)
			continue;
		ck_str(account.user, STR("alice"));
		ck_str(account.app, STR(""));
		ck_str(account.secret, str_c(t[i].secret));
	}
	arena_free(&a);
}
END_TEST

UNIT_MAIN("mail/secrets", good, bad, hashes, accounts)
