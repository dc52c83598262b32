/* SPDX-License-Identifier: GPL-3.0-or-later */

/* urls -- BEYOND S8: whom the URLs of a message lead to, however they are written. */

#include "mail/urls.h"

#include "lib/buf.h"

#include "unit.h"

/* HOSTS, with a space between them, is what MESSAGE has. */
static void
look(struct str message, const char *hosts)
{
	struct urls u = { .n = 0 };
	struct arena a;
	struct buf b;

	arena_init(&a, 1 << 20);
	buf_init(&b, 65536);
	urls_find(&u, message, &a);
	for (size_t i = 0; i < u.n; i++) {
		buf_adds(&b, i > 0 ? " " : "");
		buf_add(&b, u.host[i]);
	}
	ck_assert_msg(str_eq(buf_str(&b), str_c(hosts)), STR_FMT ": \"%s\", not \"%s\"",
	    STR_ARG(message), buf_cstr(&b), hosts);
	buf_free(&b);
	arena_free(&a);
}

static void
look_typed(const char *type, const char *body, const char *hosts)
{
	struct buf b;

	buf_init(&b, 1 << 22);
	buf_addf(&b, "Subject: http://not.example/\r\nContent-Type: %s\r\n\r\n%s\r\n", type, body);
	look(buf_str(&b), hosts);
	buf_free(&b);
}

START_TEST(plain)
{
	static const struct { const char *text, *hosts; } rows[] = {
		{ "see http://Bad.Example/x", "bad.example" },
		{ "HTTPS://a.example:8443?x http://b.example#y http://a.example", "a.example b.example" },
		{ "<http://a.example>, (http://b.example) \"http://c.example\". http://d.example.", "a.example b.example c.example d.example" },
		{ "http://a.example, http://b.example; http://c.example...", "a.example b.example c.example" },
		{ "_http://a.example_ *www.b.example*", "a.example www.b.example" },
		{ "www.a.example WWW.b.example/x x.www.c.example a@www.d.example www.", "www.a.example www.b.example" },
		{ "http:\\\\a.example\\x http:/b.example http:c.example ftp://d.example", "a.example b.example" },
		{ "http://http://a.example", "a.example" },
		{ "http:/http:/http:/a.example/", "a.example" },
		{ "http://", "" }, { "http:", "" }, { "http", "" }, { "h", "" }, { "http://localhost http://a", "" },
		{ "http://a..example http://-.example http://a_b.example", "a_b.example" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		look_typed("text/plain", rows[i].text, rows[i].hosts);
}
END_TEST

/* What a browser makes of it. */
START_TEST(tricks)
{
	static const struct { const char *text, *hosts; } rows[] = {
		{ "http://user:pw@a.example:80/", "a.example" },
		{ "http://good.example@bad.example/", "good.example bad.example" },
		{ "http://good.example\"x@bad.example/", "good.example bad.example" },
		{ "http://a@b@c.example", "c.example" },
		{ "http://%62ad%2Eexample http://a.example%zz http://b.example%2f", "bad.example a.example b.example" },
		{ "http://b\303\244r.example http://b\303\244r\343\200\202example/x", "xn--br-via.example" },
		{ "http://a.example\342\200\235 http://b.example\377", "a.example b.example" },
		{ "http://192.0.2.1:80 http://[2001:DB8:0::1]:80/ http://[::1", "192.0.2.1 2001:db8::1 ::1" },
		{ "http://3221225985/ http://0xc0.0.0x201/ http://0300.0.513 http://192.0.2.1./", "192.0.2.1" },
		{ "http://0x/ http://1.2.3.256 http://1.2.3.4.5 http://4294967296 http://08.1", "0.0.0.0" },
		{ "http://1.16777216 http://1.2.65536 http://256.1 http://0xg http://[a.example] http://[]", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		look_typed("text/plain", rows[i].text, rows[i].hosts);
}
END_TEST

START_TEST(html)
{
	static const struct { const char *text, *hosts; } rows[] = {
		{ "<a href=\"http://a.example/?b&amp;c\">x</a><img src='https://b.example'><a href=http://c.example>", "a.example b.example c.example" },
		{ "<a href=\"http&#58;//a&#46;example/\"> http&colon;&sol;&sol;b&period;example", "a.example b.example" },
		{ "<a href=\"&#104ttp&#x3a;&#x2F;/&#x000061.example\">", "a.example" },
		{ "http://b&#xe4;r.example http://b&#228r.example http://&#x1d41a;.example", "xn--br-via.example a.example" },
		{ "&lt;http://a.example&gt; http://b.example&nbsp;x &quot;http://c.example&quot;", "a.example b.example c.example" },
		{ "http://a.example&unknown; http://b.example&#; http://c.example&#0; http://d.example&#x110000;", "a.example b.example c.example d.example" },
		{ "a&", "" }, { "a&#", "" }, { "&#x", "" },
		{ "<a href=\"http://good.example&#64;bad.example\">", "good.example bad.example" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		look_typed("text/html; charset=utf-8", rows[i].text, rows[i].hosts);
	/* Of a text they are what they are. */
	look_typed("text/plain", "http://a&#46;example", "");
}
END_TEST

#define MIXED "Content-Type: multipart/alternative; boundary=b\r\n\r\nhttp://no.example\r\n"

START_TEST(parts)
{
	look(STR("http://no.example\r\n"), "");
	look(STR("Subject: x\r\n\r\nhttp://a.example\r\n"), "a.example");
	look(STR(MIXED "--b\r\n\r\nhttp://a.example\r\n--b\r\nContent-Type: text/html\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\nPGEgaHJlZj0iaHR0cDovL2ImIzQ2O2V4YW1w\r\nbGUvIj4=\r\n--b--\r\n"),
	    "a.example b.example");
	look(STR(MIXED "--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nhttp=3A//a.exa=\r\nmple/\r\n--b--\r\n"),
	    "a.example");
	look(STR(MIXED "--b\r\nContent-Type: image/png\r\n\r\nhttp://a.example\r\n--b--\r\n"), "");
	look(STR(""), "");
}
END_TEST

/* As many as there may be, and no text of any length takes long. */
START_TEST(bounded)
{
	static const char *const lumps[] = { "http://", "http:/", "www.", "http://a@", "http://%41", "&#", "&", "http://a.", "@", "http://[" };
	struct urls u = { .n = 0 };
	struct arena a;
	struct buf b;

	arena_init(&a, 1 << 20);
	buf_init(&b, 1 << 23);
	buf_adds(&b, "Content-Type: text/html\r\n\r\n");
	for (unsigned i = 0; i < 100; i++)
		buf_addf(&b, "http://a%u.example ", i % 50);
	urls_find(&u, buf_str(&b), &a);
	ck_assert_uint_eq(u.n, URLS_MAX);
	ck_str(u.host[URLS_MAX - 1], STR("a31.example"));
	for (size_t i = 0; i < ARRAY_LEN(lumps); i++) {
		buf_reset(&b);
		buf_adds(&b, "Content-Type: text/html\r\n\r\n");
		while (b.n < 1 << 20)
			buf_adds(&b, lumps[i]);
		u.n = 0;
		urls_find(&u, buf_str(&b), &a);
		ck_assert_uint_lt(u.n, 2);
	}
	buf_free(&b);
	arena_free(&a);
}
END_TEST

UNIT_MAIN("mail/urls", plain, tricks, html, parts, bounded)
