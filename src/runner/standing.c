/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * standing -- orders that stand in the spool beside their messages.
 *
 * An order to hold, delete or return a message that is being attempted is
 * carried out when the attempt ends, or at the next start if this process
 * does not live to see that.  So at a start they are read before anything is
 * known of the spool, and each message comes to know its own with its slot,
 * before it is tried.  What is neither in new/ nor in cur/ got on, and the
 * order with it, but for the last step: that is made again, or nothing is.
 */

#include <errno.h>

#include "control.h"
#include "lib/log.h"
#include "runner.h"

static const enum control_op ops[] = { [ORDER_NONE] = 0,
	[ORDER_HOLD] = CONTROL_HOLD,
	[ORDER_DELETE] = CONTROL_DELETE,
	[ORDER_BOUNCE] = CONTROL_BOUNCE };

enum queue_order
standing_order(unsigned op)
{
	for (enum queue_order o = ORDER_HOLD; o <= ORDER_BOUNCE; o++)
		if (ops[o] == op)
			return o;
	return ORDER_NONE;
}

static void
on_order(void *arg, const char *id, enum queue_order o)
{
	struct runner *r = arg;

	/* Of two the second was never acknowledged, nor was it refused. */
	if (runner_of(id, r->count) == r->number)
		map_put(r->standing, str_c(id), (void *)(uintptr_t)ops[o]);
}

void
standing_load(struct runner *r)
{
	r->standing = map_new();
	if (queue_orders(r->queue, on_order, r) < 0)
		log_error(NULL, "cannot read orders/: %s", strerror(errno));
	if (map_count(r->standing) == 0)
		standing_free(r);
	else
		log_info(NULL, "%zu orders of the administrator stand",
		    map_count(r->standing));
}

unsigned
standing_take(struct runner *r, const char *id)
{
	if (r->standing == NULL)
		return 0;
	return (unsigned)(uintptr_t)map_del(r->standing, str_c(id));
}

void
standing_rest(struct runner *r)
{
	struct str id;
	size_t at = 0;
	void *op;

	if (r->standing == NULL)
		return;
	while (map_next(r->standing, &at, &id, &op)) {
		char copy[QUEUE_ID_SIZE] = "";

		memcpy(copy, id.p, QUEUE_ID_LEN);
		steer_again(r, (enum control_op)(uintptr_t)op, copy);
	}
	standing_free(r);
}

void
standing_void(struct runner *r, const char *id)
{
	if (queue_order_void(r->queue, id) < 0)
		log_warn(id, "cannot remove an order that is carried out: %s",
		    strerror(errno));
}

void
standing_free(struct runner *r)
{
	map_free(r->standing);
	r->standing = NULL;
}
