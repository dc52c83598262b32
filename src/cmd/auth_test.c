/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * auth_test -- `baridctl auth-test`: what each backend says of a user and a
 * password, asked of the running barid.
 */

#include "ctl.h"

#include <errno.h>
#include <sysexits.h>

#include "forms.h"
#include "lib/log.h"
#include "lib/mem.h"

#define PASSWORD_MAX 1024

static void
print_answers(const char *user, struct str text)
{
	struct str verdict, line, backend, answer;
	char out[4096];

	(void)str_cut(text, '\n', &verdict, &text);
	while (text.n > 0) {
		(void)str_cut(text, '\n', &line, &text);
		(void)str_cut(line, '\t', &backend, &answer);
		printf(STR_FMT ": ", STR_ARG(backend));
		printf("%.*s\n", (int)log_escape(out, sizeof(out), answer), out);
	}
	printf("%.*s ", (int)log_escape(out, sizeof(out), str_c(user)), out);
	puts(str_eq(verdict, STR("yes")) ? "may log in" :
	    str_eq(verdict, STR("no")) ? "may not log in" :
	    "may or may not log in: not every backend can say");
}

static int
code_of(struct str text)
{
	if (str_starts(text, STR("yes")))
		return EX_OK;
	return str_starts(text, STR("no")) ? EX_NOPERM : EX_TEMPFAIL;
}

static int
ask(const struct ctl *t, const char *user, struct str password)
{
	struct msg_control *m = mem_alloc(sizeof(*m));
	struct msg_control_result r;
	struct buf answer;
	int code;

	m->op = CONTROL_AUTH;
	m->domain = str_c(user);
	m->reason = password;
	buf_init(&answer, FRAME_MAX);
	if (cmd_control(t->conf, m, &answer, &r) < 0) {
		code = ctl_not_running();
	} else if (!r.ok) {
		fprintf(stderr, "baridctl: " STR_FMT, STR_ARG(r.text));
		code = EX_UNAVAILABLE;
	} else {
		if (t->json)
			forms_answers(str_c(user), r.text, stdout);
		else
			print_answers(user, r.text);
		code = code_of(r.text);
	}
	buf_free(&answer);
	mem_free(m);
	return code;
}

int
ctl_auth_test(struct ctl *t, int argc, char **argv)
{
	struct buf password;
	int code = EX_DATAERR;

	if (argc != 1)
		return ctl_usage();
	buf_init(&password, PASSWORD_MAX);
	if (cmd_read_secret("Password: ", &password))
		code = ask(t, argv[0], buf_str(&password));
	else
		fputs("baridctl: this is no password, expected a line of at most "
		    "1024 octets\n", stderr);
	buf_wipe(&password);
	buf_free(&password);
	return code;
}
