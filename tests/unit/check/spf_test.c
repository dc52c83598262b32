/* SPDX-License-Identifier: GPL-3.0-or-later */

/* spf -- the openspf test suite for RFC 7208, and what is not in it: limits, and hostile records. */

#include "check/spf.h"

#include <stdio.h>

#include "spf_zone.h"

/* ---- the suite ------------------------------------------------------------------- */

/* Takes a word, or a string with \xNN in quotes, which may be empty, from *S.  False: none. */
static bool
take(struct str *s, struct arena *a, struct str *word)
{
	struct buf b;

	*s = str_trim(*s);
	if (s->n == 0 || s->p[0] != '"') {
		*word = str_word(s);
		return word->n > 0;
	}
	buf_init(&b, 1 << 16);
	for (*s = str_skip(*s, 1); s->n > 0 && s->p[0] != '"'; *s = str_skip(*s, 1)) {
		if (s->p[0] != '\\') {
			buf_addc(&b, s->p[0]);
		} else if (s->p[1] == 'x') {
			char hex[] = { s->p[2], s->p[3], '\0' };

			buf_addc(&b, (char)strtoul(hex, NULL, 16));
			*s = str_skip(*s, 3);
		} else {
			*s = str_skip(*s, 1);
			buf_addc(&b, s->p[0]);
		}
	}
	*s = str_skip(*s, 1);
	*word = arena_str(a, buf_str(&b));
	buf_free(&b);
	return true;
}

static bool
is_among(struct str list, const char *name)
{
	struct str one;

	while (list.n > 0) {
		str_cut(list, ',', &one, &list);
		if (str_eq(one, str_c(name)))
			return true;
	}
	return false;
}

static void
run_case(struct zone *z, struct str line)
{
	struct str id, helo, address, sender, results, explanation;
	struct spf_facts *f = spf_facts_new();
	struct spf_client c;
	struct spf_verdict v;

	ck_assert(take(&line, &z->arena, &id) && take(&line, &z->arena, &helo) &&
	    take(&line, &z->arena, &address) && take(&line, &z->arena, &sender) &&
	    take(&line, &z->arena, &results));
	c = zone_client(helo, address, sender);
	c.explanation = STR("DEFAULT");
	v = zone_check(z, &c, f);
	ck_assert_msg(is_among(results, spf_name(v.code)), STR_FMT ": %s (" STR_FMT "), expected " STR_FMT,
	    STR_ARG(id), spf_name(v.code), STR_ARG(v.problem), STR_ARG(results));
	if (take(&line, &z->arena, &explanation))
		ck_assert_msg(str_eq(v.explanation, explanation),
		    STR_FMT ": \"" STR_FMT "\", expected \"" STR_FMT "\"", STR_ARG(id),
		    STR_ARG(v.explanation), STR_ARG(explanation));
	spf_facts_free(f);
}

static void
add_record(struct zone *z, struct str line)
{
	struct str name, type, piece;
	struct buf b;

	ck_assert(take(&line, &z->arena, &name) && take(&line, &z->arena, &type));
	buf_init(&b, 1 << 16);
	while (take(&line, &z->arena, &piece))
		buf_add(&b, piece);
	zone_add_str(z, name, type, buf_str(&b));
	buf_free(&b);
}

/* CONFORMANCE RFC 7208: each of the 203 cases, with its explanation. */
START_TEST(suite)
{
	struct zone *z = zone_new();
	char path[4096], line[4096];
	struct str s, word;
	unsigned cases = 0;
	FILE *f;

	source_path(path, sizeof(path), "tests/unit/check/spf_suite.txt");
	f = fopen(path, "r");
	ck_assert_msg(f != NULL, "cannot open %s", path);
	while (fgets(line, sizeof(line), f) != NULL) {
		s = str_trim(str_c(line));
		if (s.n == 0 || s.p[0] == '#')
			continue;
		word = str_word(&s);
		if (str_eq(word, STR("scenario")))
			z->n = 0;
		else if (str_eq(word, STR("zone")))
			add_record(z, s);
		else if (++cases)
			run_case(z, s);
	}
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_uint_eq(cases, 203);
	zone_free(z);
}
END_TEST

