/* SPDX-License-Identifier: GPL-3.0-or-later */

/* dmarc -- policies, organizations and alignment over small worlds (RFC 9989). */

#include "check/dmarc.h"

#include <stdio.h>

#include "unit.h"

/* What DNS has: "DOMAIN RECORD", "DOMAIN !" of one that does not answer, "DOMAIN +" of
 * one that is there without a record. */
struct world {
	const char *lines[8];
	unsigned rounds;
	char asked[2000];	/* "domain " of each question; "domain? " for existence */
};

static enum dmarc_known
find(const struct world *w, struct str domain, struct dmarc *d)
{
	for (size_t i = 0; i < ARRAY_LEN(w->lines) && w->lines[i] != NULL; i++) {
		struct str name, rest;

		str_cut(str_c(w->lines[i]), ' ', &name, &rest);
		if (!str_eq(name, domain))
			continue;
		if (str_eq(rest, STR("!")))
			return DMARC_UNKNOWN;
		if (d == NULL)
			return DMARC_PRESENT;
		return !str_eq(rest, STR("+")) && dmarc_parse(rest, d) ?
		    DMARC_PRESENT : DMARC_ABSENT;
	}
	return DMARC_ABSENT;
}

static enum dmarc_known
look(void *arg, struct str domain, struct dmarc *d)
{
	struct world *w = arg;
	char key[300];

	ck_assert_int_lt(snprintf(key, sizeof(key), " " STR_FMT "%s ", STR_ARG(domain),
	    d == NULL ? "?" : ""), (int)sizeof(key));
	return strstr(w->asked, key) == NULL ? DMARC_UNASKED : find(w, domain, d);
}

/* Judges as a caller does; "RESULT asks published domain spf dkim rounds". */
static const char *
judged(struct world *w, const char *from, const char *proofs)
{
	static char out[500];
	struct dmarc_proof p[20];
	struct dmarc_facts f = { .from = str_c(from), .proofs = p };
	struct str word, rest = str_c(proofs);
	struct dmarc_wants wants;
	struct dmarc_verdict v;

	while (str_cut(rest, ' ', &word, &rest) || word.n > 0) {
		/* "S:" and "D:" of what DNS does not say now. */
		p[f.proof_n++] = (struct dmarc_proof){ .domain = str_skip(word, 2),
			.by_dkim = char_lower(word.p[0]) == 'd',
			.undecided = char_lower(word.p[0]) != word.p[0] };
	}
	w->rounds = 0;
	memcpy(w->asked, " ", 2);
	while (!dmarc_judge(&f, look, w, &wants, &v)) {
		ck_assert_uint_gt(wants.n, 0);
		ck_assert_uint_lt(++w->rounds, 5);
		for (size_t i = 0; i < wants.n; i++) {
			size_t n = strlen(w->asked);

			ck_assert_int_lt(snprintf(w->asked + n, sizeof(w->asked) - n,
			    STR_FMT "%s ", STR_ARG(wants.v[i].domain),
			    wants.v[i].existence ? "?" : ""),
			    (int)(sizeof(w->asked) - n));
		}
	}
	ck_assert_int_lt(snprintf(out, sizeof(out), "%s %s/%s " STR_FMT "%s%s %u",
	    dmarc_result_name(v.result), dmarc_policy_name(v.asks),
	    dmarc_policy_name(v.published), STR_ARG(v.domain), v.by_spf ? " spf" : "",
	    v.by_dkim ? " dkim" : "", w->rounds), (int)sizeof(out));
	return out;
}

