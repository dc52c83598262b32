/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pop3d_lang -- LANG and UTF8 (RFC 6856): in which language we answer, and
 * whether the client takes headers in UTF-8.
 *
 * We speak English; a client that asks for another language is told so, and
 * goes on in this one.  A client that never says UTF8 gets headers in ASCII
 * (mail/surrogate.c).
 */

#include "pop3d.h"

static const struct {
	const char *tag, *name;
} languages[] = {
	{ "en", "English" },
	/* RFC 2277 4.5: what everybody may be expected to understand. */
	{ "i-default", "Default language" },
};

static void
languages_body(struct pop3_session *s)
{
	for (size_t i = 0; i < ARRAY_LEN(languages); i++) {
		pop3_put(s, str_c(languages[i].tag));
		pop3_put(s, STR(" "));
		pop3_put(s, str_c(languages[i].name));
		pop3_put(s, STR("\r\n"));
	}
	pop3_put(s, STR(".\r\n"));
}

/* RFC 4647 3.4: "en-GB" is "en" where there is nothing nearer. */
static const char *
lookup(struct str range)
{
	if (str_eq(range, STR("*")))
		return languages[0].tag;
	for (;;) {
		ptrdiff_t dash = str_rfind(range, '-');

		for (size_t i = 0; i < ARRAY_LEN(languages); i++)
			if (str_ieq(range, str_c(languages[i].tag)))
				return languages[i].tag;
		if (dash < 0)
			return NULL;
		range = str_head(range, (size_t)dash);
	}
}

struct pop3_response
pop3_lang(struct pop3_session *s, const struct command *c)
{
	struct pop3_response r;
	const char *tag;

	if (c->arg.n == 0) {
		r = pop3_ok(s, "languages");
		r.body = languages_body;
		return r;
	}
	tag = lookup(c->arg);
	if (!tag)
		return pop3_err(s, "this language is not spoken here");
	/* RFC 6856 3.2: the tag is the first word of the answer. */
	return pop3_ok(s, "%s this is what follows", tag);
}

struct pop3_response
pop3_utf8(struct pop3_session *s, const struct command *c UNUSED)
{
	s->utf8 = true;
	return pop3_ok(s, "UTF-8 it is");
}
