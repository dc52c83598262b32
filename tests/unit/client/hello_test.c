/* SPDX-License-Identifier: GPL-3.0-or-later */

/* hello_test -- greeting, EHLO, HELO, LHLO and STARTTLS. */

#include "dialogue.h"

static const struct dialogue dialogues[] = {
	{ "a plain server", .none = true,
	    .script = "X:time 300000\nS:220 hello\nC:EHLO me.test\nX:time 300000\n"
	    "S:250-peer\nS:250-PIPELINING\nS:250 X-UNKNOWN what = ever\n"
	    "X:time 0\nX:quit\nC:QUIT\nX:time 30000\nS:221 bye\nX:time 0\n",
	    .events = "ready\nclose ok quit 221 bye\n" },
	{ "a greeting of many lines", .none = true,
	    .script = "S:220-one\nS:220-\nS:220\nC:EHLO me.test\nS:250\nX:quit\n"
	    "C:QUIT\nX:eof\n",
	    .events = "ready\nclose ok quit 0 4.4.2 connection lost while saying QUIT\n" },
	{ "QUIT before the greeting waits for readiness", .none = true,
	    .script = "X:quit\nS:220 hello\nC:EHLO me.test\nS:250 peer\nC:QUIT\n"
	    "X:expire\n",
	    .events = "close ok quit 0 4.4.2 timed out while saying QUIT\n" },
	{ "421 to QUIT is as good", .none = true,
	    .script = "S:220 hello\nC:EHLO me.test\nS:250 peer\nX:quit\nC:QUIT\n"
	    "S:421 anyway\nX:quit\nX:eof\nX:expire\nX:secured\nS:220 more\n",
	    .events = "ready\nclose ok quit 421 anyway\n" },
	{ "refused for good at the greeting",
	    .script = "S:554 no mail here\nC:QUIT\n",
	    .events = "close perm greeting 554 no mail here\n" },
	{ "refused for now at the greeting",
	    .script = "S:450 4.3.2 later\nC:QUIT\n",
	    .events = "close temp greeting 450 4.3.2 later\n" },
	{ "421 at the greeting: nothing more is said",
	    .script = "S:421 busy\n",
	    .events = "close temp greeting 421 busy\n" },
	{ "354 at the greeting", .script = "S:354 go\n",
	    .events = "close temp greeting 0 4.5.0 protocol error: a greeting with code"
	    " 3xx\n" },
	{ "another protocol", .script = "S:HTTP/1.1 400 Bad Request\n",
	    .events = "close temp greeting 0 4.5.0 protocol error: not a reply:"
	    " HTTP/1.1 400 Bad Request\n" },
	{ "control characters as a greeting", .script = "S:\033[2J\001\n",
	    .events = "close temp greeting 0 4.5.0 protocol error: not a reply:  [2J \n" },
	{ "half a code", .script = "S:25\n",
	    .events = "close temp greeting 0 4.5.0 protocol error: not a reply: 25\n" },
	{ "codes that differ", .script = "S:220-a\nS:250 b\n",
	    .events = "close temp greeting 0 4.5.0 protocol error: not a reply: 250 b\n" },
	{ "the end within a reply", .script = "S:220-a\ns:220 b\nX:eof\n",
	    .events = "close temp greeting 0 4.4.2 connection lost while waiting for the"
	    " greeting\n" },
	{ "no greeting", .script = "X:expire\n",
	    .events = "close temp greeting 0 4.4.2 timed out while waiting for the"
	    " greeting\n" },
	{ "a reset", .script = "X:reset\n",
	    .events = "close temp greeting 0 4.4.2 connection lost while waiting for the"
	    " greeting: Connection reset by peer\n" },
	{ "a second reply to nothing", .none = true,
	    .script = "S:220 hello\nC:EHLO me.test\nS:250 peer\nX:time 0\nS:250 peer\n",
	    .events = "ready\nclose temp ehlo 0 4.5.0 protocol error: a reply to"
	    " nothing\n" },
	{ "421 in idleness", .none = true,
	    .script = "S:220 hello\nC:EHLO me.test\nS:250 peer\nX:time 0\n"
	    "S:421 4.4.2 idle\n",
	    .events = "ready\nclose temp ehlo 421 4.4.2 idle\n" },
	{ "the end in idleness", .none = true,
	    .script = "S:220 hello\nC:EHLO me.test\nS:250 peer\nX:eof\n",
	    .events = "ready\nclose temp ehlo 0 4.4.2 connection lost while idle\n" },
	{ "HELO for an old server", .none = true,
	    .script = "S:220 hello\nC:EHLO me.test\nS:502 what?\nC:HELO me.test\n"
	    "S:250-peer\nS:250 PIPELINING\nX:quit\nC:QUIT\nS:221\n",
	    .events = "ready\nclose ok quit 221\n" },
	{ "HELO refused too",
	    .script = "S:220 hello\nC:EHLO me.test\nS:500 what?\nC:HELO me.test\n"
	    "S:550 5.7.1 go away\nC:QUIT\n",
	    .events = "close perm ehlo 550 5.7.1 go away\n" },
	{ "EHLO refused for now",
	    .script = "S:220 hello\nC:EHLO me.test\nS:451 later\nC:QUIT\n",
	    .events = "close temp ehlo 451 later\n" },
	{ "354 to EHLO",
	    .script = "S:220 hello\nC:EHLO me.test\nS:354 go\n",
	    .events = "close temp ehlo 0 4.5.0 protocol error: code 3xx to EHLO\n" },
	{ "lost at EHLO", .script = "S:220 hello\nC:EHLO me.test\nX:eof\n",
	    .events = "close temp ehlo 0 4.4.2 connection lost while saying EHLO\n" },
	{ "HELO at once", .none = true, .o = { .helo = true },
	    .script = "S:220 hello\nC:HELO me.test\nS:250-peer\nS:250 PIPELINING\n",
	    .events = "ready\n" },
	{ "HELO at once is nothing for LMTP", .none = true, .o = { .helo = true, .lmtp = true },
	    .script = "S:220 hello\nC:LHLO me.test\nS:250 peer\n", .events = "ready\n" },
	{ "LMTP says LHLO, and has no HELO", .o = { .lmtp = true },
	    .script = "S:220 hello\nC:LHLO me.test\nS:500 what?\nC:QUIT\n",
	    .events = "close perm ehlo 500 what?\n" },
	{ "LMTP", .none = true, .o = { .lmtp = true },
	    .script = "S:220 hello\nC:LHLO me.test\nS:250 peer\n", .events = "ready\n" },
};

