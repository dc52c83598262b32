/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_DEST_H
#define RUNNER_DEST_H

/* dest -- where mail goes: a domain, an upstream, the mailboxes; its line. */

#include "lib/buf.h"
#include "dead.h"
#include "hosts.h"
#include "job.h"
#include "minute.h"
#include "parking.h"
#include "way.h"

struct group;
struct runner;

struct dest {
	struct runner *r;
	char *key;
	char *name;		/* domain, upstream */
	struct way *way;

	struct delivery *first, **last;	/* waiting */
	int least;		/* no priority among them is lower */
	size_t waiting;
	struct parking parking;

	struct delivery *left_first, **left_last;	/* left out: see left.c */
	size_t left_n;

	struct group *group;	/* of hosts that take its mail; NULL: unknown */
	struct dest *mate, **mate_at;	/* of the same group */
	struct dest *turn_next;	/* in the round of the group, or of accounts */
	bool in_turn;
	int64_t fresh_until;	/* clock_ms(): then the hosts are looked up */
	bool resolving;
	struct dest *asks_next;	/* in the line for a look-up */
	bool asks;
	struct dest *hungry_next;	/* parked mail may be taken up */
	bool hungry;
	struct dest *later_next;	/* in the line of dests_pump() */
	bool later;

	/* Deliveries of DEST_LOCAL in the pool, of barid-spawn, of DEST_LIST. */
	size_t active;
	size_t works;		/* that these are in */
	struct dead dead;	/* its name could not be looked up */

	struct delivery *filling;	/* of the job that is being started */
	size_t users;		/* deliveries of jobs that are loaded */
	struct minute minute;	/* outcomes */
	int64_t used_ms;
};

/* Deliveries into mailboxes at once: the threads of the pool are busy, and not much more. */
#define DEST_LOCAL_ACTIVE 12

/* The destinations of a runner. */
struct dests {
	struct map *all;
	struct dest *local;
	struct parking_lot lot;	/* places of all that is parked */
	size_t waiting;		/* deliveries in all lines */
	size_t waiting_max;	/* so many at most ... */
	size_t first_max;	/* ... and so many more that could go at once */
	size_t lookups;		/* under way */
	struct dest *asks_first, **asks_last;
	struct dest *hungry_first, **hungry_last;
	struct dest *later;
	size_t forwards;	/* active of all DEST_FORWARD */
	struct dest *turn_first, **turn_last;	/* of these, who waits for others */
};

void dests_init(struct runner *r);
void dests_free(struct runner *r);
/* Nobody waits for any of them: the jobs are about to go. */
void dests_forget(struct runner *r);
/* Forgets the unused. */
void dests_tick(struct runner *r);
/* Forgets which are dead (baridctl queue flush). */
void dests_revive(struct runner *r);
/* Those that got something back go on, when what gave it has returned. */
void dests_pump(struct runner *r);
/* A parked message that FROM has room for now; INDEX_NONE: there is none. */
uint32_t dests_next_parked(struct runner *r, struct dest **from);

struct dest *dest_get(struct runner *r, const struct dest_way *way);
/* Why mail for D is put off at once, at clock_ms() NOW; NULL: it is not. */
const struct dead *dest_dead(const struct dest *d, int64_t now);
/* True if more would only wait: the message is better parked. */
bool dest_full(const struct dest *d);
/* J's message stands behind D, too; whoever has room first takes it. */
void dest_park(struct dest *d, const struct job *j);
/* A message that is parked at D has its turn before one at OTHER, as it seems. */
bool dest_is_sooner(const struct dest *d, const struct dest *other);
/* SLOT is parked nowhere any more, and due. */
void dests_unpark(struct runner *r, uint32_t slot);
/* There may be room for what is parked. */
void dest_feed(struct dest *d);
/* Puts a delivery into the line; dest_pump() moves it. */
void dest_add(struct dest *d, struct delivery *v);
/* The same for one that was taken; it moves when this has returned. */
void dest_return(struct delivery *v);
struct delivery *dest_take(struct dest *d);
void dest_pump(struct dest *d);
/* A delivery of barid-spawn has begun, and has ended: others may go. */
void dest_spawning(struct dest *d);
void dest_spawned(struct dest *d);
/* How many deliveries it may have at once; 0: that is the matter of its group. */
size_t dest_most(const struct dest *d);
/* All that waits gets RES; what is parked will ask, and get it too. */
void dest_fail(struct dest *d, const struct result *res);
/* Puts off what came since it was DEAD, without another attempt. */
void dest_suspend(struct dest *d, const struct dead *dead);
/* There is no way now: what waits in the line is parked. */
void dest_unload(struct dest *d);
/* Addresses are there, or RES says why not; takes H. */
void dest_resolved(struct dest *d, struct hosts *h, const struct result *res);

/* left.c: beside the line, while others of its message are under way. */
void left_add(struct delivery *v);
void left_remove(struct delivery *v);
struct delivery *left_take(struct dest *d);	/* the first, or NULL */

/* local.c: hands deliveries of the line to the pool, as many as go together. */
void local_deliver(struct dest *d);
/* pipe.c: has the program run for the first of the line. */
void pipe_deliver(struct dest *d);
/* list.c: sends the first of the line to the members of its list. */
void list_deliver(struct dest *d);

#endif
