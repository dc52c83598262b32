/* SPDX-License-Identifier: GPL-3.0-or-later */

/* listing_tray_test -- a message that is a tray and a file at the same time is listed once. */

#include "queue/tmptray.h"
#include "report/listing.h"

#include <sys/stat.h>

static struct tmpspool spool;
static bool left;

/* As tray_leave() leaves it for a moment: the same in cur/. */
static void
leave(void)
{
	char shard[3] = { spool.env.id[11], spool.env.id[12], '\0' }, name[64];
	struct queue_file f;
	struct buf b;

	tmpspool_load(&spool, QUEUE_NEW, &f);
	buf_init(&b, 1 << 20);
	tmpspool_slurp(tray_path(&spool), &b);
	(void)mkdir(tmpspool_path(&spool, "cur", shard), 0700);
	(void)snprintf(name, sizeof(name), "%s/%s", shard, spool.env.id);
	tmpspool_file(tmpspool_path(&spool, "cur", name),
	    str_head(buf_str(&b), (size_t)f.text_at + f.size));
	buf_free(&b);
	queue_unload(&f);
	left = true;
}

/* Who reads the list: when the message is there it leaves its tray. */
static ssize_t
reader(void *cookie, const char *p, size_t n)
{
	(void)cookie;
	if (!left && memmem(p, n, spool.env.id, QUEUE_ID_LEN) != NULL)
		leave();
	return (ssize_t)n;
}

static uint64_t
list(struct queue *q, const struct listing_filter *f, enum listing_form form)
{
	FILE *out = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = reader });
	uint64_t count = 99;

	ck_assert_ptr_nonnull(out);
	setvbuf(out, NULL, _IONBF, 0);
	ck_assert_int_eq(listing_write(q, f, NULL, form, out, &count), 0);
	ck_assert_int_eq(fclose(out), 0);
	return count;
}

static void
lists_once(const struct listing_filter *f, enum listing_form form)
{
	struct queue *q;

	begin(&spool);
	lay(&spool, STR(TEXT1));
	q = another(&spool);
	left = false;
	/* While it leaves, and when it is in both. */
	ck_assert_uint_eq(list(q, f, form), 1);
	ck_assert(left);
	ck_assert_uint_eq(list(q, f, form), 1);
	queue_close(q);
	tmpspool_end(&spool);
}

START_TEST(once)
{
	static const struct listing_filter all, sorted = { .sort = LISTING_BY_SIZE };

	lists_once(&all, LISTING_JSON);
	lists_once(&all, LISTING_IDS);
	lists_once(&sorted, LISTING_MAILQ);
}
END_TEST

START_TEST(by_name)
{
	struct listing_filter named = { .id_n = 1 };
	struct str id = str_n(spool.env.id, QUEUE_ID_LEN);

	/* Views the id of whatever is laid. */
	named.ids = &id;
	lists_once(&named, LISTING_SHOW);
}
END_TEST

UNIT_MAIN("report/listing_tray", once, by_name)
