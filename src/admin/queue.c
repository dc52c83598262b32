/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * queue -- what waits: a list that can be searched, and one message of it, which
 * may be tried now, held and let go.
 *
 * The envelope is shown and why it waits, as anybody on the host may see it by
 * mailq; the message itself is not.  What changes something goes to the runners
 * by the control socket, and into the log with the name of who wanted it.
 */

#include "answer.h"
#include "data.h"
#include "html.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "report/listing.h"
#include "report/listing_row.h"

#define ROWS 50
/* Further back it is for who searches. */
#define PAGES 40
#define RCPTS_SHOWN 3
#define SEARCH_MAX 200

static const char *const states[] = { "active", "new", "deferred", "hold", "dead", "drop",
	"bad" };
static const char *const fields[] = { "recipient", "sender", "domain", "reason" };

/* What is searched for, as it stands in the address of a page. */
struct search {
	struct str state, by, text;
	uint64_t page;
};

/* The one of the N words that is TEXT, or "". */
static struct str
one_of(const char *const *words, size_t n, struct str text)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(text, str_c(words[i])))
			return str_c(words[i]);
	return STR("");
}

static struct search
search_of(const struct visit *v)
{
	const struct request_params *q = &v->request.query;
	struct search s = { .state = one_of(states, ARRAY_LEN(states), request_param(q, "state")),
		.by = one_of(fields, ARRAY_LEN(fields), request_param(q, "by")),
		.text = request_param(q, "q") };

	if (s.text.n > SEARCH_MAX || str_has_ctl(s.text))
		s.text = STR("");
	if (s.by.n == 0)
		s.by = str_c(fields[0]);
	if (str_u64(request_param(q, "page"), PAGES - 1, &s.page) < 0)
		s.page = 0;
	return s;
}

static void
set_filter(struct msg_control *m, const struct search *s)
{
	unsigned which = 0;

	m->op = CONTROL_LIST;
	m->form = LISTING_JSON;
	m->sort = LISTING_BY_ARRIVAL;
	m->limit = (s->page + 1) * ROWS + 1;
	if (s->state.n > 0 && listing_states(s->state, &which) == 0)
		m->states = which;
	if (str_eq(s->by, STR("sender")))
		m->sender = s->text;
	else if (str_eq(s->by, STR("domain")))
		m->domain = s->text;
	else if (str_eq(s->by, STR("reason")))
		m->reason = s->text;
	else
		m->recipient = s->text;
}

/* ---- the list -------------------------------------------------------------------------- */

static void
add_choice(struct buf *b, const char *name, const char *const *words, size_t n, struct str chosen,
    const char *none)
{
	buf_addf(b, "<select name=\"%s\" aria-label=\"%s\">", name, name);
	if (none)
		buf_addf(b, "<option value=\"\">%s</option>", none);
	for (size_t i = 0; i < n; i++)
		buf_addf(b, "<option%s>%s</option>",
		    str_eq(chosen, str_c(words[i])) ? " selected" : "", words[i]);
	buf_adds(b, "</select> ");
}

static void
add_search(struct buf *b, const struct search *s)
{
	buf_adds(b, "<form method=\"get\" action=\"/queue\">");
	add_choice(b, "state", states, ARRAY_LEN(states), s->state, "all states");
	add_choice(b, "by", fields, ARRAY_LEN(fields), s->by, NULL);
	buf_adds(b, "<input name=\"q\" aria-label=\"search\" value=\"");
	html_text(b, s->text);
	buf_adds(b, "\"> <button>Search</button></form>\n");
}

static void
add_age(struct buf *b, int64_t since)
{
	int64_t age = clock_wall() - since;

	html_span(b, age > 0 ? age : 0);
}

/* Some of the recipients, and the reason of one that waits. */
static void
add_rcpts(struct buf *b, const struct listing_row *r)
{
	struct str why = r->unreadable;

	for (size_t i = 0; i < r->rcpt_n; i++) {
		if (i < RCPTS_SHOWN) {
			html_text(b, r->rcpts[i].address);
			buf_adds(b, "<br>");
		}
		if (why.n == 0)
			why = r->rcpts[i].reply;
	}
	if (r->rcpt_n > RCPTS_SHOWN)
		buf_addf(b, "and %zu more", r->rcpt_n - RCPTS_SHOWN);
	buf_adds(b, "</td><td class=\"t\">");
	html_text(b, why);
}

