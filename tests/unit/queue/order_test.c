/* SPDX-License-Identifier: GPL-3.0-or-later */

/* order -- what stands beside a message: given, replaced, taken back, found. */

#include "tmpspool.h"

struct found {
	unsigned n;
	char id[QUEUE_ID_SIZE];
	enum queue_order last;
};

static void
on_order(void *arg, const char *id, enum queue_order o)
{
	struct found *f = arg;

	f->n++;
	memcpy(f->id, id, sizeof(f->id));
	f->last = o;
}

static struct found
find(struct tmpspool *t)
{
	struct found f = { 0 };

	ck_assert_int_eq(queue_orders(t->q, on_order, &f), 0);
	return f;
}

START_TEST(one_stands)
{
	static const enum queue_order orders[] = { ORDER_HOLD, ORDER_BOUNCE,
		ORDER_BOUNCE, ORDER_DELETE, ORDER_HOLD };
	enum queue_order was = ORDER_NONE;
	struct tmpspool t;
	struct found f;

	tmpspool_begin(&t);
	tmpspool_put(&t, STR(TEXT1), false);
	ck_assert_uint_eq(find(&t).n, 0);
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		ck_assert_int_eq(queue_order(t.q, t.env.id, was, orders[i]), 0);
		ck_assert_int_eq(queue_sync_orders(t.q), 0);
		was = orders[i];
		f = find(&t);
		ck_assert_uint_eq(f.n, 1);
		ck_assert_str_eq(f.id, t.env.id);
		ck_assert_int_eq(f.last, was);
	}
	ck_assert_int_eq(queue_order(t.q, t.env.id, was, ORDER_NONE), 0);
	ck_assert_uint_eq(find(&t).n, 0);
	/* What nobody remembers is made anew, and twice is once. */
	ck_assert_int_eq(
	    queue_order(t.q, t.env.id, ORDER_HOLD, ORDER_DELETE), 0);
	ck_assert_int_eq(
	    queue_order(t.q, t.env.id, ORDER_NONE, ORDER_DELETE), 0);
	ck_assert_int_eq(find(&t).last, ORDER_DELETE);
	ck_assert_int_eq(queue_order_void(t.q, t.env.id), 0);
	ck_assert_int_eq(queue_order_void(t.q, t.env.id), 0);
	ck_assert_uint_eq(find(&t).n, 0);
	tmpspool_end(&t);
}
END_TEST

START_TEST(what_is_none)
{
	static const char *const names[] = { "x", "0123456789ABCDEF012",
		"0123456789ABCDEF012.fold", "0123456789ABCDEF01.hold",
		"0123456789abcdef012.hold" };
	struct tmpspool t;

	tmpspool_begin(&t);
	ck_assert_int_eq(queue_order(t.q, "../x", ORDER_NONE, ORDER_HOLD), -1);
	ck_assert_int_eq(errno, ENOENT);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		tmpspool_file(tmpspool_path(&t, "orders", names[i]), STR(""));
	ck_assert_uint_eq(find(&t).n, 0);
	tmpspool_end(&t);
}
END_TEST

UNIT_MAIN("queue/order", one_stands, what_is_none)
