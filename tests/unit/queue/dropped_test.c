/* SPDX-License-Identifier: GPL-3.0-or-later */

/* dropped -- the file that a message was made of, and when the message may go. */

#include "queue/dropped.h"

#include "tmpspool.h"

#include <limits.h>
#include <sys/time.h>

#include "counted.h"

/* The name in drop/ that E says, or "". */
static const char *
name_of(const struct envelope *e)
{
	static char space[NAME_MAX + 1];
	struct buf b;

	buf_init_in(&b, space, sizeof(space));
	queue_dropped_as(e, &b);
	return buf_cstr(&b);
}

static void
took(void *arg, const char *id)
{
	memcpy(arg, id, QUEUE_ID_SIZE);
}

/* Imports the one file in drop/; what its envelope says of its name. */
static const char *
imported(struct tmpspool *t, char id[QUEUE_ID_SIZE])
{
	const char *reason;
	struct queue_file f;

	ck_assert_int_eq(queue_import(t->q, took, id), 1);
	ck_assert_int_eq(queue_load(t->q, QUEUE_NEW, id, true, &t->a, &f, &reason), 0);
	queue_unload(&f);
	return name_of(&f.env);
}

static int
take_out(struct tmpspool *t, const char *id, const char *name)
{
	return queue_remove_dropped(t->q, QUEUE_NEW, id, name) == 0 ? 0 : errno;
}

START_TEST(of_sendmail)
{
	char id[QUEUE_ID_SIZE], name[NAME_MAX + 1];
	struct tmpspool t;
	struct buf b;

	tmpspool_begin_with(&t, "drop", &b);
	tmpspool_write(&t, "drop", buf_str(&b));
	snprintf(name, sizeof(name), "%s", imported(&t, id));
	ck_assert_str_eq(name, id);
	/* As if the import had been cut off: it is for the next one to say that it is the same. */
	tmpspool_write(&t, "drop", buf_str(&b));
	ck_assert_int_eq(take_out(&t, id, name), EAGAIN);
	ck_assert(tmpspool_has(&t, "drop", id) && tmpspool_has(&t, "new", id));
	ck_assert_int_eq(unlink(tmpspool_path(&t, "drop", id)), 0);
	ck_assert_int_eq(take_out(&t, id, name), 0);
	ck_assert(!tmpspool_has(&t, "new", id));
	buf_free(&b);
	tmpspool_end(&t);
}
END_TEST

#define EML "To: a@b.example\r\nFrom: s@t.example\r\n\r\nbody\r\n"

static void
put_eml(struct tmpspool *t, const char *name)
{
	const struct timeval then[2] = { { 1700000000, 0 }, { 1700000000, 0 } };

	tmpspool_file(tmpspool_path(t, "drop", name), STR(EML));
	ck_assert_int_eq(utimes(tmpspool_path(t, "drop", name), then), 0);
}

/* Any octets are a name; and the next message under the same one is another. */
START_TEST(of_an_eml)
{
	static const char *const names[] = { "a.eml", "A B+=\"\303\274.EML", "\001\n\377.eml" };
	char id[QUEUE_ID_SIZE];
	struct tmpspool t;

	tmpspool_begin(&t);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		put_eml(&t, names[i]);
		ck_assert_str_eq(imported(&t, id), names[i]);
		ck_assert(!tmpspool_has(&t, "drop", names[i]));
		put_eml(&t, names[i]);
		ck_assert_int_eq(take_out(&t, id, names[i]), 0);
		ck_assert_int_eq(unlink(tmpspool_path(&t, "drop", names[i])), 0);
	}
	ck_assert_int_eq(counted(t.q, QUEUE_NEW), 0);
	tmpspool_end(&t);
}
END_TEST

/* What a session may write into an envelope: nothing else comes of it than a wait. */
START_TEST(hostile)
{
	static const char *const values[] = { "", "+", "+0", "../new/x", "/etc/passwd", "+00", ".", ".." };
	char longest[2 * NAME_MAX];
	struct envelope_extra x = { STR("dropped-as"), STR("x.eml") };
	struct tmpspool t;

	tmpspool_begin(&t);
	tmpspool_put(&t, STR(TEXT1), false);
	ck_assert_str_eq(name_of(&t.env), "");
	t.env.extras = &x;
	t.env.extra_n = 1;
	ck_assert_str_eq(name_of(&t.env), "");
	t.env.listener = STR("sendmail");
	ck_assert_str_eq(name_of(&t.env), "x.eml");
	memset(longest, 'x', sizeof(longest));
	x.value = str_n(longest, sizeof(longest));
	ck_assert_str_eq(name_of(&t.env), "");
	put_eml(&t, "x.eml");
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		x.value = str_c(values[i]);
		ck_assert_int_eq(take_out(&t, t.env.id, name_of(&t.env)), 0);
		tmpspool_put(&t, STR(TEXT1), false);
		t.env.listener = STR("sendmail");
		t.env.extras = &x;
		t.env.extra_n = 1;
	}
	ck_assert_int_eq(take_out(&t, t.env.id, "x.eml"), 0);
	ck_assert(tmpspool_has(&t, "drop", "x.eml"));
	ck_assert_int_eq(take_out(&t, t.env.id, NULL), ENOENT);
	tmpspool_end(&t);
}
END_TEST

UNIT_MAIN("queue/dropped", of_sendmail, of_an_eml, hostile)
