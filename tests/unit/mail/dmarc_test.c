/* SPDX-License-Identifier: GPL-3.0-or-later */

/* DMARC records, and the names of the tree walk. */

#include "mail/dmarc.h"

#include "unit.h"

START_TEST(records)
{
	static const struct {
		const char *text;
		int own, below;		/* -1: it is no record */
		char psd;
	} cases[] = {
		{ "v=DMARC1; p=reject", DMARC_REJECT, DMARC_REJECT, 'u' },
		{ "v=DMARC1;p=none;sp=quarantine;psd=n", DMARC_NONE, DMARC_QUARANTINE, 'n' },
		{ "v = DMARC1 ; P = Reject ; sp=none; psd=Y;", DMARC_REJECT, DMARC_NONE, 'y' },
		{ "v=DMARC1; p=reject; t=y", DMARC_QUARANTINE, DMARC_QUARANTINE, 'u' },
		{ "v=DMARC1; p=reject; pct=0", DMARC_QUARANTINE, DMARC_QUARANTINE, 'u' },
		{ "v=DMARC1; p=reject; t=n; pct=0", DMARC_REJECT, DMARC_REJECT, 'u' },
		{ "v=DMARC1; p=reject; pct=50", DMARC_REJECT, DMARC_REJECT, 'u' },
		{ "v=DMARC1; p=reject; sp=what", DMARC_NONE, DMARC_NONE, 'u' },
		{ "v=DMARC1; sp=reject", DMARC_NONE, DMARC_NONE, 'u' },
		{ "v=DMARC1; p=none; t=y", DMARC_NONE, DMARC_NONE, 'u' },
		{ "v=DMARC1; p=quarantine; sp=reject; t=y", DMARC_NONE, DMARC_QUARANTINE, 'u' },
		{ "v=DMARC1", DMARC_NONE, DMARC_NONE, 'u' },
		{ "v=DMARC1; p=what; x; =; pct=0", DMARC_NONE, DMARC_NONE, 'u' },
		{ "v=dmarc1; p=reject", -1, 0, 0 }, { "p=reject; v=DMARC1", -1, 0, 0 },
		{ "v=DMARC10; p=reject", -1, 0, 0 }, { "v=spf1 -all", -1, 0, 0 },
		{ ";v=DMARC1", -1, 0, 0 }, { "", -1, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dmarc d;
		bool is = dmarc_parse(str_c(cases[i].text), &d);

		ck_assert_msg(is == (cases[i].own >= 0), "%s", cases[i].text);
		if (!is)
			continue;
		ck_assert_int_eq(dmarc_asks(&d, DMARC_ITSELF), cases[i].own);
		ck_assert_int_eq(dmarc_asks(&d, DMARC_BELOW), cases[i].below);
		ck_assert_int_eq(d.psd, cases[i].psd);
	}
}
END_TEST

START_TEST(tags)
{
	struct str two[] = { STR("v=spf1 -all"), STR("v=DMARC1; p=none; np=reject; sp=quarantine;"
	    "adkim=s; aspf=r; rua= mailto:a@b.example ") };
	struct dmarc d;

	ck_assert(dmarc_parse_only(two, 2, &d));
	ck_assert_int_eq(dmarc_asks(&d, DMARC_MISSING), DMARC_REJECT);
	ck_assert_int_eq(dmarc_asks(&d, DMARC_BELOW), DMARC_QUARANTINE);
	ck_assert(d.strict_dkim && !d.strict_spf);
	ck_str(d.rua, STR("mailto:a@b.example"));
	ck_assert_str_eq(dmarc_policy_name(d.policy[DMARC_BELOW]), "quarantine");
	two[0] = two[1];
	ck_assert(!dmarc_parse_only(two, 2, &d));
	ck_assert(!dmarc_parse_only(two, 0, &d));
	/* Without np it is sp, without sp it is p. */
	ck_assert(dmarc_parse(STR("v=DMARC1; p=reject"), &d));
	ck_assert_int_eq(dmarc_asks(&d, DMARC_MISSING), DMARC_REJECT);
}
END_TEST

START_TEST(walk)
{
	struct str d = STR("a.b.c.d.e.f.g.h.i.example.org");
	unsigned n = 1;

	ck_str(dmarc_next(STR("example.org"), 1), STR("org"));
	ck_str(dmarc_next(STR("org"), 2), STR(""));
	ck_str(dmarc_next(STR(""), 1), STR(""));
	/* RFC 9989 4.10: the last seven labels come next. */
	d = dmarc_next(d, n++);
	ck_str(d, STR("e.f.g.h.i.example.org"));
	while (d.n > 0 && n < 100)
		d = dmarc_next(d, n++);
	ck_assert_uint_eq(n, DMARC_WALK_MAX + 1);
	ck_str(dmarc_next(STR("a.b"), DMARC_WALK_MAX), STR(""));
}
END_TEST

int
main(void)
{
	return unit_run("mail/dmarc", UNIT_CASE("dmarc", records, tags, walk));
}
