/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * command -- command lines and ESMTP parameters, cut into views.
 *
 * Nothing is copied and nothing is judged but the grammar of a parameter:
 * whether a verb exists, takes an argument or may stand here is decided by
 * the tables of the protocol engines.
 */

#include "mail/command.h"

#include "grammar.h"

struct command
command_parse(struct str line)
{
	struct command c = { .verb = line };

	/* RFC 5321 4.1.1: tolerate white space before the CRLF. */
	while (line.n > 0 && is_wsp(line.p[line.n - 1]))
		line.n--;
	str_cut(line, ' ', &c.verb, &c.arg);
	c.has_arg = c.arg.n > 0;
	return c;
}

static bool
is_value_char(char c)
{
	return is_8bit(c) || (c > ' ' && c < 0x7f && c != '=');
}

/*
 * RFC 5321 4.1.2: esmtp-param = esmtp-keyword ["=" esmtp-value].  An empty
 * value, a second "=", and control characters break it.  RFC 6531 3.4 has
 * UTF-8 in a value; where it may be there is the parameter's to know.
 */
int
param_next(struct str *rest, struct param *p)
{
	struct str s = *rest;
	size_t n = 0;

	while (s.n > 0 && s.p[0] == ' ')
		s = str_skip(s, 1);
	if (s.n == 0) {
		*rest = s;
		return 0;
	}
	*p = (struct param){ .value = STR("") };
	while (n < s.n && (is_alnum(s.p[n]) || (n > 0 && s.p[n] == '-')))
		n++;
	p->key = str_head(s, n);
	s = str_skip(s, n);
	if (s.n > 0 && s.p[0] == '=') {
		s = str_skip(s, 1);
		for (n = 0; n < s.n && is_value_char(s.p[n]);)
			n++;
		p->value = str_head(s, n);
		p->has_value = true;
		s = str_skip(s, n);
	}
	if (p->key.n == 0 || (p->has_value && p->value.n == 0) ||
	    (s.n > 0 && s.p[0] != ' '))
		return -1;
	*rest = s;
	return 1;
}
