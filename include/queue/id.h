/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_ID_H
#define QUEUE_ID_H

/*
 * id -- queue ids as numbers, for those who keep many: 12 octets in the place
 * of 20.  What an id is made of: queue/id.c.
 */

#include "queue/envelope.h"

#define QUEUE_ID_TIME_DIGITS 13

struct queue_number {
	uint64_t time;		/* microseconds since 1970 */
	uint32_t process;
};

/* ID is valid (queue_id_valid()). */
struct queue_number queue_number(struct str id);
void queue_number_id(struct queue_number q, char id[QUEUE_ID_SIZE]);
bool queue_number_eq(struct queue_number a, struct queue_number b);
/* For tables of these: its lower bits are as good as its upper ones. */
uint32_t queue_number_hash(struct queue_number q);

#endif
