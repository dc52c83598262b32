/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dests -- where mail goes: each destination with its line, its connections and
 * what came of the last minute, as `baridctl top` has them.
 */

#include "answer.h"
#include "data.h"
#include "html.h"
#include "report/view.h"

#define ROWS_MOST 200

static void
add_numbers(struct buf *b, const struct view_row *r)
{
	const uint64_t numbers[] = { r->waiting, r->parked, r->connections, r->window, r->sent,
		r->deferred, r->bounced };

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		buf_addf(b, "</td><td class=\"n\">%llu", (unsigned long long)numbers[i]);
}

static void
add_row(struct buf *b, const struct view_row *r)
{
	buf_adds(b, "<tr><td class=\"t\">");
	html_text(b, r->name);
	buf_adds(b, "</td><td>");
	html_text(b, r->kind);
	add_numbers(b, r);
	buf_adds(b, "</td><td>");
	if (r->dead_ms > 0) {
		buf_adds(b, "<span class=\"bad\">dead for ");
		html_span(b, (int64_t)(r->dead_ms / 1000));
		buf_adds(b, "</span> ");
		html_text(b, r->why);
	}
	buf_adds(b, "</td></tr>\n");
}

static void
add_view(struct buf *b, const struct view *view)
{
	size_t n = view->n < ROWS_MOST ? view->n : ROWS_MOST;

	buf_addf(b, "<p>%llu messages in the queue, %llu under way, %llu connections.</p>\n",
	    (unsigned long long)view->queued, (unsigned long long)view->active,
	    (unsigned long long)view->connections);
	buf_adds(b, "<div class=\"wide\"><table><thead><tr><th>Destination</th><th>Kind</th>"
		    "<th class=\"n\">Waiting</th><th class=\"n\">Parked</th>"
		    "<th class=\"n\">Connections</th><th class=\"n\">Window</th>"
		    "<th class=\"n\">Sent</th><th class=\"n\">Deferred</th>"
		    "<th class=\"n\">Bounced</th><th>State</th></tr></thead>\n");
	for (size_t i = 0; i < n; i++)
		add_row(b, &view->rows[i]);
	buf_adds(b, "</table></div>\n");
	if (view->more + (view->n - n) > 0)
		buf_addf(b, "<p>And %llu more.</p>\n",
		    (unsigned long long)(view->more + (view->n - n)));
}

void
dests_page(struct visit *v, struct answer *answer)
{
	struct buf *b = &answer->body;
	struct view view;
	struct str text;
	const char *why;

	html_begin(v, b, "Destinations");
	if (data_ask_plain(v, CONTROL_DESTS, &text, &why)) {
		view_init(&view);
		view_read(&view, text);
		add_view(b, &view);
		view_free(&view);
	} else {
		html_trouble(b, why);
		answer->status = 503;
	}
	html_end(b);
}
