/* SPDX-License-Identifier: GPL-3.0-or-later */

/* scan_edit -- FEATURES F8: a text that spamd has edited becomes a message, or it is none. */

#include "check/scan.h"

#include "mail/limits.h"
#include "unit.h"

#define TRACE "Received: from a\r\n\tby b;\r\n\tnow\r\n"

static struct buf out;

static const char *
edit(struct str text, bool binary)
{
	buf_free(&out);
	buf_init(&out, 1 << 20);
	return scan_edited(&out, text, STR(TRACE), binary);
}

START_TEST(taken)
{
	static const struct {
		const char *text, *want;
	} t[] = {
		/* Where it was, behind others, and gone. */
		{ TRACE "X: 1\r\n\r\nbody\r\n", TRACE "X: 1\r\n\r\nbody\r\n" },
		{ "X: 1\r\n" TRACE "Y: 2\r\n\r\nbody\r\n", TRACE "X: 1\r\nY: 2\r\n\r\nbody\r\n" },
		{ "X: 1\r\n\r\n" TRACE "body\r\n", TRACE "X: 1\r\n\r\n" TRACE "body\r\n" },
		{ "X: 1\r\n\r\n", TRACE "X: 1\r\n\r\n" },
		{ "X: 1\r\n", TRACE "X: 1\r\n" },
		/* Of the sender, who would else go without what the server says of him. */
		{ "X: 1\r\nno field\r\n" TRACE "Y: 2\r\n\r\nbody\r\n",
		    TRACE "X: 1\r\nno field\r\nY: 2\r\n\r\nbody\r\n" },
		/* Lines. */
		{ "Received: from a\n\tby b;\n\tnow\nX: 1\n\nbody", TRACE "X: 1\r\n\r\nbody\r\n" },
		{ "X: 1\r\n\r\na\rb\r\r\n", TRACE "X: 1\r\n\r\na\r\nb\r\n\r\n" },
		{ "X: 1\r\n\r\n.\r\n", TRACE "X: 1\r\n\r\n.\r\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		const char *why = edit(str_c(t[i].text), false);

		ck_assert_msg(why == NULL, "%zu: %s", i, why);
		ck_str(buf_str(&out), str_c(t[i].want));
	}
}
END_TEST

/* RFC 3030: lines end with the header. */
START_TEST(binary)
{
	const struct str body = str_n("a\nb\rc\0\r\n\n", 9);
	static const char *const ends[] = { "\r\n", "\n" };
	struct buf b, want;

	buf_init(&b, 1000);
	buf_init(&want, 1000);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		buf_reset(&b);
		buf_addf(&b, "X: 1%s" TRACE "Y: 2%s%s", ends[i], ends[i], ends[i]);
		buf_add(&b, body);
		buf_reset(&want);
		buf_adds(&want, TRACE "X: 1\r\nY: 2\r\n\r\n");
		buf_add(&want, body);
		ck_assert_ptr_null(edit(buf_str(&b), true));
		ck_str(buf_str(&out), buf_str(&want));
		ck_assert_ptr_nonnull(edit(buf_str(&b), false));
	}
	ck_assert_ptr_nonnull(edit(STR("X: \0\r\n\r\nbody"), true));
	ck_assert_ptr_nonnull(edit(STR("\r\n\r\nbody"), true));
	buf_free(&want);
	buf_free(&b);
}
END_TEST

START_TEST(refused)
{
	struct buf b;

	ck_assert(edit(STR(""), false) != NULL);
	ck_assert(edit(STR("\r\nbody\r\n"), false) != NULL);
	ck_assert(edit(STR("no field\r\n\r\nbody\r\n"), false) != NULL);
	ck_assert(edit(STR("X: 1\r\n\r\na\0b\r\n"), false) != NULL);
	buf_init(&b, 2 * MAIL_HEADER_MAX);
	while (b.n <= MAIL_HEADER_MAX)
		buf_adds(&b, "X-Long: 0123456789012345678901234567890123456789\r\n");
	buf_adds(&b, "\r\nbody\r\n");
	buf_free(&out);
	buf_init(&out, 4 * MAIL_HEADER_MAX);
	ck_assert(scan_edited(&out, buf_str(&b), STR(TRACE), false) != NULL);
	buf_free(&out);
	buf_init(&out, 100);
	ck_assert(scan_edited(&out, buf_str(&b), STR(TRACE), false) != NULL);
	buf_free(&b);
}
END_TEST

START_TEST(symbols)
{
	static const struct {
		const char *field, *want;
	} t[] = {
		{ "X-Spam-Status: Yes, score=9.0 required=5.0 tests=A,B,\r\n\tC_1,D autolearn=no version=4\r\n", "A,B,C_1,D" },
		{ "X-Spam-Status: No, score=0.0 tests=none version=4\r\n", "" },
		{ "X-Spam-Status: No, score=0.0 tests=A\r\n", "A" },
		{ "X-Spam-Status: No\r\n", "" },
		{ "X-Other: tests=A\r\n", "" },
		{ "x-spam-status: tests=A\xff\x01\r\n", "A??" },
	};
	struct arena a;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		ck_str(scan_edited_symbols(str_c(t[i].field), &a), str_c(t[i].want));
	arena_free(&a);
}
END_TEST

UNIT_MAIN("check/scan_edit", taken, binary, refused, symbols)
