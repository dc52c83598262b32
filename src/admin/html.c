/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * html -- what all pages have, and the one way by which text gets into one
 * (CONFORMANCE S-62): senders, replies and names are whatever strangers wrote.
 */

#include "html.h"

#include "admin.h"
#include "config.h"

void
html_text(struct buf *b, struct str text)
{
	bool good = str_is_utf8(text);

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c == '&')
			buf_adds(b, "&amp;");
		else if (c == '<')
			buf_adds(b, "&lt;");
		else if (c == '>')
			buf_adds(b, "&gt;");
		else if (c == '"')
			buf_adds(b, "&quot;");
		else if (c == '\'')
			buf_adds(b, "&#39;");
		else if ((c < ' ' && c != '\n' && c != '\t') || c == 127 || (c > 127 && !good))
			buf_addc(b, '?');
		else
			buf_addc(b, (char)c);
	}
}

static void textf(struct buf *b, const char *fmt, va_list ap) PRINTF(2, 0);

static void
textf(struct buf *b, const char *fmt, va_list ap)
{
	struct buf text;

	buf_init(&text, 1 << 20);
	buf_vaddf(&text, fmt, ap);
	html_text(b, buf_str(&text));
	buf_free(&text);
}

void
html_textf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	textf(b, fmt, ap);
	va_end(ap);
}

void
html_row(struct buf *b, const char *name, const char *fmt, ...)
{
	va_list ap;

	buf_adds(b, "<tr><th scope=\"row\">");
	html_text(b, str_c(name));
	buf_adds(b, "</th><td class=\"t\">");
	va_start(ap, fmt);
	textf(b, fmt, ap);
	va_end(ap);
	buf_adds(b, "</td></tr>\n");
}

void
html_span(struct buf *b, int64_t seconds)
{
	long long s = (long long)seconds;

	if (s < 120)
		buf_addf(b, "%lld s", s);
	else if (s < 7200)
		buf_addf(b, "%lld min", s / 60);
	else if (s < 2 * 86400)
		buf_addf(b, "%lld h %lld min", s / 3600, s % 3600 / 60);
	else
		buf_addf(b, "%lld d %lld h", s / 86400, s % 86400 / 3600);
}

void
html_trouble(struct buf *b, const char *why)
{
	buf_adds(b, "<p class=\"bad\">");
	html_text(b, str_c(why));
	buf_adds(b, "</p>\n");
}

/* The links between pages, and who it is. */
static void
add_links(const struct visit *v, struct buf *b)
{
	static const struct {
		const char *path, *name;
	} links[] = { { "/", "Overview" }, { "/queue", "Queue" },
		{ "/destinations", "Destinations" }, { "/blocks", "Blocks" },
		{ "/logins", "Logins" } };

	buf_adds(b, "<nav>");
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		buf_addf(b, "<a href=\"%s\"%s>%s</a> ", links[i].path,
		    str_eq(v->request.path, str_c(links[i].path)) ? " aria-current=\"page\"" : "",
		    links[i].name);
	buf_adds(b, "<span>");
	html_text(b, str_c(v->user));
	buf_adds(b, "</span>");
	if (v->by_cookie) {
		buf_adds(b, "<form method=\"post\" action=\"/logout\">");
		login_add_token(v, b);
		buf_adds(b, "<button>Log out</button></form>");
	}
	buf_adds(b, "</nav>\n");
}

void
html_begin(const struct visit *v, struct buf *b, const char *title)
{
	buf_adds(b, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		    "<meta name=\"viewport\" content=\"width=device-width\"><title>");
	html_textf(b, "%s - %s", title, v->conf.hostname);
	buf_adds(b, "</title><link rel=\"stylesheet\" href=\"/style.css\"></head>\n<body><header>"
		    "<strong>");
	html_text(b, str_c(v->conf.hostname));
	buf_adds(b, "</strong> barid " BARID_VERSION "</header>\n");
	if (v->user[0] != '\0')
		add_links(v, b);
	buf_adds(b, "<main><h1>");
	html_text(b, str_c(title));
	buf_adds(b, "</h1>\n");
}

void
html_end(struct buf *b)
{
	buf_adds(b, "</main></body></html>\n");
}

const char *
html_style(void)
{
	return ":root{color-scheme:light dark}\n"
	       "body{font:16px/1.4 system-ui,sans-serif;margin:0 auto;max-width:70rem;"
	       "padding:0 .8rem 2rem}\n"
	       "header{padding:.8rem 0;border-bottom:2px solid #888}\n"
	       "nav{display:flex;flex-wrap:wrap;gap:.3rem 1rem;align-items:center;"
	       "padding:.5rem 0}\n"
	       "nav a[aria-current]{font-weight:bold;text-decoration:none}\n"
	       "nav span{margin-left:auto}\n"
	       "h1{font-size:1.4rem;margin:.5rem 0}h2{font-size:1.1rem;margin:1.2rem 0 .3rem}\n"
	       ".wide{overflow-x:auto}\n"
	       "table{border-collapse:collapse}\n"
	       "th,td{text-align:left;vertical-align:top;padding:.15rem .9rem .15rem 0}\n"
	       "td.n,th.n{text-align:right}\n"
	       "td.t{overflow-wrap:anywhere;min-width:9rem}\n"
	       "thead th{border-bottom:1px solid #888}\n"
	       "tr+tr td,tr+tr th{border-top:1px solid #8884}\n"
	       "form{margin:0}label{display:block;margin:.6rem 0}\n"
	       "input,button,select{font:inherit;padding:.2rem .5rem;max-width:100%}\n"
	       ".bad{color:#c22;font-weight:bold}\n"
	       "@media(max-width:40rem){.cards thead,.cards td.n{display:none}"
	       ".cards td{display:block;border:0}.cards tr{display:block;padding:.4rem 0;"
	       "border-top:1px solid #8888}}\n";
}
