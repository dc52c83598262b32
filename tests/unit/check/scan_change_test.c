/* SPDX-License-Identifier: GPL-3.0-or-later */

/* scan_change -- FEATURES S1, S2: what a server wants changed in a header, and what it may not have. */

#include "check/scan_change.h"

#include "unit.h"

#define HEADER "Received: a\r\nX-A: 1\r\nSubject: old\r\nX-A: 2\r\n\tfolded\r\nx-a: 3\r\n"

static struct arena a;
static struct scan_changes c;

static void
begin(void)
{
	arena_init(&a, 1 << 20);
	c.n = 0;
}

static void
expect(const char *want)
{
	struct buf out;

	buf_init(&out, 65536);
	scan_change_header(&c, STR(HEADER), &out);
	ck_str(buf_str(&out), str_c(want));
	buf_free(&out);
	c.n = 0;
}

START_TEST(removed)
{
	begin();
	expect(HEADER);
	ck_assert(scan_change_remove(&c, &a, STR("x-A"), 0));
	expect("Received: a\r\nSubject: old\r\n");
	ck_assert(scan_change_remove(&c, &a, STR("X-A"), 2));
	expect("Received: a\r\nX-A: 1\r\nSubject: old\r\nx-a: 3\r\n");
	ck_assert(scan_change_remove(&c, &a, STR("X-A"), -1));
	ck_assert(scan_change_remove(&c, &a, STR("X-A"), 1));
	expect("Received: a\r\nSubject: old\r\nX-A: 2\r\n\tfolded\r\n");
	ck_assert(scan_change_remove(&c, &a, STR("X-A"), 4));
	ck_assert(scan_change_remove(&c, &a, STR("X-A"), -4));
	ck_assert(scan_change_remove(&c, &a, STR("X-A"), INT64_MIN));
	ck_assert(scan_change_remove(&c, &a, STR("X-B"), 0));
	expect(HEADER);
	arena_free(&a);
}
END_TEST

/* A sender who puts such a line in is not spared what stands behind it. */
START_TEST(behind_no_field)
{
	static const char header[] = "X-A: 1\r\njunk\r\nx-a: 2\r\nSubject: old\r\n";
	struct buf out;

	begin();
	buf_init(&out, 65536);
	ck_assert(scan_change_remove(&c, &a, STR("X-A"), -1));
	ck_assert(scan_change_subject(&c, &a, STR("new")));
	scan_change_header(&c, str_c(header), &out);
	ck_str(buf_str(&out), STR("X-A: 1\r\njunk\r\nSubject: new\r\n"));
	buf_free(&out);
	arena_free(&a);
}
END_TEST

START_TEST(added)
{
	begin();
	ck_assert(scan_change_add(&c, &a, STR("X-End"), STR("e"), false));
	ck_assert(scan_change_add(&c, &a, STR("X-Top"), STR("t"), true));
	ck_assert(scan_change_add(&c, &a, STR("X-Spam-Level"), STR("***"), false));
	expect("X-Top: t\r\n" HEADER "X-End: e\r\nX-Spam-Level: ***\r\n");
	ck_assert(scan_change_subject(&c, &a, STR("*** new")));
	expect("Received: a\r\nX-A: 1\r\nX-A: 2\r\n\tfolded\r\nx-a: 3\r\nSubject: *** new\r\n");
	arena_free(&a);
}
END_TEST

START_TEST(clean)
{
	static const char *const t[][2] = {
		{ "one\n\ttwo\r\n  three", "one\r\n\ttwo\r\n\tthree" },
		{ "x\r\nEvil: yes", "x Evil: yes" },
		{ "x\r\n\r\nbody", "x body" },
		{ "x\n \n\t\n.", "x ." },
		{ "\r\n x\r\n", "x" },
		{ "a\001b\302\200\177", "a?b???" },
		{ "", "" },
	};

	begin();
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		c.n = 0;
		ck_assert(scan_change_add(&c, &a, STR("X"), str_c(t[i][0]), false));
		ck_str(c.v[0].value, str_c(t[i][1]));
	}
	arena_free(&a);
}
END_TEST

START_TEST(refused)
{
	static const char *const names[] = { "", "X Y", "X:", "X\r\nY", "X\303", "Received",
		"return-path", "X-Spam-Flag", "x-spam-status", "X-Spam-Score" };
	char large[SCAN_CHANGE_VALUE_MAX + 2];

	begin();
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		ck_assert_msg(!scan_change_add(&c, &a, str_c(names[i]), STR("x"), false), "%s", names[i]);
	memset(large, 'x', sizeof(large));
	ck_assert(!scan_change_add(&c, &a, STR("X"), str_n(large, 901), false));
	ck_assert(scan_change_add(&c, &a, STR("X"), str_n(large, 900), false));
	for (size_t i = 500; i < sizeof(large); i += 500) {
		large[i] = '\n';
		large[i + 1 < sizeof(large) ? i + 1 : i] = '\t';
	}
	ck_assert(!scan_change_add(&c, &a, STR("X"), str_n(large, sizeof(large)), false));
	ck_assert_uint_eq(c.n, 1);
	while (c.n < SCAN_CHANGES_MAX - 1)
		ck_assert(scan_change_add(&c, &a, STR("X"), STR("x"), true));
	/* There is room for one half of it. */
	ck_assert(!scan_change_subject(&c, &a, STR("new")));
	ck_assert_uint_eq(c.n, SCAN_CHANGES_MAX - 1);
	ck_assert(scan_change_remove(&c, &a, STR("X"), 0));
	ck_assert(!scan_change_add(&c, &a, STR("X"), STR("x"), true));
	ck_assert(!scan_change_remove(&c, &a, STR("X"), 0));
	arena_free(&a);
}
END_TEST

UNIT_MAIN("check/scan_change", removed, behind_no_field, added, clean, refused)