/* ---- beyond the suite ---------------------------------------------------------------- */

static struct zone *zone;

static void
begin(void)
{
	zone = zone_new();
}

static void
end(void)
{
	zone_free(zone);
}

/* Of mail from b@DOMAIN by 192.0.2.9. */
static void
expect(const char *domain, enum spf_code code, const char *problem)
{
	struct spf_facts *f = spf_facts_new();
	struct spf_client c = zone_client(STR("h.test"), STR("192.0.2.9"), STR(""));
	struct spf_verdict v;

	c.local = STR("b");
	c.domain = str_c(domain);
	v = zone_check(zone, &c, f);
	ck_assert_msg(v.code == code, "%s: %s, expected %s", domain, spf_name(v.code), spf_name(code));
	ck_str(v.problem, str_c(problem));
	spf_facts_free(f);
}

/* What is said of a result. */
START_TEST(words)
{
	struct spf_facts *f = spf_facts_new();
	struct spf_client c = zone_client(STR("h.test"), STR("192.0.2.9"), STR("b@a.test"));
	struct spf_verdict v;

	begin();
	zone_add(zone, "a.test", "TXT", "v=spf1 ip4:198.51.100.0/24 include:c.test -mx:d.test exp=e.test");
	zone_add(zone, "c.test", "TXT", "v=spf1 ?a:d.test ~all");
	zone_add(zone, "d.test", "A", "192.0.2.9");
	zone_add(zone, "d.test", "MX", "d.test");
	zone_add(zone, "e.test", "TXT", "%{s} is not from %{i}, says %{r}");
	v = zone_check(zone, &c, f);
	ck_assert_int_eq(v.code, SPF_FAIL);
	ck_str(v.domain, STR("a.test"));
	ck_str(v.mechanism, STR("mx:d.test"));
	ck_str(v.explanation, STR("b@a.test is not from 192.0.2.9, says mx.barid.test"));
	ck_str(v.problem, STR(""));
	/* A thing that has no place in a reply. */
	spf_facts_free(f);
	f = spf_facts_new();
	c.local = STR("\303\244\r\n250 x");
	v = zone_check(zone, &c, f);
	ck_str(v.explanation, STR("????250 x@a.test is not from 192.0.2.9, says mx.barid.test"));
	spf_facts_free(f);
	f = spf_facts_new();
	zone->v[0].value = STR("v=spf1 ip4:198.51.100.0/24");
	v = zone_check(zone, &c, f);
	ck_assert_int_eq(v.code, SPF_NEUTRAL);
	ck_str(v.mechanism, STR("default"));
	spf_facts_free(f);
	end();
}
END_TEST

START_TEST(problems)
{
	begin();
	zone_add(zone, "two.test", "TXT", "v=spf1 -all");
	zone_add(zone, "two.test", "TXT", "v=spf1 +all");
	expect("two.test", SPF_PERMERROR, "two.test has more than one record");
	zone_add(zone, "bad.test", "TXT", "v=spf1 include:worse.test -all");
	zone_add(zone, "worse.test", "TXT", "v=spf1 al");
	expect("bad.test", SPF_PERMERROR, "worse.test: \"al\" is no mechanism");
	zone_add(zone, "gone.test", "TXT", "v=spf1 redirect=nobody.test");
	expect("gone.test", SPF_PERMERROR, "redirect=nobody.test has no record");
	zone_add(zone, "late.test", "TXT", "v=spf1 mx");
	zone_add(zone, "late.test", "MX", "slow.test");
	zone_add(zone, "slow.test", "TIMEOUT", "");
	expect("late.test", SPF_TEMPERROR, "DNS does not answer for slow.test");
	expect("slow.test", SPF_TEMPERROR, "DNS does not answer for slow.test");
	/* What is no domain is nobody's. */
	expect("localhost", SPF_NONE, "");
	expect("192.0.2.9", SPF_NONE, "");
	expect("a b.test", SPF_NONE, "");
	expect(".test", SPF_NONE, "");
	expect("", SPF_NONE, "");
	end();
}
END_TEST

