/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * backends -- who is asked for passwords, in which order; and what each of them
 * says of one, as `baridctl auth-test` has it: yes, no, or why it cannot say.
 */

#include "answer.h"
#include "data.h"
#include "html.h"
#include "lib/log.h"
#include "lib/mem.h"

static void
add_list(struct buf *b, const char *title, const struct conf_strs *list)
{
	buf_addf(b, "<h2>%s</h2>\n<ol>", title);
	for (size_t i = 0; i < list->n; i++) {
		buf_adds(b, "<li>");
		html_text(b, str_c(list->v[i]));
		buf_adds(b, "</li>\n");
	}
	buf_adds(b, "</ol>\n");
}

/* Lines "BACKEND\tANSWER" behind the verdict. */
static void
add_answers(struct buf *b, struct str user, struct str text)
{
	struct str line, name, said;

	str_cut(text, '\n', &line, &text);
	buf_adds(b, "<h2>What they say of ");
	html_text(b, user);
	buf_adds(b, ": ");
	html_text(b, line);
	buf_adds(b, "</h2>\n<table>\n");
	while (text.n > 0) {
		str_cut(text, '\n', &line, &text);
		str_cut(line, '\t', &name, &said);
		if (line.n == 0)
			continue;
		buf_adds(b, "<tr><td>");
		html_text(b, name);
		buf_adds(b, "</td><td>");
		html_text(b, said);
		buf_adds(b, "</td></tr>\n");
	}
	buf_adds(b, "</table>\n");
}

/* Asks all that are for mail. */
static void
try(struct visit *v, struct buf *b)
{
	struct msg_control *m = mem_alloc(sizeof(*m));
	struct str text, user = request_param(&v->request.form, "user");
	uint64_t count;
	const char *why;

	m->op = CONTROL_AUTH;
	m->domain = user;
	m->reason = request_param(&v->request.form, "password");
	if (user.n == 0 || str_has_ctl(user) || m->reason.n == 0)
		html_trouble(b, "a user and a password are needed");
	else if (data_ask(v, m, &text, &count, &why))
		add_answers(b, user, text);
	else
		html_trouble(b, why);
	log_info(NULL, "order: auth-test " STR_FMT ", user=%s, ip=[%s]",
	    STR_ARG(str_head(user, 128)), v->user, v->client);
	mem_free(m);
}

void
backends_page(struct visit *v, struct answer *answer)
{
	struct buf *b = &answer->body;

	html_begin(v, b, "Logins");
	if (v->request.method == REQUEST_POST)
		try(v, b);
	add_list(b, "For mail", &v->conf.auth.backends);
	add_list(b, "For these pages", conf_admin_backends(&v->conf));
	if (v->by_cookie && v->conf.auth.backends.n > 0) {
		buf_adds(b, "<h2>Try a login</h2>\n<form method=\"post\" action=\"/logins\" "
			    "autocomplete=\"off\">");
		login_add_token(v, b);
		buf_adds(b, "<label>User <input name=\"user\" required></label>\n<label>Password "
			    "<input name=\"password\" type=\"password\" required></label>\n"
			    "<button>Ask each</button></form>\n");
	}
	html_end(b);
}
