/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * blocks -- who is refused, for how long and why; and another one, or one less.
 */

#include "answer.h"
#include "data.h"
#include "html.h"
#include "ipc/blocks.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

static void
add_unblock(const struct visit *v, struct buf *b, struct str net)
{
	buf_adds(b, "<form method=\"post\" action=\"/blocks\">");
	login_add_token(v, b);
	buf_adds(b, "<input type=\"hidden\" name=\"net\" value=\"");
	html_text(b, net);
	buf_adds(b, "\"><button name=\"do\" value=\"unblock\">Let in</button></form>");
}

/* "NETWORK SECONDS-LEFT manual|automatic WHY" */
static void
add_block(const struct visit *v, struct buf *b, struct str line)
{
	struct str net = str_word(&line), left = str_word(&line), how = str_word(&line);
	uint64_t seconds;

	buf_adds(b, "<tr><td>");
	html_text(b, net);
	buf_adds(b, "</td><td>");
	if (str_u64(left, INT64_MAX, &seconds) == 0)
		html_span(b, (int64_t)seconds);
	else
		buf_adds(b, "for ever");
	buf_adds(b, "</td><td>");
	html_text(b, how);
	buf_adds(b, "</td><td class=\"t\">");
	html_text(b, str_trim(line));
	buf_adds(b, "</td><td>");
	if (v->by_cookie)
		add_unblock(v, b, net);
	buf_adds(b, "</td></tr>\n");
}

static void
add_form(const struct visit *v, struct buf *b)
{
	buf_adds(b, "<h2>Block</h2>\n<form method=\"post\" action=\"/blocks\">");
	login_add_token(v, b);
	buf_adds(b, "<label>Address or network <input name=\"net\" required></label>\n"
		    "<label>For <select name=\"for\"><option value=\"3600\">an hour</option>"
		    "<option value=\"86400\">a day</option><option value=\"604800\">a week"
		    "</option><option value=\"0\">ever</option></select></label>\n"
		    "<label>Why <input name=\"why\"></label>\n"
		    "<button name=\"do\" value=\"block\">Block</button></form>\n");
}

static void
show(struct visit *v, struct answer *answer)
{
	struct buf *b = &answer->body;
	struct str text, line;
	const char *why;

	html_begin(v, b, "Blocks");
	if (data_ask_plain(v, CONTROL_BLOCKS, &text, &why)) {
		buf_adds(b, "<div class=\"wide\"><table><thead><tr><th>Network</th><th>Left</th>"
			    "<th>By</th><th>Why</th><th></th></tr></thead>\n");
		while (text.n > 0) {
			str_cut(text, '\n', &line, &text);
			if (line.n > 0)
				add_block(v, b, line);
		}
		buf_adds(b, "</table></div>\n");
		if (v->by_cookie)
			add_form(v, b);
	} else {
		html_trouble(b, why);
		answer->status = 503;
	}
	html_end(b);
}

static void
carry_out(struct visit *v, struct answer *answer)
{
	const struct request_params *f = &v->request.form;
	struct msg_control *m = mem_alloc(sizeof(*m));
	struct str text, what = request_param(f, "do");
	uint64_t seconds = 0, count;
	const char *why = NULL;

	m->op = str_eq(what, STR("unblock")) ? CONTROL_UNBLOCK : CONTROL_BLOCK;
	m->domain = request_param(f, "net");
	m->reason = request_param(f, "why");
	if (str_u64(request_param(f, "for"), INT32_MAX, &seconds) == 0 && seconds > 0)
		m->at = (uint64_t)clock_wall() + seconds;
	if (!str_eq(what, STR("block")) && !str_eq(what, STR("unblock")))
		why = "there is no such order";
	else if (data_ask(v, m, &text, &count, &why))
		why = NULL;
	log_info(NULL, "order: " STR_FMT " " STR_FMT ": %s, user=%s, ip=[%s]",
	    STR_ARG(str_head(what, 20)), STR_ARG(str_head(m->domain, 100)), why ? why : "done",
	    v->user, v->client);
	if (why)
		answer_be(answer, 400, why);
	else
		answer_see(answer, "/blocks");
	mem_free(m);
}

void
blocks_page(struct visit *v, struct answer *answer)
{
	if (v->request.method == REQUEST_POST)
		carry_out(v, answer);
	else
		show(v, answer);
}