/* CONFORMANCE S-57: circles, and names that are asked for without end. */
START_TEST(hostile)
{
	char name[100], text[200];

	begin();
	/* Each includes the next, and each of these two more. */
	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "i%d.test", i);
		snprintf(text, sizeof(text), "v=spf1 include:i%d.test include:i%d.test -all", i + 1, i + 2);
		zone_add(zone, name, "TXT", text);
	}
	expect("i0.test", SPF_PERMERROR, "more than 10 terms that ask DNS");
	ck_assert_uint_le(zone->asked, 12);
	zone_add(zone, "self.test", "TXT", "v=spf1 include:self.test");
	expect("self.test", SPF_PERMERROR, "more than 10 terms that ask DNS");
	ck_assert_uint_eq(zone->asked, 1);
	/* Ten hosts of ten terms, none of which is there. */
	zone_add(zone, "wide.test", "TXT", "v=spf1 mx:%{l}.w0.test mx:w1.test mx:w1.test -all");
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "h%d.test", i);
		zone_add(zone, "w1.test", "MX", name);
		zone_add(zone, "b.w0.test", "MX", name);
	}
	expect("wide.test", SPF_FAIL, "");
	ck_assert_uint_eq(zone->asked, 13);
	/* All hosts at once. */
	ck_assert_uint_eq(zone->rounds, 4);
	zone_add(zone, "w1.test", "MX", "h10.test");
	expect("wide.test", SPF_PERMERROR, "mx: w1.test has more than 10 hosts");
	/* An explanation of an explanation, and one that is too much. */
	zone_add(zone, "exp.test", "TXT", "v=spf1 -all exp=%{l}.exp.test");
	zone_add(zone, "b.exp.test", "TXT", "v=spf1 -all exp=b.exp.test %{d}%{D}%{l99999999999r-}");
	expect("exp.test", SPF_FAIL, "");
	ck_assert_uint_eq(zone->asked, 2);
	end();
}
END_TEST

/* CONFORMANCE S-57: macros without end, and all octets that there are. */
START_TEST(lengths)
{
	static const char *const pieces[] = { "%{d}", "%{S999r-+}", "%{ir999-.+}", "x", ".", "%%", "%{p}" };
	struct spf_client c = zone_client(STR("h.test"), STR("2001:db8::1"), STR("b@a.test"));
	struct buf b;

	begin();
	buf_init(&b, 1 << 17);
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
		for (size_t n = 240; n < 4200; n += n < 520 ? 1 : 97) {
			struct spf_facts *f = spf_facts_new();
			struct spf_verdict v;

			buf_reset(&b);
			buf_adds(&b, "v=spf1 exists:");
			while (b.n < n)
				buf_adds(&b, pieces[i]);
			buf_adds(&b, ".a.test -all exp=exp.test");
			zone->n = 0;
			zone_add_str(zone, STR("a.test"), STR("TXT"), buf_str(&b));
			zone_add_str(zone, STR("exp.test"), STR("TXT"), str_skip(buf_str(&b), 14));
			v = zone_check(zone, &c, f);
			ck_assert(v.code == SPF_FAIL || v.code == SPF_PERMERROR);
			ck_assert_uint_le(v.explanation.n, SPF_TEXT_MAX);
			ck_assert_uint_le(v.problem.n, SPF_TEXT_MAX);
			spf_facts_free(f);
		}
	buf_reset(&b);
	for (int i = 0; i < 65536; i++)
		buf_addc(&b, (char)i);
	memcpy(b.p, "v=spf1 ", 7);
	zone_add_str(zone, STR("octets.test"), STR("TXT"), buf_str(&b));
	expect("octets.test", SPF_PERMERROR, "octets.test: the record is too long");
	buf_free(&b);
	end();
}
END_TEST

UNIT_MAIN("check/spf", suite, words, problems, hostile, lengths)