#define HI "S:220 hello\nC:EHLO me.test\nS:250-peer\nS:250 STARTTLS\n"
#define REQUIRED .o = { .tls = CLIENT_TLS_REQUIRED }
#define MAY .o = { .tls = CLIENT_TLS_MAY }

static const struct dialogue tls_dialogues[] = {
	{ "not wanted", .none = true, .script = HI, .events = "ready\n" },
	{ "TLS already", .none = true,
	    .o = { .tls = CLIENT_TLS_REQUIRED, .tls_already = true },
	    .script = HI, .events = "ready\n" },
	{ "STARTTLS, and EHLO again", .none = true, REQUIRED,
	    .script = HI "C:STARTTLS\nX:time 300000\nS:220 go\nX:time 300000\nX:secured\n"
	       "C:EHLO me.test\nS:250-peer\nS:250 STARTTLS\nX:quit\nC:QUIT\n",
	    .events = "starttls\nready\n" },
	{ "required, not offered", REQUIRED,
	    .script = "S:220 hello\nC:EHLO me.test\nS:250 peer\nC:QUIT\n",
	    .events = "close temp starttls 0 4.7.4 TLS is required, but the server does"
	    " not offer it\n" },
	{ "required, and only HELO", REQUIRED,
	    .script = "S:220 hello\nC:EHLO me.test\nS:500 what\nC:HELO me.test\n"
	    "S:250 peer\nC:QUIT\n",
	    .events = "close temp starttls 0 4.7.4 TLS is required, but the server does"
	    " not offer it\n" },
	{ "required, refused", REQUIRED,
	    .script = HI "C:STARTTLS\nS:502 5.5.1 no\nC:QUIT\n",
	    .events = "close temp starttls 0 4.7.4 TLS is required, but STARTTLS was"
	    " refused: 502 no\n" },
	{ "required, refused for now", REQUIRED,
	    .script = HI "C:STARTTLS\nS:454 4.7.0 not now\nC:QUIT\n",
	    .events = "close temp starttls 0 4.7.0 TLS is required, but STARTTLS was"
	    " refused: 454 not now\n" },
	{ "may, the handshake takes too long", MAY,
	    .script = HI "C:STARTTLS\nS:220 go\nX:slow\n",
	    .events = "starttls\nclose temp starttls 0 4.4.2 TLS handshake timed out\n" },
	{ "may, not offered", .none = true, MAY,
	    .script = "S:220 hello\nC:EHLO me.test\nS:250 peer\n", .events = "ready\n" },
	{ "may, offered, told to ignore it", .none = true,
	    .o = { .tls = CLIENT_TLS_MAY, .ignore = EXT_STARTTLS },
	    .script = HI, .events = "ready\n" },
	{ "may, refused", .none = true, MAY,
	    .script = HI "C:STARTTLS\nS:454 4.7.0 not now\n", .events = "ready\n" },
	{ "may, the handshake fails", MAY,
	    .script = HI "C:STARTTLS\nS:220 go\nX:insecure\n",
	    .events = "starttls\nclose temp starttls 0 4.7.5 TLS handshake failed: bad"
	    "  certificate\n" },
	{ "lost in the handshake", MAY,
	    .script = HI "C:STARTTLS\nS:220 go\nX:eof\n",
	    .events = "starttls\nclose temp starttls 0 4.4.2 connection lost while"
	    " starting TLS\n" },
	{ "lost at STARTTLS", MAY, .script = HI "C:STARTTLS\nX:eof\n",
	    .events = "close temp starttls 0 4.4.2 connection lost while starting TLS\n" },
	{ "421 to STARTTLS", MAY, .script = HI "C:STARTTLS\nS:421 no\n",
	    .events = "close temp starttls 421 no\n" },
};

