/* SPDX-License-Identifier: GPL-3.0-or-later */

/* backend_test -- from URLs to backends, and in which order they are asked. */

#include "asked.h"

static const char *const files[] = { "yes", "no", "permit", "deny" };

START_TEST(urls)
{
	static const struct {
		const char *url;
		bool good;
		enum auth_kind kind;
		const char *path, *service, *confdir;
	} t[] = {
		{ "file:///etc/barid/users", true, AUTH_FILE, "/etc/barid/users", "", NULL },
		{ "file:///a?confdir=/b", true, AUTH_FILE, "/a?confdir=/b", "", NULL },
		{ "pam://barid", true, AUTH_PAM, NULL, "barid", NULL },
		{ "pam://x?confdir=/run/pam.d", true, AUTH_PAM, NULL, "x", "/run/pam.d" },
		{ "file://", false, AUTH_FILE, NULL, NULL, NULL },
		{ "file://users", false, AUTH_FILE, NULL, NULL, NULL },
		{ "pam://", false, AUTH_PAM, NULL, NULL, NULL },
		{ "pam://?confdir=/x", false, AUTH_PAM, NULL, NULL, NULL },
		{ "pam://x?", false, AUTH_PAM, NULL, NULL, NULL },
		{ "pam://x?confdir=", false, AUTH_PAM, NULL, NULL, NULL },
		{ "pam://x?confdir=pam.d", false, AUTH_PAM, NULL, NULL, NULL },
		{ "pam://x?only=wheel", false, AUTH_PAM, NULL, NULL, NULL },
		{ "pam://../x", false, AUTH_PAM, NULL, NULL, NULL },
		{ "pam://0123456789012345678901234567890123456789012345678901234567890123", false,
		  AUTH_PAM, NULL, NULL, NULL },
		{ "pam:barid", false, AUTH_PAM, NULL, NULL, NULL },
		{ "ldap://host", false, AUTH_PAM, NULL, NULL, NULL },
		{ "/etc/barid/users", false, AUTH_PAM, NULL, NULL, NULL },
		{ "", false, AUTH_PAM, NULL, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct auth_backend b;
		bool good = auth_backend_init(&b, t[i].url);
		ck_assert_msg(good == t[i].good, "%s", t[i].url);
		if (!good)
			continue;
		ck_assert_int_eq(b.kind, t[i].kind);
		ck_assert_int_eq(b.fd, -1);
		ck_assert_ptr_eq(b.url, t[i].url);
		ck_assert_pstr_eq(b.path, t[i].path);
		ck_assert_str_eq(b.service, t[i].service);
		ck_assert_pstr_eq(b.confdir, t[i].confdir);
	}
}
END_TEST

/* Y: a file that says yes, N: one that says no, T: one that is not there; P and D are PAM. */
static enum auth_verdict
ask(const char *backends)
{
	const struct auth_question q = { .user = "alice", .password = "barid",
		.client = "192.0.2.1", .challenge = "" };
	struct auth_backend b[8] = { { .fd = -1 } };
	size_t n = 0;

	for (; backends[n]; n++) {
		if (backends[n] == 'P' || backends[n] == 'D')
			b[n] = (struct auth_backend){ .kind = AUTH_PAM, .confdir = asked_dir, .fd = -1 };
		switch (backends[n]) {
		case 'Y': b[n] = asked_file("yes"); break;
		case 'N': b[n] = asked_file("no"); break;
		case 'T': b[n] = asked_file("nothing"); break;
		case 'P': memcpy(b[n].service, "permit", 7); break;
		default: memcpy(b[n].service, "deny", 5); break;
		}
	}
	enum auth_verdict v = auth_ask(b, n, &q);
	while (n-- > 0)
		if (b[n].fd >= 0)
			close(b[n].fd);
	return v;
}

START_TEST(proofs)
{
	enum auth_proof proof = AUTH_BY_TOKEN;

	ck_assert(auth_proof_of(STR("LOGIN"), &proof) && proof == AUTH_BY_PASSWORD);
	ck_assert(auth_proof_of(STR("APOP"), &proof) && proof == AUTH_BY_APOP);
	ck_assert(auth_proof_of(STR("SCRAM-SHA-256"), &proof) && proof == AUTH_BY_SCRAM);
	ck_assert(!auth_proof_of(STR("SCRAM-SHA-256-PLUS"), &proof));
	ck_assert(!auth_proof_of(STR(""), &proof));
}
END_TEST

START_TEST(order)
{
	static const struct {
		const char *backends;
		enum auth_verdict verdict;
	} t[] = {
		{ "", AUTH_NO }, { "Y", AUTH_YES }, { "N", AUTH_NO }, { "T", AUTH_TEMPORARY },
		{ "P", AUTH_YES }, { "D", AUTH_NO },
		{ "NY", AUTH_YES }, { "YN", AUTH_YES }, { "NN", AUTH_NO },
		/* Who cannot say hinders nobody whom another one knows. */
		{ "TY", AUTH_YES }, { "YT", AUTH_YES }, { "TN", AUTH_TEMPORARY },
		{ "NT", AUTH_TEMPORARY }, { "NTN", AUTH_TEMPORARY }, { "TNY", AUTH_YES },
		{ "DY", AUTH_YES }, { "ND", AUTH_NO }, { "NDP", AUTH_YES }, { "TD", AUTH_TEMPORARY },
	};

	asked_begin();
	(void)asked_write("yes", STR("alice:$1$bar$RRl.p3gwzLj695k7rwMaY/\n"));
	(void)asked_write("no", STR("bob:$1$bar$RRl.p3gwzLj695k7rwMaY/\n"));
	(void)asked_write("permit", STR("auth required pam_permit.so\n"
	    "account required pam_permit.so\n"));
	(void)asked_write("deny", STR("auth required pam_deny.so\n"
	    "account required pam_permit.so\n"));
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		ck_assert_msg(ask(t[i].backends) == t[i].verdict, "%s", t[i].backends);
	asked_end(files, ARRAY_LEN(files));
}
END_TEST

UNIT_MAIN("auth/backend", proofs, urls, order)
