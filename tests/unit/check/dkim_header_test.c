/* SPDX-License-Identifier: GPL-3.0-or-later */

/* dkim_header -- which fields are signed, and in what order (RFC 6376 5.4.2). */

#include "check/dkim_header.h"

#include "lib/mem.h"
#include "mail/limits.h"
#include "unit.h"

#define HEADER "A: 1\r\nB: 1\r\na: 2\r\nB:\t 2 \r\nC:x\r\n  y\r\n"
#define OWN "Sig: h=x; b=old ; t=1"

static const struct {
	const char *names;
	bool relaxed;
	const char *want;
} cases[] = {
	{ "A", false, "a: 2\r\nSig: h=x; b=; t=1" },
	{ "a:A", false, "a: 2\r\nA: 1\r\nSig: h=x; b=; t=1" },
	{ "A:A:A:A:nothing", false, "a: 2\r\nA: 1\r\nSig: h=x; b=; t=1" },
	{ "B : C", true, "b:2\r\nc:x y\r\nsig:h=x; b=; t=1" },
	{ "C:B:B", false, "C:x\r\n  y\r\nB:\t 2 \r\nB: 1\r\nSig: h=x; b=; t=1" },
	{ "", true, "sig:h=x; b=; t=1" },
};

START_TEST(chosen)
{
	unsigned char got[SHA256_SIZE], want[SHA256_SIZE];
	struct dkim_header h;
	struct field own;

	dkim_header_init(&h, STR(HEADER "\r\nA: of the body\r\n"));
	ck_assert_uint_eq(h.n, 5);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str rest = STR(OWN);
		struct dkim_signature s = { .names = str_c(cases[i].names),
			.relaxed_header = cases[i].relaxed };

		ck_assert_int_eq(field_next(&rest, &own), 1);
		s.cut = str_n(own.value.p + 8, 4);
		ck_str(s.cut, STR("old "));
		ck_assert_int_eq(dkim_header_digest(&h, &s, &own, got), 0);
		ck_str(buf_str(&h.text), str_c(cases[i].want));
		ck_assert_int_eq(sha256(str_c(cases[i].want), want), 0);
		ck_assert_mem_eq(got, want, sizeof(want));
	}
	dkim_header_free(&h);
}
END_TEST

static const struct {
	const char *header, *flaw;
} flaws[] = {
	{ "From: a\r\n", NULL },
	{ "From: a", NULL },
	{ "from : a\r\nX:\r\n y\r\n\r\nbody \r \n", NULL },
	{ "", "the message has no From" },
	{ "X: From\r\n\r\nFrom: a\r\n", "the message has no From" },
	{ "From: a\r\nFROM: b\r\n", "the message has more than one From" },
	{ "From: a\r\nno field\r\n", "a line of the header is no field" },
	{ " folded: x\r\nFrom: a\r\n", "a line of the header is no field" },
	{ "From: a\nX: y\r\n", "the header has a CR or LF alone" },
	{ "From: a\rX: y\r\n", "the header has a CR or LF alone" },
	{ "From: a\r", "the header has a CR or LF alone" },
};

START_TEST(flawed)
{
	for (size_t i = 0; i < ARRAY_LEN(flaws); i++)
		ck_assert_pstr_eq(dkim_header_flaw(str_c(flaws[i].header)), flaws[i].flaw);
}
END_TEST

/* The most fields and names that a stranger can have: all of them, once. */
START_TEST(crowded)
{
	unsigned char digest[SHA256_SIZE];
	struct dkim_signature s = { .relaxed_header = false };
	struct buf header, names;
	struct dkim_header h;
	struct str rest = STR(OWN);
	struct field own;

	buf_init(&header, MAIL_HEADER_MAX);
	buf_init(&names, MAIL_HEADER_MAX);
	while (header.n + 4 <= MAIL_HEADER_MAX)
		buf_adds(&header, "a:\r\n");
	while (names.n + 2 <= MAIL_HEADER_MAX)
		buf_adds(&names, "A:");
	s.names = buf_str(&names);
	s.cut = STR("");
	ck_assert_int_eq(field_next(&rest, &own), 1);
	dkim_header_init(&h, buf_str(&header));
	ck_assert_uint_eq(h.n, MAIL_HEADER_MAX / 4);
	ck_assert_int_eq(dkim_header_digest(&h, &s, &own, digest), 0);
	ck_assert_uint_eq(h.text.n, header.n + strlen(OWN));
	dkim_header_free(&h);
	buf_free(&header);
	buf_free(&names);
}
END_TEST

UNIT_MAIN("check/dkim_header", chosen, flawed, crowded)
