/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_DEST_H
#define RUNNER_DEST_H

/* dest -- where mail goes: the line of deliveries, and the connections. */

#include "lib/buf.h"
#include "hosts.h"
#include "job.h"
#include "minute.h"

struct conn;
struct runner;

enum dest_kind { DEST_LOCAL, DEST_MX, DEST_UPSTREAM };

/* A way that mail takes; what differs here is another destination. */
struct dest_way {
	enum dest_kind kind;
	struct str name;	/* domain, upstream */
	const struct conf_upstream *upstream;	/* DEST_UPSTREAM */
	const struct conf_upstream *fallback;	/* DEST_MX: another way, or NULL */
	int tls;		/* DEST_MX: enum conf_client_tls */
	struct str source;	/* what it leaves from, as in policy/source.h */
};

struct dest {
	struct runner *r;
	enum dest_kind kind;
	char *key;
	char *name;		/* domain, upstream */
	const struct conf_upstream *upstream, *fallback;
	struct arena own;	/* an upstream that stands in no configuration */
	int tls;		/* enum conf_client_tls, of MX hosts */
	char *source;		/* what mail leaves from, as in policy/source.h */
	size_t source_turn;	/* of several addresses */

	struct delivery *first, **last;	/* waiting */
	size_t waiting;
	uint32_t parked_first, parked_last;
	size_t parked;

	struct conn *conns;
	size_t conn_n;
	size_t ready_n;		/* of them, those that got through */
	size_t active;		/* deliveries of DEST_LOCAL in the pool */
	size_t window;		/* connections that it may have now */
	bool wants;		/* stands in the line for a connection */
	struct dest *wants_next;

	struct hosts *hosts;
	bool resolving;
	bool no_chunking;	/* one of its hosts broke off at BDAT */
	int64_t dead_until;	/* clock_ms() */
	struct cause cause;

	struct delivery *filling;	/* of the job that is being started */
	struct minute minute;	/* outcomes */
	bool pumping, pump_again;
	int64_t used_ms;
};

struct dest *dest_get(struct runner *r, const struct dest_way *way);
/* True if more would only wait: the message is better parked. */
bool dest_full(const struct dest *d);
void dest_park(struct dest *d, uint32_t slot);
/* All that is parked waits again, so that an order finds it. */
void dest_unpark_all(struct runner *r);
/* Puts a delivery into the line; dest_pump() moves it. */
void dest_add(struct dest *d, struct delivery *v);
struct delivery *dest_take(struct dest *d);
void dest_pump(struct dest *d);
/* Addresses are there, or RES says why not; takes H. */
void dest_resolved(struct dest *d, struct hosts *h, const struct result *res);
/* A connection is gone; WHY: it never got through. */
void dest_closed(struct dest *d, const struct result *why);
/* Forgets which are dead (baridctl queue flush). */
void dest_revive(struct runner *r);
/* Forgets the unused. */
void dest_tick(struct runner *r);
/* A delivery was carried out: there may be one connection more. */
void dest_worked(struct dest *d);
/* Connections have ended: those that waited for that go on. */
void dest_give_slots(struct runner *r);
void dest_free_all(struct runner *r);

/* local.c: hands the delivery to the pool. */
void local_deliver(struct delivery *v);

/* ---- conn ---------------------------------------------------------------- */

/* Opens a connection for D, which asks for a delivery when it is ready. */
void conn_open(struct dest *d);
/* The addresses of D are there (or WHY not): its connections that wait go on. */
void conn_resolved(struct dest *d, const struct result *why);
/* Gives work to an idle connection of D; false if there is none. */
bool conn_wake(struct dest *d);
/* Ends the idle connections, or NOW all: what is in doubt stays queued. */
void conn_stop_all(struct runner *r, bool now);
/* Ends one idle connection of whatever destination; false if there is none. */
bool conn_yield(struct runner *r);
void conn_reap(struct runner *r);

#endif
