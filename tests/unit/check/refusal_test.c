/* SPDX-License-Identifier: GPL-3.0-or-later */

/* refusal -- what findings do to mail, by each option. */

#include "check/refusal.h"

#include "unit.h"

static struct arena a;

static void
begin(void)
{
	arena_init(&a, 65536);
}

static void
end(void)
{
	arena_free(&a);
}

/* CODE 0: R takes the mail. */
static void
expect(struct refusal r, int code, const char *enhanced, const char *words)
{
	ck_assert_int_eq(r.code, code);
	if (code == 0)
		return;
	ck_assert_str_eq(r.enhanced, enhanced);
	ck_assert_msg(strstr(r.text, words) != NULL, "%s", r.text);
}

START_TEST(names)
{
	struct conf_check_iprev k = { .enabled = true, .on_none = CHECK_REJECT,
		.on_fail = CHECK_DEFER };

	expect(refusal_iprev(&k, IPREV_PASS, "192.0.2.1", &a), 0, NULL, NULL);
	expect(refusal_iprev(&k, IPREV_TEMPERROR, "192.0.2.1", &a), 0, NULL, NULL);
	expect(refusal_iprev(&k, IPREV_PERMERROR, "192.0.2.1", &a), 550, "5.7.25",
	    "reverse hostname, [192.0.2.1]");
	expect(refusal_iprev(&k, IPREV_FAIL, "192.0.2.1", &a), 450, "4.7.25", "your hostname");
}
END_TEST

START_TEST(helos)
{
	struct conf_check_helo k = { .enabled = true, .on_ours = CHECK_REJECT,
		.on_unknown = CHECK_DEFER };

	expect(refusal_helo(&k, STR("mx.a"), true, EXISTS_YES), 550, "5.7.1", "that is us");
	expect(refusal_helo(&k, STR("pc"), false, EXISTS_YES), 0, NULL, NULL);
	expect(refusal_helo(&k, STR("x.a"), false, EXISTS_NO), 450, "4.7.1", "Host not found");
	expect(refusal_helo(&k, STR("x.a"), false, EXISTS_UNKNOWN), 0, NULL, NULL);
	ck_assert(helo_is_asked(&k, STR("x.a")) && !helo_is_asked(&k, STR("[192.0.2.1]")) &&
	    !helo_is_asked(&k, STR("")));
	k.on_short = CHECK_REJECT;
	k.on_unknown = CHECK_NOTE;
	expect(refusal_helo(&k, STR("pc"), false, EXISTS_UNKNOWN), 550, "5.5.2", "qualified");
	expect(refusal_helo(&k, STR("[192.0.2.1]"), false, EXISTS_UNKNOWN), 0, NULL, NULL);
	ck_assert(!helo_is_asked(&k, STR("x.a")));
}
END_TEST

START_TEST(senders)
{
	struct conf_check_sender k = { .enabled = true, .on_ours = CHECK_REJECT,
		.on_unknown = CHECK_REJECT };
	struct msg_exists_result r = { EXISTS_YES, false };

	expect(refusal_sender(&k, true, &r), 550, "5.7.1", "you have not logged in");
	expect(refusal_sender(&k, false, &r), 0, NULL, NULL);
	r.null_mx = true;
	expect(refusal_sender(&k, false, &r), 550, "5.7.27", "null MX");
	r = (struct msg_exists_result){ EXISTS_NO, false };
	expect(refusal_sender(&k, false, &r), 550, "5.1.8", "not found");
	r.result = EXISTS_UNKNOWN;
	expect(refusal_sender(&k, false, &r), 0, NULL, NULL);
	ck_assert(sender_is_asked(&k, STR("b.a")) && !sender_is_asked(&k, STR("")));
}
END_TEST

