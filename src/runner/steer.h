/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_STEER_H
#define RUNNER_STEER_H

/* steer -- an order under way, as the files that carry it out share it. */

#include "ipc/msg.h"
#include "lib/buf.h"
#include "queue/queue.h"

struct runner;

/* ITEM_LOOK: where it is, and whether it is meant, is to be seen (again). */
enum item_do { ITEM_LOOK, ITEM_NOTHING, ITEM_MATCHED, ITEM_ACT, ITEM_DONE,
	ITEM_FAILED };

struct item {
	char id[QUEUE_ID_SIZE];
	uint8_t todo;		/* enum item_do */
	uint8_t place;		/* enum queue_place: where it was seen */
	uint8_t was;		/* of ORDERED: enum control_op that stood there, or 0 */
	bool known;		/* in the index */
	bool busy;		/* ... and being attempted */
	bool ordered;		/* nobody may touch it: the order goes beside it */
	bool put;		/* there may be one beside it */
	bool appointed;		/* not to be tried before a time */
	uint32_t rcpts;		/* 0: not known */
	size_t line, line_n;	/* its received line, in LINES */
};

struct control {
	struct control *next;
	struct runner *r;
	int answer;		/* -1: nobody waits for it */
	enum control_op op;
	char *domain;		/* "": any */
	char *route;		/* CONTROL_CHANGE; "": as it is */
	int64_t due;		/* CONTROL_CHANGE, seconds; 0: as it is */
	bool by_id;
	bool listed;		/* whom it concerns was listed */
	bool waits;		/* for messages that are on their way, and */
	bool idle;		/* ... the pool has nothing else to do for it */
	bool stands;		/* its orders stand in the spool already */
	struct item *items;
	size_t n, size;
	struct buf lines;
	uint64_t count, failed, busy;
};

void steer_add(struct control *c, const char *id, enum queue_place place, bool known);
/* steer_look.c: which of the items are meant, and what is known of them; in the pool. */
void steer_look(void *control);
/* steer_act.c: does it to those that are ITEM_ACT; in the pool. */
void steer_act(void *control);

#endif
