/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CHECKD_CHECKD_H
#define CHECKD_CHECKD_H

/*
 * checkd -- what the files of barid-check share.
 *
 * main.c	start and end
 * questions.c	the channel: what is asked, and who takes it
 * places.c	how many questions of a kind are open, and who waits for an answer
 * dmarc.c	messages that are reported to the domains of their authors
 * grey.c	senders that come again
 * lists.c	questions about a client and its domains, and the lists that are asked
 * name.c	questions for the name of a client, and who is behind a name
 * spf.c	questions about a client and its sender
 * text.c	questions for the records of keys and policies
 * feedback.c	reports of others that are read for runners
 * scan.c	messages that a server of spam or viruses is asked about
 * scan_conn.c	the connection to that server
 * scan_rspamd.c	what Rspamd says, and wants changed
 * zones.c	which lists there are, and whether they can be believed
 */

#include "check/dnsbl.h"
#include "ipc/answers.h"
#include "lib/clock.h"
#include "lib/map.h"
#include "net/dns.h"

/* A list, however many sections are about it. */
struct zone {
	const char *name;
	unsigned of;		/* what its sections are of: bits of 1 << enum conf_dnsbl_of */
	unsigned failed;	/* tests of RFC 5782 5, bits: it is not asked */
	unsigned silent;	/* those that it has no entry for: said once */
	int64_t said_ms;	/* when an answer that is none was last in the log */
};

/* Kinds of questions that DNS is asked for. */
enum place { PLACE_LISTS, PLACE_TEXTS, PLACE_SPF, PLACE_NAMES, PLACES_N };

/* Of one kind. */
struct places {
	size_t open;		/* that somebody waits for */
	size_t kept;		/* and those that DNS still has something of */
	size_t waiting;
	int64_t swept_ms;
	struct place_waiting *first, *last;
	bool busy;
};

struct checkd {
	struct conf *conf;
	int channel;
	struct loop *loop;
	struct loop_io *io;
	struct dns *dns;
	struct loop_timer *test;
	struct zone *zones;	/* one, however many sections have its name */
	size_t zone_n;
	struct answers *known;	/* what lists have, by question */
	struct map *open;	/* struct inquiry by question */
	struct answers *texts;	/* records by name; of name.c, by its words */
	struct answers *verdicts;	/* of SPF, by question */
	struct scans *scans;	/* messages that are looked at */
	struct readers *readers;	/* of reports */
	void *greylist;		/* or NULL */
	struct desk *desk;	/* of reports; or NULL */
	struct places places[PLACES_N];
};

/* ---- lists.c -------------------------------------------------------------------- */

/* Answers PACKET by REPLY, which it takes, now or later. */
void lists_take(struct checkd *d, struct str packet, int reply);

/* ---- text.c --------------------------------------------------------------------- */

/* The same. */
void text_take(struct checkd *d, struct str packet, int reply);

/* ---- grey.c --------------------------------------------------------------------- */

/* Before this process is confined. */
void grey_open(struct checkd *d);
void grey_close(struct checkd *d);
void grey_take(struct checkd *d, struct str packet, int reply);

/* ---- dmarc.c -------------------------------------------------------------------- */

/* Before this process is confined; begin: when it has its loop. */
void dmarc_open(struct checkd *d);
void dmarc_begin(struct checkd *d);
void dmarc_close(struct checkd *d);
/* What PACKET says, which nobody has an answer to. */
void dmarc_take(struct checkd *d, struct str packet);

/* ---- name.c --------------------------------------------------------------------- */

/* The same. */
void iprev_take(struct checkd *d, struct str packet, int reply);
void exists_take(struct checkd *d, struct str packet, int reply);

/* ---- spf.c ---------------------------------------------------------------------- */

/* The same. */
void spf_take(struct checkd *d, struct str packet, int reply);

/* ---- feedback.c ----------------------------------------------------------------- */

/* Before this process takes questions. */
void readers_open(struct checkd *d);
void readers_close(struct checkd *d);
/* The same. */
void feedback_take(struct checkd *d, struct str packet, int reply);

/* ---- scan.c --------------------------------------------------------------------- */

struct scan_job;

void scans_open(struct checkd *d);
void scans_close(struct checkd *d);
/* The same. */
void scan_take_question(struct checkd *d, struct str packet, int reply);

/* ---- zones.c -------------------------------------------------------------------- */

void zones_open(struct checkd *d);
void zones_close(struct checkd *d);
/* In the log, but not often: ANSWER of Z is none (dnsbl_is_error()). */
void zone_complain(struct zone *z, uint32_t answer);

/* ---- questions.c ---------------------------------------------------------------- */

/*
 * Until when an answer is kept that DNS wants to be kept for TTL seconds: from a
 * minute to an hour.  UINT32_MAX: DNS has said nothing.
 */
static inline int64_t
keep_until(uint32_t ttl)
{
	int64_t s = ttl == UINT32_MAX || ttl < 60 ? 60 : ttl > 3600 ? 3600 : (int64_t)ttl;

	return clock_ms() + s * 1000;
}

void questions_open(struct checkd *d);
void questions_close(struct checkd *d);
/* Sends PACKET to who asked, and closes the way to him: who is gone needs no answer. */
void question_answer(int reply, struct str packet);

/* ---- places.c ------------------------------------------------------------------- */

typedef void take_fn(struct checkd *d, struct str packet, int reply);

/* Has TAKE take PACKET, as soon as there is a place of kind K; or closes REPLY. */
void place_ask(struct checkd *d, enum place k, take_fn *take, struct str packet, int reply);
/* A question takes a place, leaves it, and is no more. */
void place_begin(struct checkd *d, enum place k);
void place_end(struct checkd *d, enum place k);
void place_forget(struct checkd *d, enum place k);
/* Nobody waits for a place any more. */
void places_close(struct checkd *d);

/* Who waits for an answer. */
struct waiter {
	int fd;			/* -1: nobody */
	struct loop_io *io;
	void (*gone)(void *arg);
	void *arg;
};

/* Takes REPLY.  GONE is called if nobody waits for what it leads to any more. */
void waiter_open(struct waiter *w, struct checkd *d, int reply, void (*gone)(void *arg),
    void *arg);
/* Sends PACKET, and closes the way. */
void waiter_answer(struct waiter *w, struct str packet);
/* Nobody is fine. */
void waiter_close(struct waiter *w);

#endif
