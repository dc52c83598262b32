/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_params -- what MAIL and RCPT have in common: an address in angle
 * brackets, and parameters behind it.
 *
 * Every parameter is checked whole before anything is kept; one that is not
 * known, doubled or broken refuses the command (RFC 5321 4.1.1.11).
 */

#include "smtpd_params.h"

#include "lib/idn.h"
#include "mail/limits.h"
#include "mail/text.h"

#define NOTHING ((struct answer){ .code = 0 })

bool
xtext_printable(struct str s)
{
	struct buf b;
	bool good;

	buf_init(&b, s.n + 1);
	good = xtext_decode(s, &b) == 0 && buf_ok(&b) &&
	    !str_has_ctl(buf_str(&b)) && !str_has_8bit(buf_str(&b));
	buf_free(&b);
	return good;
}

/* ---- the address ------------------------------------------------------------ */

struct answer
params_path(struct session *s, const struct command *c,
    const struct path_form *form, struct arena *a, struct path *to,
    struct str *rest)
{
	struct str word = str_c(form->word);
	unsigned flags = form->flags | PATH_UTF8;
	const char *why;

	if (!str_istarts(c->arg, word))
		return (struct answer){ .code = 501, .enhanced = "5.5.4",
			.text = str_c(form->usage) };
	if (!str_is_utf8(c->arg))
		return ANSWER(501, "5.5.2", "This is not UTF-8");
	if (s->conf->addresses == ADDRESSES_LOOSE)
		flags |= PATH_LOOSE;
	*rest = str_trim(str_skip(c->arg, word.n));
	why = path_parse(*rest, flags, a, to, rest);
	if (why != NULL)
		return (struct answer){ .code = 501,
			.enhanced = form->enhanced, .text = str_c(why) };
	return NOTHING;
}

struct answer
params_utf8(struct session *s, bool smtputf8, const struct path_form *form,
    struct arena *a, struct path *p)
{
	const char *why = NULL;
	struct buf b;

	if (!str_has_8bit(p->local) && !str_has_8bit(p->domain))
		return NOTHING;
	if (!smtputf8)
		return ANSWER(553, "5.6.7", "This address needs SMTPUTF8");
	buf_init(&b, MAIL_PATH_MAX * 4);
	why = idn_add(&b, p->domain);
	if (why == NULL && (!buf_ok(&b) || !domain_valid(buf_str(&b))))
		why = "it is no domain";
	if (why == NULL) {
		p->domain = arena_str(a, buf_str(&b));
		/* It is longer now than what was parsed. */
		why = path_check(p);
	} else {
		why = arena_printf(&s->line_arena,
		    "the domain is not well formed: %s", why);
	}
	buf_free(&b);
	return why == NULL ? NOTHING :
	    (struct answer){ .code = 501, .enhanced = form->enhanced,
		    .text = str_c(why) };
}

/* ---- parameters ------------------------------------------------------------- */

/* One parameter; *SEEN has those that came before. */
static struct answer
take_one(struct session *s, const struct param *p,
    const struct path_form *form, void *of, unsigned *seen)
{
	for (size_t i = 0; i < form->rule_n; i++) {
		const struct param_rule *rule = &form->rules[i];

		if (!str_ieq(p->key, str_c(rule->name)))
			continue;
		if ((*seen & 1u << i) != 0)
			return ANSWER(501, "5.5.4", "A parameter is doubled");
		*seen |= 1u << i;
		if (!p->has_value && !rule->bare)
			return ANSWER(501, "5.5.4",
			    "A parameter lacks its value");
		if (p->has_value && rule->bare)
			return ANSWER(501, "5.5.4",
			    "A parameter has a value that takes none");
		return rule->take(s, of, p->value);
	}
	return ANSWER(555, "5.5.4", "A parameter is not supported");
}

struct answer
params_take(struct session *s, struct str rest, const struct path_form *form,
    void *of)
{
	unsigned seen = 0;
	struct param p;
	int r;

	while ((r = param_next(&rest, &p)) == 1) {
		struct answer a = s->esmtp ?
		    take_one(s, &p, form, of, &seen) :
		    ANSWER(555, "5.5.4", "Parameters need EHLO");

		if (a.code != 0)
			return a;
	}
	if (r < 0)
		return ANSWER(501, "5.5.4", "A parameter is not well formed");
	return NOTHING;
}