START_TEST(spf)
{
	static const struct {
		enum spf_code code;
		int reject, defer;
		const char *enhanced, *words;
	} t[] = {
		{ SPF_PASS, 0, 0, "", "" },
		{ SPF_NEUTRAL, 0, 0, "", "" },
		{ SPF_FAIL, 550, 451, "7.23", "Blocked by SPF" },
		{ SPF_SOFTFAIL, 550, 451, "7.23", "softly" },
		{ SPF_NONE, 550, 451, "7.1", "d.a has no SPF record" },
		{ SPF_PERMERROR, 550, 451, "7.24", "of d.a is broken: why" },
		{ SPF_TEMPERROR, 550, 451, "7.24", "of d.a cannot be found" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		for (int act = CHECK_NOTE; act <= CHECK_DEFER; act++) {
			struct conf_check_spf k = { .on_fail = act, .on_softfail = act,
				.on_none = act, .on_permerror = act, .on_temperror = act };
			struct spf_result r = { .checked = true, .from = { .code = t[i].code,
				.domain = STR("d.a"), .problem = STR("why") } };
			int code = act == CHECK_NOTE ? 0 : act == CHECK_REJECT ? t[i].reject :
								    t[i].defer;

			expect(refusal_spf(&k, &r, true, &a), code,
			    arena_printf(&a, "%d.%s", code / 100, t[i].enhanced), t[i].words);
		}
}
END_TEST

/* HELO counts beside a sender only, and a fail of it alone. */
START_TEST(spf_of_helo)
{
	struct conf_check_spf k = { .on_fail = CHECK_NOTE, .on_helo_fail = CHECK_REJECT };
	struct spf_result r = { .checked = true,
		.helo = { .code = SPF_FAIL, .domain = STR("h.a"), .explanation = STR("so") },
		.from = { .code = SPF_PASS, .domain = STR("d.a") } };

	expect(refusal_spf(&k, &r, true, &a), 550, "5.7.23", "Blocked - see: so");
	expect(refusal_spf(&k, &r, false, &a), 0, NULL, NULL);
	r.helo.code = SPF_SOFTFAIL;
	expect(refusal_spf(&k, &r, true, &a), 0, NULL, NULL);
}
END_TEST

START_TEST(dmarc)
{
	struct conf_check_dmarc k = { .enabled = true, .enforce = true };
	struct dmarc_verdict v = { .result = DMARC_FAIL, .asks = DMARC_REJECT,
		.domain = STR("d.a") };

	expect(refusal_dmarc(&k, NULL, &v, VOUCH_NONE, &a), 550, "5.7.1", "policy of d.a");
	expect(refusal_dmarc(&k, NULL, &v, VOUCH_LATER, &a), 451, "4.7.1", "does not say now");
	expect(refusal_dmarc(&k, NULL, &v, VOUCH_GOOD, &a), 0, NULL, NULL);
	expect(refusal_dmarc(&k, "it has no From", &v, VOUCH_GOOD, &a), 550, "5.7.1", "no From");
	v.asks = DMARC_QUARANTINE;
	expect(refusal_dmarc(&k, NULL, &v, VOUCH_NONE, &a), 0, NULL, NULL);
	expect(refusal_dmarc(&k, NULL, &v, VOUCH_LATER, &a), 0, NULL, NULL);
	v.result = DMARC_TEMPERROR;
	expect(refusal_dmarc(&k, NULL, &v, VOUCH_NONE, &a), 0, NULL, NULL);
	v.asks = DMARC_REJECT;
	expect(refusal_dmarc(&k, NULL, &v, VOUCH_NONE, &a), 451, "4.7.1", "does not say now");
	expect(refusal_dmarc(&k, NULL, &v, VOUCH_GOOD, &a), 0, NULL, NULL);
	v.asks = DMARC_NONE;
	k.defer = true;
	expect(refusal_dmarc(&k, NULL, &v, VOUCH_NONE, &a), 451, "4.7.1", "cannot be had");
	k.enforce = false;
	expect(refusal_dmarc(&k, "it has no From", &v, VOUCH_NONE, &a), 0, NULL, NULL);
}
END_TEST

START_TEST(sealers)
{
	static const char *domains[] = { "a.test", "b.test" };
	struct conf_check_arc k = { .trusted = { domains, 2 } };
	struct arc_verdict v = { .result = ARC_PASS, .domain = STR("mx.b.test") };

	ck_assert_int_eq(arc_vouches(&k, &v), VOUCH_GOOD);
	v.domain = STR("notb.test");
	ck_assert_int_eq(arc_vouches(&k, &v), VOUCH_NONE);
	v.domain = STR("a.test");
	ck_assert_int_eq(arc_vouches(&k, &v), VOUCH_GOOD);
	v.result = ARC_FAIL;
	ck_assert_int_eq(arc_vouches(&k, &v), VOUCH_NONE);
	v.temporary = true;
	ck_assert_int_eq(arc_vouches(&k, &v), VOUCH_LATER);
	v.domain = STR("c.test");
	ck_assert_int_eq(arc_vouches(&k, &v), VOUCH_NONE);
}
END_TEST

START_TEST(scans)
{
	struct conf_check_scan k = { .kind = SCAN_SPAMD, .action = SCAN_REJECT,
		.on_error = SCAN_DEFER };
	struct msg_scan_result r = { .result = SCAN_SPAM, .scored = true, .score = 6100,
		.what = STR("odd") };

	expect(refusal_scan(&k, &r, false, &a), 550, "5.7.1",
	    "The message looks like spam (6.1 points): odd");
	expect(refusal_scan(&k, &r, true, &a), 0, NULL, NULL);
	k.reject_score = 7;
	expect(refusal_scan(&k, &r, false, &a), 0, NULL, NULL);
	k.reject_score = 0;
	/* Of Rspamd only what it would refuse itself. */
	k.kind = SCAN_RSPAMD;
	expect(refusal_scan(&k, &r, false, &a), 0, NULL, NULL);
	r.result = SCAN_SPAM_REJECT;
	expect(refusal_scan(&k, &r, false, &a), 550, "5.7.1", "spam");
	k.action = SCAN_EDIT;
	expect(refusal_scan(&k, &r, false, &a), 550, "5.7.1", "spam");
	k.kind = SCAN_SPAMD;
	expect(refusal_scan(&k, &r, false, &a), 0, NULL, NULL);
	k.kind = SCAN_RSPAMD;
	r.result = SCAN_LATER;
	expect(refusal_scan(&k, &r, false, &a), 451, "4.7.1",
	    "The message is to come again: odd");
	expect(refusal_scan(&k, &r, true, &a), 0, NULL, NULL);
	k.action = SCAN_NOTE;
	expect(refusal_scan(&k, &r, false, &a), 0, NULL, NULL);
	/* A virus is nobody's wish, and what is not known puts off everybody. */
	k.kind = SCAN_CLAMD;
	r.result = SCAN_VIRUS;
	expect(refusal_scan(&k, &r, false, &a), 0, NULL, NULL);
	k.action = SCAN_REJECT;
	expect(refusal_scan(&k, &r, true, &a), 554, "5.7.1", "The message has a virus: odd");
	r.result = SCAN_FAILED;
	expect(refusal_scan(&k, &r, true, &a), 451, "4.7.1", "cannot be checked now");
	k.on_error = SCAN_ACCEPT;
	expect(refusal_scan(&k, &r, false, &a), 0, NULL, NULL);
}
END_TEST

int
main(void)
{
	int rc;

	begin();
	rc = unit_run("check/refusal", UNIT_CASE("refusal", names, helos, senders, spf, spf_of_helo,
	    dmarc, sealers, scans));
	end();
	return rc;
}
