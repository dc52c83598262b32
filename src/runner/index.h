/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_INDEX_H
#define RUNNER_INDEX_H

/* index -- what is known to be in the spool; pure. */

#include "queue/envelope.h"
#include "queue/id.h"
#include "queue/queue.h"

struct index;

#define INDEX_NONE UINT32_MAX

enum known_state {
	KNOWN_FREE,	/* no message: the slot is free */
	KNOWN_WAITING,	/* in the heap until it is due */
	KNOWN_BUSY,	/* attempted, or steered */
	KNOWN_PARKED	/* behind a destination that has enough to do */
};

/* A message that is in new/ or cur/: 32 octets each, and 12 around it. */
struct known {
	uint64_t time;		/* the id's digits of time ... */
	int64_t due;		/* seconds since 1970; of a parked one: see patience.c */
	uint32_t process;	/* ... and those of process */
	uint32_t heap_at;	/* of a parked one: its turn, see parking.c */
	uint32_t next;		/* in the list of free slots; of a parked one: its place; */
				/* of another: the turn that it had, or INDEX_NONE */
	uint8_t state;		/* enum known_state */
	uint8_t place;		/* enum queue_place */
	uint8_t op;		/* enum control_op to be done after the attempt, or 0 */
	uint8_t verify : 1;	/* the checksum has not been compared yet */
	uint8_t told : 1;	/* the journal says that it was received */
	uint8_t gone : 1;	/* it says that it was removed, which it is in a moment */
	uint8_t partly : 1;	/* some were tried when it was parked, and it has no time since */
};

struct index *index_new(void) MUST_USE;
void index_free(struct index *x);	/* NULL is fine */
size_t index_count(const struct index *x);
/* The memory that it has. */
size_t index_octets(const struct index *x);
/* The slot of message ID, or INDEX_NONE. */
uint32_t index_find(const struct index *x, const char *id);
/* Adds ID, waiting until DUE.  INDEX_NONE if it is no id; its slot if known. */
uint32_t index_add(struct index *x, const char *id, enum queue_place place,
    int64_t due);
void index_del(struct index *x, uint32_t slot);
/* Good until the next index_add(). */
struct known *index_at(struct index *x, uint32_t slot);
void index_id(const struct index *x, uint32_t slot, char id[QUEUE_ID_SIZE]);
/* Puts the slot among the waiting, or moves it there. */
void index_wait(struct index *x, uint32_t slot, int64_t due);
/* Takes the slot out of the waiting: it is busy. */
void index_claim(struct index *x, uint32_t slot);
/* Claims a slot that is due: first attempts and retries in turn. */
uint32_t index_take(struct index *x, int64_t now);
/* When the next is due; INT64_MAX: none waits. */
int64_t index_next_due(const struct index *x);
/* All that wait, or are parked, but for those that are to be taken at once, do so BY later. */
void index_shift(struct index *x, int64_t by);
/* Nobody waits beyond LATEST any more. */
void index_clamp(struct index *x, int64_t latest);
/* Visits every known slot: start with *AT = 0. */
bool index_next(const struct index *x, uint32_t *at, uint32_t *slot);

#endif