static void
add_message(struct buf *b, const struct listing_row *r)
{
	buf_adds(b, "<tr><td><a href=\"/message?id=");
	html_text(b, r->id);
	buf_adds(b, "\">");
	html_text(b, r->id);
	buf_adds(b, "</a></td><td>");
	html_text(b, r->place);
	buf_adds(b, "</td><td>");
	if (r->arrival > 0)
		add_age(b, r->arrival);
	buf_addf(b, "</td><td class=\"n\">%llu</td><td class=\"t\">",
	    (unsigned long long)r->size);
	html_text(b, r->sender.n > 0 || r->unreadable.n > 0 ? r->sender : STR("<>"));
	buf_adds(b, "</td><td class=\"t\">");
	add_rcpts(b, r);
	buf_adds(b, "</td></tr>\n");
}

/* Adds those of the page; true: there are more behind it. */
static bool
add_messages(struct visit *v, struct buf *b, const struct search *s, struct str text)
{
	uint64_t n = 0, from = s->page * ROWS;
	struct listing_row r;
	struct str line;

	while (text.n > 0 && n <= from + ROWS) {
		str_cut(text, '\n', &line, &text);
		if (n >= from && n < from + ROWS && listing_row(line, &v->arena, &r))
			add_message(b, &r);
		n++;
	}
	return n > from + ROWS;
}

/* A form and not a link, so that no text has to be made one. */
static void
add_turn(struct buf *b, const struct search *s, uint64_t page, const char *name)
{
	buf_adds(b, "<form method=\"get\" action=\"/queue\"><input type=\"hidden\" name=\"state\" "
		    "value=\"");
	html_text(b, s->state);
	buf_adds(b, "\"><input type=\"hidden\" name=\"by\" value=\"");
	html_text(b, s->by);
	buf_adds(b, "\"><input type=\"hidden\" name=\"q\" value=\"");
	html_text(b, s->text);
	buf_addf(b, "\"><button name=\"page\" value=\"%llu\">%s</button></form>\n",
	    (unsigned long long)page, name);
}

void
queue_page(struct visit *v, struct answer *answer)
{
	struct msg_control *m = mem_alloc(sizeof(*m));
	struct search s = search_of(v);
	struct buf *b = &answer->body;
	struct str text;
	uint64_t count;
	const char *why;

	set_filter(m, &s);
	html_begin(v, b, "Queue");
	add_search(b, &s);
	if (data_ask(v, m, &text, &count, &why)) {
		buf_adds(b, "<div class=\"wide cards\"><table><thead><tr><th>Message</th>"
			    "<th>State</th><th>Age</th><th class=\"n\">Octets</th><th>Sender</th>"
			    "<th>Recipients</th><th>Last reply</th></tr></thead>\n");
		bool more = add_messages(v, b, &s, text);
		buf_adds(b, "</table></div>\n");
		if (text.n == 0)
			buf_adds(b, "<p>There is none.</p>\n");
		if (s.page > 0)
			add_turn(b, &s, s.page - 1, "Before");
		if (more && s.page + 1 < PAGES)
			add_turn(b, &s, s.page + 1, "Next");
	} else {
		html_trouble(b, why);
		answer->status = 503;
	}
	html_end(b);
	mem_free(m);
}

/* ---- one message ------------------------------------------------------------------------ */

static void
add_time(struct buf *b, const char *name, int64_t when)
{
	char text[64];
	struct tm tm;

	if (when > 0 && clock_local(when, &tm) &&
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm) > 0)
		html_row(b, name, "%s", text);
}

static void
add_rcpt(struct buf *b, const struct listing_row_rcpt *r)
{
	const struct str columns[] = { r->address, r->state, r->status, r->relay, r->reply };

	buf_adds(b, "<tr>");
	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		/* Words, and what may be long. */
		buf_adds(b, i == 1 || i == 2 ? "<td>" : "<td class=\"t\">");
		html_text(b, columns[i]);
		buf_adds(b, "</td>");
	}
	buf_adds(b, "<td>");
	if (r->last > 0) {
		add_age(b, r->last);
		buf_adds(b, " ago");
	}
	buf_adds(b, "</td></tr>\n");
}

static void
add_button(const struct visit *v, struct buf *b, struct str id, const char *what,
    const char *label)
{
	buf_adds(b, "<form method=\"post\" action=\"/message\">");
	login_add_token(v, b);
	buf_adds(b, "<input type=\"hidden\" name=\"id\" value=\"");
	html_text(b, id);
	buf_addf(b, "\"><button name=\"do\" value=\"%s\">%s</button></form>\n", what, label);
}

