/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_GROUP_H
#define RUNNER_GROUP_H

/* group -- hosts that take the mail of one or more destinations. */

#include "dest.h"
#include "ipc/share.h"
#include "lib/loop.h"
#include "window.h"

struct conn;

struct group {
	struct runner *r;
	char *key;
	char *name;		/* of the destination that came first */
	struct way *way;	/* of the one that was looked up last */
	size_t source_turn;	/* of several addresses */
	bool no_chunking;	/* one of its hosts broke off at BDAT */
	struct hosts *hosts;	/* as looked up last */

	struct dest *mates, **mates_last;	/* destinations whose mail it takes */
	size_t waiting, parked;	/* theirs, and what is left out */
	struct dest *turn_first, **turn_last;	/* those that have mail */

	/* What spares it: of a section, or of queue. */
	const struct conf_destination *section;
	uint64_t per_destination, per_connection;
	int64_t idle_ms, connect_ms;
	int64_t reply_ms;	/* 0: as RFC 5321 says */
	unsigned ignore;	/* EXT_*: what its hosts only seem to have */
	struct loop_timer *timer;	/* for what ends by itself ... */
	int64_t hold_until;	/* ... a rate, on clock_ms(), or others' connections */

	struct conn *conns;
	size_t conn_n;
	size_t ready_n;		/* of them, those that got through */
	struct window window;
	struct dead dead;

	struct group *wants_next;	/* in the line for a connection */
	bool wants;

	bool pumping, pump_again;
	struct group *later_next;	/* in the line of groups_pump() */
	bool later;
	int64_t used_ms;
	int64_t worked_ms;	/* clock_ms() when it took a message; 0: never */
};

/* Those that wait for a connection. */
struct wants {
	struct group *first, **last;
	size_t n;
};

/* The groups of a runner. */
struct groups {
	struct map *all;
	struct wants wants[2];	/* those who may have of the reserve: the second */
	struct group *serving;
	struct loop_timer *poll;	/* other runners may give one back */
	struct group *later;
};

void groups_init(struct runner *r);
void groups_free(struct runner *r);
void groups_tick(struct runner *r);
void groups_revive(struct runner *r);
/* Those that may open more connections do it, when what told them has returned. */
void groups_pump(struct runner *r);

/* D's mail goes to H, which is taken, from now on. */
void group_join(struct dest *d, struct hosts *h);
/* No more, or not before it is looked up again. */
void group_leave(struct dest *d);
/* D, which joined, has mail: it takes part in the round. */
void group_turn(struct dest *d);
/* The next delivery, of each destination in turn; NULL: there is none. */
struct delivery *group_take(struct group *g);
void group_pump(struct group *g);
/* There may be room for what its destinations have parked. */
void group_feed(struct group *g);
/* It went to D, which is asked last the next time: there may be room for one alone. */
void group_fed(struct dest *d);
/* Mail could not go now however little there were of it. */
bool group_is_shut(const struct group *g);

/* Another of its connections stands or may yet, or its hosts took mail lately. */
bool group_lives(const struct group *g);

/* What its connections have to say. */
void group_ready(struct group *g);
void group_worked(struct group *g);
/* One is gone; WHY: it came to nothing. */
void group_closed(struct group *g, const struct result *why);

/* spare.c: what a configuration says to spare a group. */
/* One of its names is NAME, or one of H's. */
void spare_name(struct group *g, const char *name, const struct hosts *h);
/* A message may go now, and is counted; false: the timer is set. */
bool spare_pass(struct group *g);
/* The same without counting it. */
bool spare_may_pass(struct group *g);
/* What has passed does not go after all. */
void spare_undo(struct group *g);
/* Looks again in so many ms: others may have given a connection back. */
void spare_poll(struct group *g, int64_t ms);
void spare_free(struct group *g);

/* slots.c: who may open a connection, of those that all share. */
enum slot { SLOT_TAKEN, SLOT_NONE, SLOT_NONE_HERE };
/* SLOT_NONE: there is none for anybody; SLOT_NONE_HERE: none for G. */
enum slot slot_take(struct group *g, struct share_place *place);
/* There is one, though nobody was asked who came before. */
bool slot_may_force(const struct group *g);
struct share_place slot_force(struct group *g);
void slot_give(const struct group *g, struct share_place place);
/* A connection that carried so many messages is better given to another runner. */
bool slot_owed(const struct group *g, struct share_place place, size_t messages);
/* Takes a place in the line for one. */
void slot_want(struct group *g);
/* True if somebody waits: who needs none gives it back. */
bool slot_wanted(const struct runner *r);
/* Connections have ended: those that waited for that go on. */
void slots_serve(struct runner *r);
/* Those that hang in a greeting while others wait are given up. */
void slots_hurry(struct runner *r);

/* ---- conn ---------------------------------------------------------------- */

/* Opens a connection for G at PLACE, which asks for a delivery when it is ready. */
void conn_open(struct group *g, struct share_place place);
bool conn_is_idle(const struct group *g);	/* one of G's */
/* Gives work to an idle connection of G; false if there is none, of one or the other. */
bool conn_wake(struct group *g);
/* Ends the idle connections, or NOW all: what is in doubt stays queued. */
void conn_stop_all(struct runner *r, bool now);
/* Ends one idle connection of whatever group; false if there is none. */
bool conn_yield(struct runner *r);
/* Gives up those that wait for a greeting while others wait for a place. */
void conn_hurry(struct runner *r, size_t n);
void conn_reap(struct runner *r);

#endif
