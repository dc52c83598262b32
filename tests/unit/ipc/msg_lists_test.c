/* SPDX-License-Identifier: GPL-3.0-or-later */

/* msg_lists -- both messages there and back, nothing that is cut short, nothing that no log may hold. */

#include "ipc/msg_lists.h"

#include "unit.h"

static bool
asks(const struct msg_lists *in, struct msg_lists *out)
{
	static struct buf b;

	buf_free(&b);
	buf_init(&b, FRAME_MAX);
	msg_lists_put(&b, in);
	return buf_ok(&b) && msg_lists_get(buf_str(&b), out);
}

/* Fields that are cut off are fields that are not there. */
static bool
is_cut_well(struct str packet, size_t n)
{
	struct msg_lists question;
	struct msg_lists_result answer;

	return !msg_lists_get(str_head(packet, n), &question) &&
	    !msg_lists_result_get(str_head(packet, n), &answer);
}

START_TEST(question)
{
	struct msg_lists in = { .v = { { 0, STR("2001:db8::1") }, { 2, STR("a_b.example.org") } }, .n = 2 }, out;
	char large[253];
	struct buf b;

	ck_assert(asks(&in, &out));
	ck_assert_uint_eq(out.n, 2);
	ck_str(out.v[0].what, in.v[0].what);
	ck_assert_uint_eq(out.v[1].of, 2);
	ck_str(out.v[1].what, in.v[1].what);
	buf_init(&b, FRAME_MAX);
	msg_lists_put(&b, &in);
	for (size_t i = 0; i < b.n; i++)
		ck_assert(is_cut_well(buf_str(&b), i));
	buf_free(&b);
	/* As much as there may be. */
	memset(large, 'a', sizeof(large));
	for (in.n = 0; in.n < MSG_LISTS_MAX; in.n++) {
		in.v[in.n].of = 3;
		in.v[in.n].what = str_n(large, sizeof(large));
	}
	ck_assert(asks(&in, &out) && out.n == MSG_LISTS_MAX);
}
END_TEST

START_TEST(no_question)
{
	static const char *const bad[] = { "", "a b", "a\nb", "b\303\244.test", "a/b", "fe80::1%eth0" };
	struct msg_lists in = { .n = 0 }, out;
	char large[254];
	struct buf b;

	ck_assert(!asks(&in, &out));
	in.n = 1;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		in.v[0].what = str_c(bad[i]);
		ck_assert_msg(!asks(&in, &out), "%s", bad[i]);
	}
	memset(large, 'a', sizeof(large));
	in.v[0].what = str_n(large, sizeof(large));
	ck_assert(!asks(&in, &out));
	in.v[0].what = STR("a.test");
	in.v[0].of = 32;
	ck_assert(!asks(&in, &out));
	/* One more than there may be. */
	buf_init(&b, FRAME_MAX);
	frame_begin(&b, MSG_LISTS);
	for (size_t i = 0; i <= MSG_LISTS_MAX; i++) {
		frame_put_u64(&b, 1, 0);
		frame_put(&b, 2, STR("a.test"));
	}
	frame_end(&b);
	ck_assert(!msg_lists_get(buf_str(&b), &out));
	buf_free(&b);
}
END_TEST

static bool
answers(const struct msg_lists_result *in, struct msg_lists_result *out)
{
	static struct buf b;

	buf_free(&b);
	buf_init(&b, FRAME_MAX);
	msg_lists_result_put(&b, in);
	return buf_ok(&b) && msg_lists_result_get(buf_str(&b), out);
}

static const struct msg_lists_entry good = { { "bl.test", 7 }, 1, { "bad.example", 11 },
	0x7f000002, { "see there", 9 } };

START_TEST(answer)
{
	static struct msg_lists_result in, out;
	char name[189], text[200];
	struct buf b;

	ck_assert(answers(&in, &out) && out.n == 0);
	in.v[0] = in.v[1] = good;
	in.n = 2;
	ck_assert(answers(&in, &out) && out.n == 2);
	ck_str(out.v[1].zone, good.zone);
	ck_str(out.v[1].listed, good.listed);
	ck_str(out.v[1].text, good.text);
	ck_assert(out.v[1].of == 1 && out.v[1].answer == 0x7f000002);
	buf_init(&b, FRAME_MAX);
	msg_lists_result_put(&b, &in);
	for (size_t i = 0; i < b.n; i++)
		ck_assert(is_cut_well(buf_str(&b), i));
	buf_free(&b);
	/* As much as there may be: it fits into a frame. */
	memset(name, 'a', sizeof(name));
	memset(text, 'b', sizeof(text));
	for (in.n = 0; in.n < MSG_LISTS_ENTRIES_MAX; in.n++) {
		in.v[in.n] = good;
		in.v[in.n].zone = in.v[in.n].listed = str_n(name, sizeof(name));
		in.v[in.n].text = str_n(text, sizeof(text));
	}
	ck_assert(answers(&in, &out) && out.n == MSG_LISTS_ENTRIES_MAX);
}
END_TEST

START_TEST(hostile)
{
	static struct msg_lists_result in, out;
	struct msg_lists_entry *e = &in.v[0];
	char large[256];

	memset(large, 'a', sizeof(large));
	in.n = 1;
	*e = good;
	e->zone = STR("bl test");
	ck_assert(!answers(&in, &out));
	*e = good;
	e->listed = STR("a\r\n250 yes");
	ck_assert(!answers(&in, &out));
	*e = good;
	e->listed = STR("");
	ck_assert(!answers(&in, &out));
	*e = good;
	e->text = STR("no\r\n250 yes");
	ck_assert(!answers(&in, &out));
	e->text = STR("\xff");
	ck_assert(!answers(&in, &out));
	e->text = str_n(large, sizeof(large));
	ck_assert(!answers(&in, &out));
	*e = good;
	e->answer = (uint64_t)UINT32_MAX + 1;
	ck_assert(!answers(&in, &out));
	*e = good;
	e->of = 32;
	ck_assert(!answers(&in, &out));
	*e = good;
	ck_assert(answers(&in, &out));
}
END_TEST

UNIT_MAIN("ipc/msg_lists", question, no_question, answer, hostile)
