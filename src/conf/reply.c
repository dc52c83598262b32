/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reply -- refusals as options say them.
 *
 * What is read here goes to clients as it is, so that it holds nothing that a
 * line of a reply may not hold (RFC 5321 4.2), and its enhanced code is of the
 * class of its code (RFC 3463 3).
 */

#include "conf/reply.h"

/* RFC 5321 4.5.3.1.5, without code and line end. */
#define REPLY_TEXT_MAX 480

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* RFC 3463 2: class "." subject "." detail, the class being CLASS. */
static bool
is_enhanced(struct str s, char class)
{
	size_t i, run = 0, dots = 0;

	for (i = 0; i < s.n; i++) {
		run = s.p[i] == '.' ? 0 : run + 1;
		dots += s.p[i] == '.';
		if ((s.p[i] != '.' && !is_digit(s.p[i])) || run > 3 ||
		    (s.p[i] == '.' && (i == 0 || s.p[i - 1] == '.')))
			return false;
	}
	return s.n > 0 && s.p[0] == class && dots == 2 && run > 0;
}

const char *
conf_reply_read(const char *text, struct arena *a, struct conf_reply *r)
{
	static const char expected[] =
	    "expected a reply such as \"550 5.7.1 text\", with a code from 400 to 599";
	struct str rest = str_c(text), word = str_word(&rest);
	struct str after = rest;
	uint64_t code;

	if (word.n != 3 || str_u64(word, 599, &code) < 0 || code < 400)
		return expected;
	r->code = (int)code;
	r->enhanced = code < 500 ? "4.7.1" : "5.7.1";
	word = str_word(&after);
	if (is_enhanced(word, code < 500 ? '4' : '5')) {
		r->enhanced = arena_cstr(a, word);
		rest = after;
	} else if (word.n > 2 && is_digit(word.p[0]) && word.p[1] == '.') {
		return expected;
	}
	rest = str_trim(rest);
	if (str_has_ctl(rest) || str_has_8bit(rest) || rest.n > REPLY_TEXT_MAX)
		return "expected a text of ASCII, at most 480 characters";
	r->text = arena_cstr(a, rest);
	return NULL;
}
