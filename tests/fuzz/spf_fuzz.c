/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * F-12, S-57: SPF: whatever a domain publishes and a client says, an evaluation
 * ends after a bounded number of questions, and what comes out is clean.
 *
 * The first two lines are HELO and the sender; each further one answers a
 * question: "-" nothing, "!" not now, "C" the client's address, else text, of
 * which "|" makes several.
 *
 * Parsers: check/spf.c check/spf_field.c check/spf_macro.c check/spf_record.c.
 */

#include "fuzz.h"

#include "check/spf.h"

/* 4.6.4: ten terms of eleven names each, as many for the name of the client, three records more. */
#define QUESTIONS_MAX 140

static void
check_text(struct str s)
{
	check(s.n <= SPF_TEXT_MAX && !str_has_ctl(s) && !str_has_8bit(s));
}

static void
answer(struct spf_facts *f, const struct spf_question *q, const struct spf_client *c, struct str line)
{
	struct addr other = addr_from(AF_INET, "\300\0\2\1", 0);
	struct str v[12], rest = line;
	size_t n = 0;
	enum dns_status status = str_eq(line, STR("!")) ? DNS_TEMPORARY :
	    str_eq(line, STR("-")) ? DNS_NO_NAME : DNS_OK;
	bool addresses = q->type == SPF_A || q->type == SPF_AAAA;

	while (status == DNS_OK && rest.n > 0 && n < ARRAY_LEN(v))
		str_cut(rest, '|', &v[n++], &rest);
	if (addresses)
		spf_facts_addr(f, q, status, str_eq(line, STR("C")) ? &c->address : &other, n > 0);
	else
		spf_facts_text(f, q, status, v, n);
}

static void
check_field(const struct spf_client *c, const struct spf_verdict *v)
{
	struct buf b;

	buf_init(&b, 8192);
	spf_add_field(&b, c, c->local, false, v);
	check(buf_ok(&b) && str_ends(buf_str(&b), STR("\r\n")));
	for (size_t i = 0; i + 1 < b.n; i++)
		check(b.p[i] != '\n' || b.p[i + 1] == '\t');
	buf_free(&b);
}

static void
evaluate(struct str helo, struct str sender, struct str answers, const char *address)
{
	struct spf_facts *f = spf_facts_new();
	struct spf_client c = { .helo = str_head(helo, 255), .receiver = STR("mx.test"),
		.explanation = STR("%{s} %{p}"), .now = 1700000000 };
	const struct spf_question *q;
	struct spf_verdict v;
	struct str line;
	size_t asked = 0;

	(void)str_cut(str_head(sender, 320), '@', &c.local, &c.domain);
	check(addr_parse(str_c(address), 0, &c.address) == 0);
	while (!spf_check(&c, f, &v))
		while ((q = spf_facts_lacking(f)) != NULL) {
			(void)str_cut(answers, '\n', &line, &answers);
			answer(f, q, &c, line);
			check(++asked < QUESTIONS_MAX);
		}
	check(v.code < SPF_CODES);
	check_text(v.domain);
	check_text(v.mechanism);
	check_text(v.problem);
	check_text(v.explanation);
	check((v.code == SPF_PERMERROR || v.code == SPF_TEMPERROR) == (v.problem.n > 0));
	check_field(&c, &v);
	spf_facts_free(f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str rest = str_n((const char *)data, n), helo, sender;

	(void)str_cut(rest, '\n', &helo, &rest);
	(void)str_cut(rest, '\n', &sender, &rest);
	evaluate(helo, sender, rest, "192.0.2.9");
	evaluate(helo, sender, rest, "2001:db8::9");
	return 0;
}
