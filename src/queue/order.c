/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * order -- what an administrator wants of a message that is being attempted.
 *
 * Nobody but the attempt may touch the message meanwhile, so the order stands
 * beside it: an empty file, orders/ID.hold, whose name says all, made durable
 * before the administrator is answered.  The end of the attempt carries it
 * out and takes it away; whoever starts after a crash finds it.  It is never
 * older than what became of its message: it goes behind that, and a journal
 * is written in order.  One that is found though it was carried out does
 * nothing (src/queue/README).
 */

#include <errno.h>
#include <fcntl.h>

#include "lib/sys.h"
#include "queue/queue.h"

#include "spool.h"

#define WORD_MAX 8

static const char words[][WORD_MAX] = {
	[ORDER_HOLD] = "hold",
	[ORDER_DELETE] = "delete",
	[ORDER_BOUNCE] = "bounce",
};

struct order_name {
	char s[QUEUE_ID_SIZE + WORD_MAX];
};

static struct order_name
name_of(const char *id, enum queue_order o)
{
	struct order_name n;

	memcpy(n.s, id, QUEUE_ID_LEN);
	n.s[QUEUE_ID_LEN] = '.';
	memcpy(n.s + QUEUE_ID_LEN + 1, words[o], WORD_MAX);
	return n;
}

static int
unlink_one(struct queue *q, const char *id, enum queue_order o)
{
	struct order_name n = name_of(id, o);

	return sys_unlinkat(q->orders, n.s) < 0 && errno != ENOENT ? -1 : 0;
}

static int
create(struct queue *q, const char *name)
{
	int fd = sys_openat(q->orders, name,
	    O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

	if (fd >= 0)
		sys_close(fd);
	return fd >= 0 ? 0 : -1;
}

int
queue_order(struct queue *q, const char *id, enum queue_order was,
    enum queue_order now)
{
	struct order_name from, to;

	if (!queue_id_valid(str_c(id))) {
		errno = ENOENT;
		return -1;
	}
	if (now == ORDER_NONE)
		return queue_order_void(q, id);
	to = name_of(id, now);
	if (was == ORDER_NONE || was == now)
		return create(q, to.s);
	from = name_of(id, was);
	if (sys_renameat(q->orders, from.s, q->orders, to.s) == 0)
		return 0;
	return errno == ENOENT ? create(q, to.s) : -1;
}

int
queue_order_void(struct queue *q, const char *id)
{
	int r = 0;

	for (enum queue_order o = ORDER_HOLD; o <= ORDER_BOUNCE; o++)
		if (unlink_one(q, id, o) < 0)
			r = -1;
	return r;
}

int
queue_sync_orders(struct queue *q)
{
	return sys_fsync(q->orders);
}

/* ---- what stands there ----------------------------------------------- */

struct listing {
	void (*fn)(void *arg, const char *id, enum queue_order o);
	void *arg;
};

static bool
list_one(void *arg, int dir, const struct dirent *e)
{
	struct listing *l = arg;
	struct str id, word;
	char copy[QUEUE_ID_SIZE] = "";

	(void)dir;
	if (e == NULL)
		return false;
	if (!str_cut(str_c(e->d_name), '.', &id, &word) || !queue_id_valid(id))
		return true;
	memcpy(copy, id.p, QUEUE_ID_LEN);
	for (enum queue_order o = ORDER_HOLD; o <= ORDER_BOUNCE; o++)
		if (str_eq(word, str_c(words[o])))
			l->fn(l->arg, copy, o);
	return true;
}

int
queue_orders(struct queue *q,
    void (*fn)(void *arg, const char *id, enum queue_order o), void *arg)
{
	struct listing l = { fn, arg };

	return spool_list(q->orders, ".", list_one, &l);
}
