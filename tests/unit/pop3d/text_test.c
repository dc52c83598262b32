/* SPDX-License-Identifier: GPL-3.0-or-later */

/* text_test -- headers of any size go in ASCII to who wants that, and as many octets as were announced. */

#include "unit.h"

#include "popper.h"

#define LOGIN "USER alice\r\nPASS barid\r\n"

/* The octets behind the answer to RETR, up to the lone dot; ANNOUNCED: what it said. */
static struct str
retrieved(const char *before, uint64_t *announced)
{
	struct str all, line;
	struct buf in;

	buf_init(&in, 200);
	buf_addf(&in, "%s%sRETR 1\r\nQUIT\r\n", before, LOGIN);
	all = popper_say(buf_str(&in), POPPER_WHOLE);
	buf_free(&in);
	do
		ck_assert(str_cut(all, '\n', &line, &all));
	while (!str_ends(line, STR(" octets\r")));
	ck_assert_int_eq(str_u64(str_head(str_skip(line, 4), line.n - 4 - 8), UINT64_MAX, announced), 0);
	for (size_t i = 0; i + 5 <= all.n; i++)
		if (memcmp(all.p + i, "\r\n.\r\n", 5) == 0)
			return str_head(all, i + 2);
	ck_abort_msg("there is no end");
	return all;
}

static void
header_of(struct buf *b, size_t size)
{
	buf_reset(b);
	for (unsigned i = 0; b->n < size; i++)
		buf_addf(b, "X-%u: a line as many others, of no use\nTo: \303\251 <u%u@b.test>\n", i, i);
	buf_adds(b, "\nbody \303\251\n");
}

START_TEST(sizes)
{
	static const size_t at[] = { 1, 4000, 8100, 8192, 8300, 70000, 100000, 190000 };
	struct buf b;
	uint64_t n;

	popper_begin();
	buf_init(&b, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		struct str got;

		header_of(&b, at[i]);
		popper_put("alice", "new/1.x", buf_str(&b));
		got = retrieved("", &n);
		ck_assert_uint_eq(got.n, n);
		ck_assert(str_ends(got, STR("\r\n\r\nbody \303\251\r\n")));
		ck_assert_msg(!str_has_8bit(str_head(got, got.n - 5)), "%zu", at[i]);
		got = retrieved("UTF8\r\n", &n);
		ck_assert_uint_eq(got.n, n);
		ck_assert(memmem(got.p, got.n, "To: \303\251 <u", 9) != NULL);
	}
	/* Nobody sends so much; it is left alone. */
	header_of(&b, 300000);
	popper_put("alice", "new/1.x", buf_str(&b));
	ck_assert_uint_eq(retrieved("", &n).n, n);
	buf_free(&b);
	popper_end();
}
END_TEST

/* As much work as a header can make: it does not end the session. */
START_TEST(worst)
{
	struct buf b;
	uint64_t n;

	popper_begin();
	buf_init(&b, 1 << 20);
	buf_adds(&b, "To: ");
	while (b.n < 200000)
		buf_adds(&b, "\303\251,");
	buf_adds(&b, "\n\nx\n");
	popper_put("alice", "new/1.x", buf_str(&b));
	ck_assert_uint_eq(retrieved("", &n).n, n);
	buf_free(&b);
	popper_end();
}
END_TEST

UNIT_MAIN("pop3d/text", sizes, worst)
