/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * left -- deliveries that were left out, of messages that are loaded.
 *
 * A message of several destinations goes to those that have room for it.
 * What is left out stands here, beside the line, and is taken up before all
 * that is parked as soon as there is room: while others of its message are
 * under way it takes no memory of its own.  When these are over and it still
 * stands here, the message is parked (plan.c).
 */

#include "group.h"

#include "job.h"

static void
count(struct dest *d, int by)
{
	d->left_n += by;
	if (d->group != NULL)
		d->group->parked += by;
}

void
left_add(struct delivery *v)
{
	struct dest *d = v->dest;

	v->left = true;
	v->next = NULL;
	v->left_at = d->left_last;
	*d->left_last = v;
	d->left_last = &v->next;
	count(d, 1);
	dest_feed(d);
}

void
left_remove(struct delivery *v)
{
	struct dest *d = v->dest;

	v->left = false;
	*v->left_at = v->next;
	if (v->next != NULL)
		v->next->left_at = v->left_at;
	else
		d->left_last = v->left_at;
	count(d, -1);
}

struct delivery *
left_take(struct dest *d)
{
	struct delivery *v = d->left_first;

	if (v != NULL)
		left_remove(v);
	return v;
}