static void
add_buttons(const struct visit *v, struct buf *b, const struct listing_row *r)
{
	bool held = str_eq(r->place, STR("hold"));

	if (r->unreadable.n > 0 || !v->by_cookie)
		return;
	buf_adds(b, "<nav>");
	if (!held)
		add_button(v, b, r->id, "flush", "Try now");
	add_button(v, b, r->id, held ? "release" : "hold", held ? "Let go" : "Hold");
	buf_adds(b, "</nav>\n");
}

static void
show(const struct visit *v, struct buf *b, const struct listing_row *r)
{
	add_buttons(v, b, r);
	buf_adds(b, "<table>\n");
	html_row(b, "State", STR_FMT, STR_ARG(r->place));
	html_row(b, "Octets", "%llu", (unsigned long long)r->size);
	add_time(b, "Arrived", r->arrival);
	add_time(b, "Next attempt", r->next);
	html_row(b, "Sender", STR_FMT, STR_ARG(r->sender.n > 0 ? r->sender : STR("<>")));
	html_row(b, "Client", STR_FMT, STR_ARG(r->client));
	if (r->user.n > 0)
		html_row(b, "User", STR_FMT, STR_ARG(r->user));
	if (r->unreadable.n > 0)
		html_row(b, "Unreadable", STR_FMT, STR_ARG(r->unreadable));
	buf_adds(b, "</table>\n<h2>Recipients</h2>\n<div class=\"wide\"><table><thead><tr>"
		    "<th>Address</th><th>State</th><th>Status</th><th>By</th><th>Last reply</th>"
		    "<th>When</th></tr></thead>\n");
	for (size_t i = 0; i < r->rcpt_n; i++)
		add_rcpt(b, &r->rcpts[i]);
	buf_adds(b, "</table></div>\n");
}

static void
show_message(struct visit *v, struct answer *answer, struct str id)
{
	struct msg_control *m = mem_alloc(sizeof(*m));
	struct buf *b = &answer->body;
	struct listing_row r;
	struct str text, line;
	uint64_t count;
	const char *why;

	m->op = CONTROL_LIST;
	m->form = LISTING_JSON;
	m->states = LISTING_STATES_ALL;
	m->ids[m->id_n++] = id;
	html_begin(v, b, arena_printf(&v->arena, "Message " STR_FMT, STR_ARG(id)));
	if (!data_ask(v, m, &text, &count, &why)) {
		html_trouble(b, why);
		answer->status = 503;
	} else if (str_cut(text, '\n', &line, &text), listing_row(line, &v->arena, &r)) {
		show(v, b, &r);
	} else {
		buf_adds(b, "<p>It is not in the queue any more.</p>\n");
		answer->status = 404;
	}
	html_end(b);
	mem_free(m);
}

/* Gives the order to the runners; the answer is the message as it is then. */
static void
carry_out(struct visit *v, struct answer *answer, struct str id, struct str what)
{
	static const struct {
		const char *name;
		enum control_op op;
	} orders[] = { { "flush", CONTROL_FLUSH }, { "hold", CONTROL_HOLD },
		{ "release", CONTROL_RELEASE } };
	struct msg_control *m = mem_alloc(sizeof(*m));
	struct str text;
	uint64_t count = 0;
	const char *why = "there is no such order";

	for (size_t i = 0; i < ARRAY_LEN(orders); i++)
		if (str_eq(what, str_c(orders[i].name)))
			m->op = orders[i].op;
	m->ids[m->id_n++] = id;
	bool ok = m->op != 0 && data_ask(v, m, &text, &count, &why);
	log_info(NULL, "order: " STR_FMT " " STR_FMT ": %s, user=%s, ip=[%s]",
	    STR_ARG(str_head(what, 20)), STR_ARG(id), !ok ? why : count > 0 ? "done" : "not there",
	    v->user, v->client);
	if (!ok)
		answer_be(answer, m->op == 0 ? 400 : 503, why);
	else
		answer_see(answer, arena_printf(&v->arena, "/message?id=" STR_FMT, STR_ARG(id)));
	mem_free(m);
}

void
message_page(struct visit *v, struct answer *answer)
{
	bool order = v->request.method == REQUEST_POST;
	const struct request_params *p = order ? &v->request.form : &v->request.query;
	struct str id = request_param(p, "id");

	if (!queue_id_valid(id))
		answer_be(answer, 404, "this is no message");
	else if (order)
		carry_out(v, answer, id, request_param(p, "do"));
	else
		show_message(v, answer, id);
}
