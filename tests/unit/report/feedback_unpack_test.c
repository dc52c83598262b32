/* SPDX-License-Identifier: GPL-3.0-or-later */

/* feedback_unpack -- gzip and zips, whole, cut off, damaged, and ones that grow. */

#include "report/feedback_parts.h"

#include "lib/packed.h"
#include "report/feedback_read.h"
#include "unit.h"

#define ZIP_MAX ((size_t)1 << 20)

static bool
take(void *arg, struct str piece)
{
	buf_add(arg, piece);
	return true;
}

static bool
count(void *arg, struct str piece)
{
	*(size_t *)arg += piece.n;
	return true;
}

static bool
refuse(void *arg, struct str piece)
{
	(void)piece;
	++*(size_t *)arg;
	return false;
}

static void
look(struct str packed, const char *want, const char *why)
{
	const char *got;
	struct buf b;

	buf_init(&b, ZIP_MAX);
	got = feedback_unpack(packed, take, &b);
	ck_assert_msg(strstr(got ? got : "", why) != NULL, "got %s, expected %s", got, why);
	if (want != NULL)
		ck_str(buf_str(&b), str_c(want));
	ck_assert((got == NULL) == (why[0] == '\0'));
	buf_free(&b);
}

static void
add_u(struct buf *b, size_t v, int octets)
{
	for (; octets > 0; octets--, v >>= 8)
		buf_addc(b, (char)(v & 0xff));
}

struct file {
	const char *name;
	struct str body;	/* as it stands there */
	unsigned method, flags;
};

static void
zip(struct buf *b, const struct file *files, size_t n)
{
	size_t at[10], dir;

	buf_reset(b);
	for (size_t i = 0; i < n; i++) {
		at[i] = b->n;
		buf_add(b, STR("PK\3\4\x14\0\0\0"));
		add_u(b, files[i].method, 2);
		add_u(b, 0, 8);
		/* Sizes that are not known yet: only the directory has them. */
		add_u(b, 0, 8);
		add_u(b, strlen(files[i].name), 2);
		add_u(b, 3, 2);
		buf_adds(b, files[i].name);
		buf_adds(b, "xtr");
		buf_add(b, files[i].body);
	}
	dir = b->n;
	for (size_t i = 0; i < n; i++) {
		buf_add(b, STR("PK\1\2\x14\0\x14\0"));
		add_u(b, files[i].flags, 2);
		add_u(b, files[i].method, 2);
		add_u(b, 0, 8);
		add_u(b, files[i].body.n, 4);
		add_u(b, 0, 4);
		add_u(b, strlen(files[i].name), 2);
		add_u(b, 0, 12);
		add_u(b, at[i], 4);
		buf_adds(b, files[i].name);
	}
	add_u(b, 0x06054b50, 4);
	add_u(b, 0, 4);
	add_u(b, n, 2);
	add_u(b, n, 2);
	add_u(b, b->n - dir, 4);
	add_u(b, dir, 4);
	add_u(b, 0, 2);
}

START_TEST(gzip)
{
	struct buf b;

	buf_init(&b, ZIP_MAX);
	packed_gzip(&b, STR("hello"));
	ck_assert(feedback_is_packed(buf_str(&b)));
	ck_assert(!feedback_is_packed(STR("hello")) && !feedback_is_packed(STR("PK")));
	look(buf_str(&b), "hello", "");
	look(str_head(buf_str(&b), b.n - 1), "hello", "cut short");
	look(str_head(buf_str(&b), 3), "", "cut short");
	b.p[b.n - 6] ^= 1;
	look(buf_str(&b), NULL, "broken");
	buf_free(&b);
}
END_TEST

START_TEST(zips)
{
	struct file one = { "a.xml", STR("hello"), 0, 0 };
	struct file several[] = { { "dir/", STR(""), 0, 0 }, { "README", STR("no"), 0, 0 },
		{ "x/B.XML", STR("yes"), 0, 0 }, { "c.xml", STR("late"), 0, 0 } };
	struct buf gz, b;

	buf_init(&b, ZIP_MAX);
	buf_init(&gz, ZIP_MAX);
	zip(&b, &one, 1);
	ck_assert(feedback_is_packed(buf_str(&b)));
	look(buf_str(&b), "hello", "");
	zip(&b, several, ARRAY_LEN(several));
	look(buf_str(&b), "yes", "");
	zip(&b, several, 2);
	look(buf_str(&b), "no", "");
	zip(&b, several, 1);
	look(buf_str(&b), "", "broken");
	/* Without the header and the sum of gzip. */
	packed_gzip(&gz, STR("packed"));
	one = (struct file){ "a.json", str_n(gz.p + 10, gz.n - 18), 8, 0 };
	zip(&b, &one, 1);
	look(buf_str(&b), "packed", "");
	buf_adds(&b, "");
	one.body.n--;
	zip(&b, &one, 1);
	look(buf_str(&b), NULL, "cut short");
	one = (struct file){ "a.xml", STR("hello"), 0, 1 };
	zip(&b, &one, 1);
	look(buf_str(&b), "", "encrypted");
	one = (struct file){ "a.xml", STR("hello"), 12, 0 };
	zip(&b, &one, 1);
	look(buf_str(&b), "", "not known");
	buf_free(&gz);
	buf_free(&b);
}
END_TEST

/* Each octet of a zip is another, and it ends everywhere: nothing is read beyond it. */
START_TEST(damaged_zips)
{
	struct file one = { "a.xml", STR("hello"), 0, 0 };
	size_t n = 0;
	struct buf b;

	buf_init(&b, ZIP_MAX);
	zip(&b, &one, 1);
	for (size_t cut = 2; cut < b.n; cut++) {
		char *copy = malloc(cut);

		memcpy(copy, b.p, cut);
		look(str_n(copy, cut), "", "broken");
		free(copy);
	}
	for (size_t i = 2; i < b.n; i++)
		for (unsigned v = 0; v < 256; v += 5) {
			char was = b.p[i];

			b.p[i] = (char)v;
			(void)!feedback_unpack(buf_str(&b), count, &n);
			b.p[i] = was;
		}
	ck_assert_uint_gt(n, 0);
	buf_free(&b);
}
END_TEST

START_TEST(bombs)
{
	struct buf text, gz;
	size_t n = 0;

	buf_init(&text, 2 * FEEDBACK_OUT_MAX);
	buf_init(&gz, ZIP_MAX);
	memset(buf_room(&text, FEEDBACK_OUT_MAX + 1), ' ', FEEDBACK_OUT_MAX + 1);
	buf_grew(&text, FEEDBACK_OUT_MAX + 1);
	packed_gzip(&gz, buf_str(&text));
	ck_assert_str_eq(feedback_unpack(buf_str(&gz), count, &n), "it unpacks to more than is read");
	ck_assert_uint_le(n, FEEDBACK_OUT_MAX);
	/* Who has enough is not given more. */
	n = 0;
	ck_assert_ptr_null(feedback_unpack(buf_str(&gz), refuse, &n));
	ck_assert_uint_eq(n, 1);
	buf_free(&gz);
	buf_free(&text);
}
END_TEST

UNIT_MAIN("report/feedback_unpack", gzip, zips, damaged_zips, bombs)
