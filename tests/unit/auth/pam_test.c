/* SPDX-License-Identifier: GPL-3.0-or-later */

/* pam_test -- real PAM, with services of our own and modules that every system has. */

#include "asked.h"


static struct auth_question question = { .user = "alice", .password = "secret",
	.client = "192.0.2.7" };

/* What a service with this TEXT says; %s in it is the directory. */
static enum auth_verdict
ask(const char *text)
{
	struct auth_backend b = { .c = { .kind = BACKEND_PAM,
		.service = "barid", .confdir = asked_dir } };
	struct buf t;

	buf_init(&t, 4096);
	for (const char *p; (p = strstr(text, "%s")); text = p + 2) {
		buf_add(&t, str_n(text, (size_t)(p - text)));
		buf_adds(&t, asked_dir);
	}
	buf_adds(&t, text);
	(void)asked_write("barid", buf_str(&t));
	buf_free(&t);
	return auth_pam(&b, &question);
}

START_TEST(answers)
{
	static const struct {
		const char *text;
		enum auth_verdict verdict;
	} t[] = {
		{ "auth required pam_permit.so\naccount required pam_permit.so\n", AUTH_YES },
		{ "auth required pam_deny.so\naccount required pam_permit.so\n", AUTH_NO },
		/* The password is right and the account is not. */
		{ "auth required pam_permit.so\naccount required pam_deny.so\n", AUTH_NO },
		{ "auth required pam_permit.so\naccount required pam_debug.so "
		  "acct=acct_expired\n", AUTH_NO },
		{ "auth required pam_permit.so\naccount required pam_debug.so "
		  "acct=new_authtok_reqd\n", AUTH_NO },
		{ "auth required pam_debug.so auth=user_unknown\n"
		  "account required pam_permit.so\n", AUTH_NO },
		{ "auth required pam_debug.so auth=auth_err\n"
		  "account required pam_permit.so\n", AUTH_NO },
		{ "auth required pam_debug.so auth=maxtries\n"
		  "account required pam_permit.so\n", AUTH_NO },
		{ "auth required pam_debug.so auth=perm_denied\n"
		  "account required pam_permit.so\n", AUTH_NO },
		/* Whoever is asked does not know. */
		{ "auth required pam_debug.so auth=authinfo_unavail\n"
		  "account required pam_permit.so\n", AUTH_TEMPORARY },
		{ "auth required pam_debug.so auth=system_err\n"
		  "account required pam_permit.so\n", AUTH_TEMPORARY },
		{ "auth required pam_debug.so auth=service_err\n"
		  "account required pam_permit.so\n", AUTH_TEMPORARY },
		{ "auth required pam_debug.so auth=buf_err\n"
		  "account required pam_permit.so\n", AUTH_TEMPORARY },
		{ "auth required pam_permit.so\naccount required pam_debug.so "
		  "acct=authinfo_unavail\n", AUTH_TEMPORARY },
		{ "auth required pam_there_is_none.so\naccount required pam_permit.so\n",
		  AUTH_TEMPORARY },
		{ "", AUTH_TEMPORARY },
		/* One that asks for nothing but the name. */
		{ "auth required pam_listfile.so item=user sense=allow onerr=fail "
		  "file=%s/nothing\naccount required pam_permit.so\n", AUTH_NO },
	};

	asked_begin();
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		enum auth_verdict v = ask(t[i].text);
		/* Without a line for it PAM may deny or fail: it must not permit. */
		bool good = v == t[i].verdict || (t[i].verdict != AUTH_YES && i >= 14 &&
		    v != AUTH_YES);
		ck_assert_msg(good, "%d of %s", v, t[i].text);
	}
	asked_end();
}
END_TEST

/* A program sees the password on its standard input, and who asks for whom in its environment. */
START_TEST(what_is_said)
{
	static const char required[] = "auth required pam_exec.so expose_authtok quiet "
	    "%s/script\naccount required pam_permit.so\n";
	static const char service[] = "auth [success=1 default=ignore] pam_exec.so "
	    "expose_authtok quiet %s/script\nauth requisite pam_deny.so\n"
	    "auth required pam_permit.so\naccount required pam_permit.so\n";
	struct buf b;
	char seen[256] = "", path[128];

	asked_begin();
	buf_init(&b, 4096);
	buf_addf(&b, "#!/bin/sh\np=$(tr -d '\\0')\n"
	    "echo \"$PAM_USER $PAM_RHOST $PAM_SERVICE $PAM_TYPE $p\" >%s/seen\n"
	    "[ \"$p\" = secret ]\n", asked_dir);
	(void)asked_write("script", buf_str(&b));
	ck_assert_int_eq(ask(service), AUTH_YES);
	snprintf(path, sizeof(path), "%s/seen", asked_dir);
	FILE *f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(fgets(seen, sizeof(seen), f));
	fclose(f);
	ck_assert_str_eq(seen, "alice 192.0.2.7 barid auth secret\n");
	question.password = "wrong";
	ck_assert_int_eq(ask(service), AUTH_NO);
	/* pam_exec calls it an error of the system when its program says no. */
	ck_assert_int_eq(ask(required), AUTH_TEMPORARY);
	question.password = "secret";
	buf_free(&b);
	asked_end();
}
END_TEST

UNIT_MAIN("auth/pam", answers, what_is_said)
