/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * F-03, F-13.  Command lines, parameters and the codings that stand in them.  What was
 * decoded is what came once it is encoded again.
 *
 * Parsers: mail/command.c mail/text.c.
 */

#include "fuzz.h"

#include "mail/command.h"
#include "mail/dsn.h"
#include "mail/sasl.h"
#include "mail/text.h"

static void
codings(struct str text)
{
	struct buf b, again;
	unsigned notify = notify_parse(text);

	buf_init(&b, 3 * text.n + 64);
	buf_init(&again, 3 * text.n + 64);
	notify_add(&b, notify);
	check(notify == 0 || notify_parse(buf_str(&b)) == notify);
	buf_reset(&b);
	if (base64_decode(text, &b) == 0) {
		base64_add(&again, buf_str(&b));
		check(str_eq(buf_str(&again), text));
	}
	buf_reset(&b);
	buf_reset(&again);
	if (xtext_decode(text, &b) == 0) {
		check(xtext_valid(text) == !str_has_ctl(buf_str(&b)));
		xtext_add(&again, buf_str(&b));
		buf_reset(&b);
		check(xtext_decode(buf_str(&again), &b) == 0);
	} else {
		check(!xtext_valid(text));
	}
	buf_reset(&again);
	xtext_add(&again, text);
	buf_reset(&b);
	check(xtext_decode(buf_str(&again), &b) == 0);
	check(str_eq(buf_str(&b), text));
	buf_free(&b);
	buf_free(&again);
}

/* RFC 4616: what is taken is what was said, and neither part has a NUL. */
static void
login(struct str text)
{
	const struct sasl_setup setup = { .mechanism = SASL_PLAIN, .offered = SASL_PLAIN,
		.nonce = "nonce", .hostname = "mx.test", .scope = "" };
	struct sasl s;
	struct buf out, again;

	buf_init(&out, 4096);
	buf_init(&again, 2 * text.n + 16);
	sasl_begin(&s, &setup);
	if (sasl_take(&s, text, &out) == SASL_ASK) {
		buf_addc(&again, '\0');
		buf_add(&again, s.user);
		buf_addc(&again, '\0');
		buf_add(&again, s.proof);
		check(str_find(s.user, '\0') < 0 && str_find(s.proof, '\0') < 0);
		/* An authzid is left out, or is the user again. */
		check(str_ends(text, buf_str(&again)) &&
		    (text.n == again.n || text.n == again.n + s.user.n));
	}
	sasl_end(&s);
	buf_free(&out);
	buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str text = str_n((const char *)data, n), rest;
	struct command c;
	struct param p;

	if (n == 0)
		return 0;
	c = command_parse(text);
	check(c.verb.n + c.arg.n <= n && c.has_arg == (c.arg.n > 0));
	rest = c.arg;
	while (param_next(&rest, &p) == 1) {
		check(p.key.n > 0 && p.has_value == (p.value.n > 0));
		check(!str_has_ctl(p.value));
		check(str_find(p.value, ' ') == -1);
		codings(p.value);
	}
	codings(text);
	login(text);
	return 0;
}