START_TEST(hello)
{
	dialogues_run(dialogues, ARRAY_LEN(dialogues));
}
END_TEST

START_TEST(starttls)
{
	dialogues_run(tls_dialogues, ARRAY_LEN(tls_dialogues));
}
END_TEST

/*
 * CVE-2021-38371: what comes behind STARTTLS's reply in clear must never be
 * taken for what was said under TLS.  In one piece the handshake is not even
 * begun; in two, the handshake is broken off.
 */
START_TEST(injection)
{
	static const char *const injected[] = { "250-x\r\n250 AUTH PLAIN\r\n",
		"2", "\n", "\r\n", "\026\003\001" };

	for (size_t i = 0; i < ARRAY_LEN(injected); i++)
		for (int apart = 0; apart < 2; apart++) {
			struct dialogue d = { .o = { .ehlo_name = "me",
				.tls = CLIENT_TLS_MAY } };
			struct run t = { .d = &d, .cut = SIZE_MAX,
				.step = SIZE_MAX };
			struct buf b;

			buf_init(&t.sent, 1000);
			buf_init(&t.log, 1000);
			buf_init(&b, 1000);
			t.c = client_new(&d.o, &dlg_events, &t);
			dlg_feed(&t, STR("220 hi\r\n"));
			dlg_feed(&t, STR("250-x\r\n250 STARTTLS\r\n"));
			buf_adds(&b, "220 go\r\n");
			if (!apart)
				buf_adds(&b, injected[i]);
			dlg_feed(&t, buf_str(&b));
			if (apart)
				dlg_feed(&t, str_c(injected[i]));
			client_secured(t.c, true, NULL);
			dlg_drain(&t);
			ck_str(buf_str(&t.sent),
			    STR("EHLO me\r\nSTARTTLS\r\n"));
			ck_assert_str_eq(buf_cstr(&t.log) + (apart ? 9 : 0),
			    "close temp starttls 0 4.7.0 the server sent"
			    " plain text after STARTTLS\n");
			client_free(t.c);
			buf_free(&t.sent);
			buf_free(&t.log);
			buf_free(&b);
		}
}
END_TEST

static unsigned
offered(const char *lines, unsigned ignore)
{
	struct dialogue d = { .o = { .ehlo_name = "me", .ignore = ignore } };
	struct run t = { .d = &d, .cut = SIZE_MAX, .step = SIZE_MAX };
	unsigned ext;

	buf_init(&t.sent, 1000);
	buf_init(&t.log, 1000);
	t.c = client_new(&d.o, &dlg_events, &t);
	dlg_feed(&t, STR("220 hi\r\n"));
	dlg_feed(&t, str_c(lines));
	ext = client_extensions(t.c);
	client_free(t.c);
	buf_free(&t.sent);
	buf_free(&t.log);
	return ext;
}

START_TEST(keywords)
{
	static const struct {
		const char *lines;
		unsigned want;
	} cases[] = {
		{ "250 PIPELINING\r\n", 0 },
		{ "250-x\r\n250-pipelining\r\n250-Size\r\n250 8bitMIME\r\n",
		    EXT_PIPELINING | EXT_SIZE | EXT_8BITMIME },
		{ "250-x\n250-DSN\n250-STARTTLS\n250-CHUNKING\n250-SMTPUTF8\n"
		  "250 ENHANCEDSTATUSCODES\n",
		    EXT_DSN | EXT_STARTTLS | EXT_CHUNKING | EXT_SMTPUTF8 |
			EXT_ENHANCED },
		{ "250-x\r\n250-AUTH=LOGIN PLAIN\r\n250 XDSN\r\n", EXT_AUTH },
		{ "250-x\r\n250-SIZE=9\r\n250-DSNX\r\n250 \r\n", 0 },
		{ "250-x\r\n250 SIZE 99999999999999999999999\r\n", EXT_SIZE },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ck_assert_uint_eq(offered(cases[i].lines, 0), cases[i].want);
		ck_assert_uint_eq(offered(cases[i].lines, EXT_SIZE | EXT_DSN),
		    cases[i].want & ~(unsigned)(EXT_SIZE | EXT_DSN));
	}
}
END_TEST

START_TEST(names)
{
	ck_assert_uint_eq(client_extension(STR("chunking")), EXT_CHUNKING);
	ck_assert_uint_eq(client_extension(STR("SIZE")), EXT_SIZE);
	ck_assert_uint_eq(client_extension(STR("SIZ")), 0);
	ck_assert_uint_eq(client_extension(STR("")), 0);
}
END_TEST

UNIT_MAIN("client/hello", hello, starttls, injection, keywords, names)
