/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Who gets reports: RFC 9990 4, with a DNS of the test's own. */

#include "report/names.h"

#include "report/dmarc_target.h"
#include "unit.h"

static const struct name zone[] = {
	{ "_dmarc.own.test", { "v=DMARC1; p=none; rua=mailto:a@own.test" }, false },
	{ "_dmarc.below.test", { "v=DMARC1; p=none; rua=mailto:a@in.below.test,mailto:b@BELOW.test" }, false },
	{ "_dmarc.sub.up.test", { "v=DMARC1; p=none; rua=mailto:a@up.test" }, false },
	{ "_dmarc.up.test", { "v=DMARC1; p=none" }, false },
	{ "_dmarc.out.test", { "v=DMARC1; p=none; rua=mailto:a@yes.test,mailto:b@no.test,"
	    "mailto:c@other.test,mailto:d@moved.test,mailto:e@stray.test" }, false },
	{ "out.test._report._dmarc.yes.test", { "something", "v=DMARC1;" }, false },
	{ "out.test._report._dmarc.no.test", { "v=DMARC2" }, false },
	{ "out.test._report._dmarc.other.test", { "v=DMARC1; rua=mailto:z@other.test!1k" }, false },
	{ "out.test._report._dmarc.moved.test", { "v=DMARC1; rua=mailto:z@third.test" }, false },
	{ "out.test._report._dmarc.stray.test", { "v=DMARC1; rua=x" }, false },
	{ "_dmarc.late.test", { "v=DMARC1; p=none; rua=mailto:a@late.test,mailto:b@silent.test" }, false },
	{ "late.test._report._dmarc.silent.test", { NULL }, true },
	{ "_dmarc.gone.test", { NULL }, true },
	{ "_dmarc.two.test", { "v=DMARC1; rua=mailto:a@two.test", "v=DMARC1; p=none" }, false },
	{ "_dmarc.web.test", { "v=DMARC1; p=none; rua=https://web.test/" }, false },
	{ "_dmarc.none.test", { "v=DMARC1; p=none" }, false },
	{ "_dmarc.one.psd.test", { "v=DMARC1; p=none; rua=mailto:a@two.psd.test" }, false },
	{ "_dmarc.psd.test", { "v=DMARC1; p=none; psd=y" }, false },
	{ "_dmarc.idn.test", { "v=DMARC1; p=none; rua=mailto:a@XN--mgbh0fb.test" }, false },
	{ "idn.test._report._dmarc.xn--mgbh0fb.test", { "v=DMARC1" }, false },
	{ NULL, { NULL }, false },
};

/* Who is written to, with spaces between; or why nobody is. */
static const char *
wish(const char *domain, bool patient)
{
	static char text[1000];
	struct dmarc_asker *k;
	struct dmarc_targets t;
	struct buf b;

	names = zone;
	k = dmarc_asker_new(NULL);
	ck_assert_ptr_nonnull(k);
	buf_init_in(&b, text, sizeof(text));
	switch (dmarc_target(k, str_c(domain), patient, &t)) {
	case DMARC_WANTED:
		for (size_t i = 0; i < t.n; i++) {
			path_add(&b, &t.v[i]);
			buf_addc(&b, ' ');
		}
		break;
	case DMARC_UNWANTED:
		buf_adds(&b, t.why);
		break;
	case DMARC_NOT_KNOWN_NOW:
		buf_adds(&b, "later");
		break;
	}
	dmarc_asker_free(k);
	return buf_cstr(&b);
}

START_TEST(own)
{
	ck_assert_str_eq(wish("own.test", true), "a@own.test ");
	ck_assert_str_eq(wish("below.test", true), "a@in.below.test b@BELOW.test ");
	ck_assert_str_eq(wish("sub.up.test", true), "a@up.test ");
}
END_TEST

START_TEST(elsewhere)
{
	static const char nobody[] =
	    "those whom its record names do not say that they want them";

	ck_assert_str_eq(wish("out.test", true), "a@yes.test z@other.test ");
	ck_assert_str_eq(wish("idn.test", true), "a@XN--mgbh0fb.test ");
	/* Neighbours below a public suffix are strangers. */
	ck_assert_str_eq(wish("one.psd.test", true), nobody);
}
END_TEST

START_TEST(nobody)
{
	ck_assert_str_eq(wish("unheard.test", true), "it has no record any more");
	ck_assert_str_eq(wish("two.test", true), "it has no record any more");
	ck_assert_str_eq(wish("web.test", true), "its record has no address that mail can be sent to");
	ck_assert_str_eq(wish("none.test", true), "its record has no address that mail can be sent to");
}
END_TEST

START_TEST(later)
{
	ck_assert_str_eq(wish("late.test", true), "later");
	ck_assert_str_eq(wish("late.test", false), "a@late.test ");
	ck_assert_str_eq(wish("gone.test", true), "later");
	ck_assert_str_eq(wish("gone.test", false), "it has no record any more");
}
END_TEST

/* However long names are; and no name is asked for twice. */
START_TEST(bounded)
{
	char name[260];

	memset(name, 'a', sizeof(name));
	for (size_t i = 50; i < 250; i += 50)
		name[i] = '.';
	name[250] = '\0';
	ck_assert_str_eq(wish(name, true), "it has no record any more");
	names_asked = 0;
	(void)wish("out.test", true);
	/* Its record; those of five hosts, of "test", and of what they say. */
	ck_assert_uint_le(names_asked, 1 + 5 + 1 + 5);
}
END_TEST

UNIT_MAIN("report/dmarc_target", own, elsewhere, nobody, later, bounded)
