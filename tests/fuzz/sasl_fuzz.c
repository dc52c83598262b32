/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * sasl_fuzz -- CONFORMANCE F-13: the messages of every SASL mechanism.
 *
 * The first octet chooses the mechanism, lines are its messages.  Whatever
 * comes, nobody is let in who was not asked about, and what is asked holds no
 * NUL; keys are read by the same octets.
 *
 * Parsers: mail/sasl.c mail/scram_server.c mail/scram_key.c.
 */

#include "fuzz.h"

#include "mail/sasl.h"
#include "mail/scram_key.h"

static bool
has_nul(struct str s)
{
	return str_find(s, '\0') >= 0;
}

static void
exchange(unsigned mechanism, struct str text)
{
	const struct sasl_setup o = { .mechanism = mechanism,
		.offered = SASL_SCRAM, .nonce = "NONCE", .hostname = "h",
		.scope = "", .certified = "alice",
		.certificate = "0123 4567", .bindings = { STR("export"), STR(""), STR("c") } };
	enum sasl_then then = SASL_SAY;
	bool yes = false;
	struct str line;
	struct buf out;
	struct sasl s;

	buf_init(&out, 65536);
	sasl_begin(&s, &o);
	sasl_open(&s, &out);
	while (then == SASL_SAY && s.turn < 8) {
		(void)str_cut(text, '\n', &line, &text);
		buf_reset(&out);
		then = sasl_take(&s, line, &out);
		if (then != SASL_ASK)
			continue;
		check(!has_nul(s.user) && !has_nul(s.proof) && !has_nul(s.challenge));
		check(s.user.n <= 255 && !str_has_ctl(s.user));
		buf_reset(&out);
		/* Who has no proof yet gets parameters, if it is SCRAM. */
		bool more = s.proof.n == 0;
		then = sasl_judged(&s, more ? SASL_MORE : SASL_YES,
		    more ? STR("s=AA==,i=1") : STR("AAAA"), &out);
		yes = yes || !more;
	}
	check(then != SASL_DONE || yes);
	check(buf_ok(&out));
	sasl_end(&s);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_n((const char *)data, size);
	struct scram_key k, again;
	struct buf b;
	uint32_t count;

	if (size == 0)
		return 0;
	exchange(1U << (data[0] % 11), str_skip(text, 1));
	buf_init(&b, 1024);
	if (scram_key_parse(text, &k)) {
		check(!scram_key_proves(&k, STR("r=a"), text, &b));
		buf_reset(&b);
		scram_key_add(&b, &k);
		check(scram_key_parse(buf_str(&b), &again));
		check(scram_key_same(&k, &again) && k.count == again.count);
	}
	if (scram_params_get(text, &b, &count) == 0)
		check(b.n > 0 && count > 0);
	buf_reset(&b);
	scram_params_add(&b, str_head(text, 16), 1);
	check(buf_ok(&b));
	if (scram_key_make(&k, text, str_head(text, 16), 1) == 0) {
		/* What is no proof at all proves nothing. */
		check(!scram_key_proves(&k, text, text, &b));
		check(!scram_key_proves(&k, text,
		    STR("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), &b));
	}
	buf_free(&b);
	return 0;
}