START_TEST(verdicts)
{
	static const struct {
		struct world w;
		const char *from, *proofs, *expected;
	} rows[] = {
		/* No record at all; no author. */
		{ { .lines = { NULL } }, "a.example", "s:a.example", "none none/none  1" },
		{ { .lines = { NULL } }, "", "s:a.example", "none none/none  0" },
		{ { .lines = { "a.example v=DMARC1; p=reject" } }, "a.example", "",
		    "fail reject/reject a.example 1" },
		{ { .lines = { "a.example v=DMARC1; p=reject" } }, "a.example", "s:a.example",
		    "pass none/reject a.example spf 1" },
		{ { .lines = { "a.example v=DMARC1; p=reject" } }, "a.example",
		    "s:other.example d:a.example", "pass none/reject a.example dkim 1" },
		{ { .lines = { "a.example v=DMARC1; p=reject" } }, "a.example",
		    "d:aa.example s:example", "fail reject/reject a.example 1" },
		{ { .lines = { "a.example v=DMARC1; p=reject; t=y" } }, "a.example", "",
		    "fail quarantine/reject a.example 1" },
		/* Relaxed: the same organization, above, beside and below. */
		{ { .lines = { "a.example v=DMARC1; p=reject" } }, "m.a.example",
		    "s:a.example", "pass none/reject a.example spf 1" },
		{ { .lines = { "a.example v=DMARC1; p=reject" } }, "m.a.example",
		    "d:n.a.example", "pass none/reject a.example dkim 2" },
		{ { .lines = { "a.example v=DMARC1; p=reject" } }, "a.example",
		    "d:n.a.example", "pass none/reject a.example dkim 2" },
		/* What is below says that it is somebody else. */
		{ { .lines = { "a.example v=DMARC1; p=reject",
			"n.a.example v=DMARC1; p=none; psd=n" } }, "a.example",
		    "d:n.a.example", "fail reject/reject a.example 2" },
		/* Strict. */
		{ { .lines = { "a.example v=DMARC1; p=reject; adkim=s" } }, "m.a.example",
		    "d:a.example", "fail reject/reject a.example 1" },
		{ { .lines = { "a.example v=DMARC1; p=reject; adkim=s" } }, "m.a.example",
		    "d:a.example s:a.example", "pass none/reject a.example spf 1" },
		{ { .lines = { "a.example v=DMARC1; p=reject; aspf=s; adkim=s" } },
		    "a.example", "d:a.example s:a.example",
		    "pass none/reject a.example spf dkim 1" },
		/* sp, and np for what is not there. */
		{ { .lines = { "a.example v=DMARC1; p=none; sp=reject" } }, "m.a.example", "",
		    "fail reject/reject a.example 1" },
		{ { .lines = { "a.example v=DMARC1; p=none; np=reject", "m.a.example +" } },
		    "m.a.example", "", "fail none/none a.example 2" },
		{ { .lines = { "a.example v=DMARC1; p=none; np=reject" } }, "m.a.example",
		    "", "fail reject/reject a.example 2" },
		{ { .lines = { "a.example v=DMARC1; p=none; np=reject" } }, "m.a.example",
		    "s:a.example", "pass none/none a.example spf 1" },
		/* Its own record is its policy, though it is of an organization. */
		{ { .lines = { "a.example v=DMARC1; p=reject",
			"m.a.example v=DMARC1; p=none" } }, "m.a.example", "",
		    "fail none/none m.a.example 1" },
		{ { .lines = { "a.example v=DMARC1; p=reject",
			"m.a.example v=DMARC1; p=quarantine" } }, "m.a.example",
		    "d:a.example", "pass none/quarantine m.a.example dkim 1" },
		/* A public suffix above; its record holds where there is no other. */
		{ { .lines = { "b.example v=DMARC1; p=reject; psd=y" } }, "a.b.example",
		    "d:c.b.example", "fail reject/reject b.example 1" },
		{ { .lines = { "b.example v=DMARC1; p=reject; psd=y" } }, "m.a.b.example",
		    "d:n.a.b.example", "pass none/reject b.example dkim 2" },
		{ { .lines = { "b.example v=DMARC1; p=reject; psd=y",
			"a.b.example v=DMARC1; p=none" } }, "m.a.b.example",
		    "d:c.b.example", "fail none/none a.b.example 1" },
		{ { .lines = { "b.example v=DMARC1; p=reject; psd=y",
			"m.a.b.example v=DMARC1; p=none" } }, "x.m.a.b.example", "",
		    "fail reject/reject b.example 1" },
		/* The suffix itself as an author. */
		{ { .lines = { "b.example v=DMARC1; p=reject; psd=y" } }, "b.example",
		    "d:b.example", "pass none/reject b.example dkim 1" },
		{ { .lines = { "b.example v=DMARC1; p=reject; psd=y",
			"example v=DMARC1; p=none" } }, "b.example", "d:a.example d:example",
		    "fail reject/reject b.example 1" },
		/* A policy that is none, and nobody to tell: as without a record. */
		{ { .lines = { "a.example v=DMARC1; p=refuse" } }, "a.example", "s:a.example",
		    "none none/none  1" },
		{ { .lines = { "a.example v=DMARC1; p=reject; sp=what; rua=,x, :y" } },
		    "a.example", "", "none none/none  1" },
		{ { .lines = { "a.example v=DMARC1; psd=n" } }, "m.a.example", "",
		    "none none/none  1" },
		{ { .lines = { "a.example v=DMARC1; rua=x, mailto:r@a.example" } }, "a.example",
		    "s:a.example", "pass none/none a.example spf 1" },
		/* DNS does not answer: never a refusal. */
		{ { .lines = { "a.example !" } }, "a.example", "",
		    "temperror none/none  1" },
		{ { .lines = { "a.example !" } }, "m.a.example", "d:m.a.example",
		    "temperror none/none  1" },
		{ { .lines = { "a.example v=DMARC1; p=reject", "n.a.example !" } },
		    "a.example", "d:n.a.example",
		    "temperror none/reject a.example 2" },
		{ { .lines = { "a.example v=DMARC1; p=reject", "n.a.example !" } },
		    "a.example", "d:n.a.example s:a.example",
		    "pass none/reject a.example spf 1" },
		/* Nor whether it is the domain's: then it is not refused for good. */
		{ { .lines = { "a.example v=DMARC1; p=reject" } }, "a.example", "D:a.example",
		    "temperror reject/reject a.example 1" },
		{ { .lines = { "a.example v=DMARC1; p=reject" } }, "m.a.example",
		    "D:b.example S:n.a.example", "temperror reject/reject a.example 2" },
		{ { .lines = { "a.example v=DMARC1; p=reject", "n.a.example !" } },
		    "a.example", "D:n.a.example", "temperror reject/reject a.example 2" },
		{ { .lines = { "a.example v=DMARC1; p=reject" } }, "a.example",
		    "D:a.example s:a.example", "pass none/reject a.example spf 1" },
		/* Nothing to wait for: another's domain, or one that would be no proof. */
		{ { .lines = { "a.example v=DMARC1; p=reject" } }, "a.example", "D:b.example",
		    "fail reject/reject a.example 1" },
		{ { .lines = { "a.example v=DMARC1; p=reject; adkim=s" } }, "m.a.example",
		    "D:a.example", "fail reject/reject a.example 1" },
		/* To set it apart costs nobody a message. */
		{ { .lines = { "a.example v=DMARC1; p=quarantine" } }, "a.example",
		    "D:a.example", "fail quarantine/quarantine a.example 1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w = rows[i].w;
		const char *got = judged(&w, rows[i].from, rows[i].proofs);

		ck_assert_msg(strcmp(got, rows[i].expected) == 0, "%s, %s: %s, not %s",
		    rows[i].from, rows[i].proofs, got, rows[i].expected);
	}
}
END_TEST

/* A hostile message: many long names, and never more than what is allowed. */
START_TEST(bounded)
{
	struct world w = { .lines = { "z.example v=DMARC1; p=reject" } };
	char proofs[8000] = "";

	for (int i = 0; i < 15; i++) {
		size_t n = strlen(proofs);

		ck_assert_int_lt(snprintf(proofs + n, sizeof(proofs) - n,
		    "%sd:%c.b.c.d.e.f.g.h.i.j.k.l.m.n.z.example", i == 0 ? "" : " ",
		    'a' + i), (int)(sizeof(proofs) - n));
	}
	ck_assert_str_eq(judged(&w, "z.example", proofs),
	    "pass none/reject z.example dkim 2");
	ck_assert_uint_lt(strlen(w.asked), 2000);
}
END_TEST

UNIT_MAIN("check/dmarc", verdicts, bounded)
