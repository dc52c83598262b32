/* SPDX-License-Identifier: GPL-3.0-or-later */

/* backend_test -- which backends judge what, and in which order they are asked. */

#include "../with_conf.h"
#include "asked.h"

#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>


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
			b[n] = (struct auth_backend){ .fd = -1,
				.c = { .kind = BACKEND_PAM, .confdir = asked_dir } };
		switch (backends[n]) {
		case 'Y': b[n] = asked_file("yes"); break;
		case 'N': b[n] = asked_file("no"); break;
		case 'T': b[n] = asked_file("nothing"); break;
		case 'P': b[n].c.service = "permit"; break;
		default: b[n].c.service = "deny"; break;
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
	asked_end();
}
END_TEST

/* Who may not read shadow(5) can say of nobody that he is not there, but of a name that is none. */
START_TEST(unreadable)
{
	const char *accounts[] = { "daemon", "no-such-*" };
	struct auth_note note = { 0 };
	const struct auth_question q = { .user = "daemon", .password = "x", .note = &note },
		other = { .user = "no-such-one", .password = "x", .note = &note };
	const struct auth_backend b = { .c = { .kind = BACKEND_USERS,
		.list = { accounts, ARRAY_LEN(accounts) } } };
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setgid(65534) < 0 ||
					  setuid(65534) < 0))
			_exit(3);
		if (auth_users(&b, &q) != AUTH_TEMPORARY || !strstr(note.why, "cannot be read"))
			_exit(1);
		_exit(auth_users(&b, &other) != AUTH_NO);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* Of admin.auth only pages are asked, and of auth.backends they are not, where it stands. */
START_TEST(lists)
{
	static const char both[] = "auth { backends = {'hardcoded://a:1', 'hardcoded://b:2'} }\n"
				   "admin { auth = {'hardcoded://c:3'} }\n";
	static struct auth a;
	struct buf error;
	size_t from, end;

	buf_init(&error, 4096);
	a.conf = with_conf(both);
	ck_assert(auth_backends_load(&a, &error));
	ck_assert_uint_eq(a.backend_n, 3);
	auth_backends_for(&a, STR("pop3"), &from, &end);
	ck_assert(from == 0 && end == 2);
	auth_backends_for(&a, STR(AUTH_SERVICE_TEST), &from, &end);
	ck_assert(from == 0 && end == 2);
	auth_backends_for(&a, STR(AUTH_SERVICE_ADMIN), &from, &end);
	ck_assert(from == 2 && end == 3);
	/* Who has all that are for mail has not the one of the pages, and the other way round. */
	auth_backends_keep(&a, PLACE_SECRETS);
	ck_assert_uint_eq(a.backends[0].c.list.n + a.backends[1].c.list.n, 4);
	ck_assert_uint_eq(a.backends[2].c.list.n, 0);
	arena_free(&a.arena);
	conf_free(a.conf);

	a = (struct auth){ .conf = with_conf("auth { backends = {'hardcoded://a:1'} }\n") };
	ck_assert(auth_backends_load(&a, &error));
	auth_backends_for(&a, STR(AUTH_SERVICE_ADMIN), &from, &end);
	ck_assert(from == 0 && end == 1);
	arena_free(&a.arena);
	conf_free(a.conf);
	buf_free(&error);
}
END_TEST

UNIT_MAIN("auth/backend", proofs, order, unreadable, lists)
