/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_JOURNAL_H
#define IPC_JOURNAL_H

/*
 * journal -- what became of each message, a line for each change.
 *
 * barid-journal(5) has the form.  The files stand in SPOOL/journal/; a
 * runner writes its own and nobody else's, so that nothing has to be locked
 * and a line that was cut off can only be the last of a file.
 */

#include <sys/types.h>

#include "ipc/feedback.h"

#define JOURNAL_DIR "journal"

enum journal_event {
	/* Of a runner. */
	JOURNAL_START,		/* it writes from here on */
	JOURNAL_STOP,		/* it ends in good order */
	JOURNAL_GAP,		/* lines could not be written */
	/* Of a message. */
	JOURNAL_QUEUED,		/* it is in the queue: said at each start and each day */
	JOURNAL_RECEIVED,
	JOURNAL_HELD,
	JOURNAL_RELEASED,
	JOURNAL_CHANGED,	/* its route or time was set by hand */
	JOURNAL_DEAD,
	JOURNAL_BAD,		/* it cannot be read: moved to bad/ */
	JOURNAL_DELETED,
	JOURNAL_REMOVED,	/* all is done: it leaves the queue */
	JOURNAL_DSN,		/* a report about it was put into the queue */
	JOURNAL_REPORT,		/* it was a report that came in, which was read */
	JOURNAL_REPORT_ROW,	/* one of its rows */
	/* Of a recipient. */
	JOURNAL_DELIVERED,
	JOURNAL_RELAYED,
	JOURNAL_DEFERRED,
	JOURNAL_BOUNCED,
	JOURNAL_EXPIRED,
	JOURNAL_DISCARDED,
	JOURNAL_EXPANDED,	/* others stand for it, who are recipients now */
	JOURNAL_N
};

/* A line: what is empty, or 0, is left out. */
struct journal_line {
	enum journal_event event;
	const char *id;		/* of the message; NULL: of a runner */
	struct str from;	/* addresses; of the null sender "<>" */
	struct str to;
	size_t rcpt;		/* number in the envelope, of a recipient's event */
	size_t rcpts;		/* how many the message has */
	/* received */
	int64_t arrival_us;
	uint64_t size;
	struct str client, helo, user, listener, proto, tls_in;
	/* an attempt */
	struct str relay, host, status, reply, dest, route, source, tls;
	bool has_delays;
	int64_t delays[4];	/* ms: before the queue, in it, connecting, transmitting */
	bool last;		/* expired, bounced: without another attempt */
	/* a report that came in */
	uint64_t rows;
	const struct feedback_row *facts;	/* or NULL */
	/* the rest */
	const char *cause;	/* of a report: the id of the message that it is about */
	struct str kind;	/* of a report, or of what was changed */
	struct str reason;
	int64_t due;		/* seconds: when it is tried again */
	size_t runner, of;
	uint64_t lost;
	int64_t since_us;
};

const char *journal_event_name(enum journal_event e);
/* Pure: adds the line, LF and all, for TIME (microseconds since 1970). */
void journal_format(struct buf *b, const struct journal_line *l, int64_t time_us);

/* ---- writing ------------------------------------------------------------ */

struct journal;

/*
 * Opens (and makes, for OWNER) the journal of SPOOL for RUNNER.  Files older
 * than KEEP_MS are removed at the turn of a day.  NULL: errno.
 */
struct journal *journal_open(const char *spool, size_t runner, uid_t owner,
    int64_t keep_ms) MUST_USE;
/* NULL is fine, here and below: then nothing is written. */
void journal_close(struct journal *j);
/*
 * Adds a line, in memory; many at once are written in portions.  Where there
 * is no room (the disk is full for long) it is counted as lost, which a gap
 * line will say.
 */
void journal_add(struct journal *j, const struct journal_line *l);
/* The same with a line that journal_format() made. */
void journal_add_line(struct journal *j, struct str line);
/* Octets that wait to be written. */
size_t journal_waiting(const struct journal *j);
/* Lines lost so far. */
uint64_t journal_lost(const struct journal *j);
/* Writes what waits, with one call.  -1: errno; it still waits. */
int journal_flush(struct journal *j) MUST_USE;
/*
 * Makes durable what was written, before the last journal_turn() too; from any
 * thread, but not beside that.
 */
int journal_sync(struct journal *j) MUST_USE;
/*
 * Goes on with another file if the day is over or the file is large: true
 * if a day began.  Old files are removed.
 */
bool journal_turn(struct journal *j);
/* As if it had been opened on DAY (since 1970): for tests. */
void journal_set_day(struct journal *j, int64_t day);

/* ---- reading ------------------------------------------------------------ */

/* Of a line, what adding up needs; views into it. */
struct journal_entry {
	enum journal_event event;
	struct str id, cause;	/* empty: none */
	int64_t time_us;
	bool has_rcpt;
	uint64_t rcpt, rcpts, runner, lost;
	int64_t since_us;
};

/* True if LINE (without its LF) is one; never fatal. */
bool journal_parse(struct str line, struct journal_entry *e) MUST_USE;

struct journal_reader;

/* The journal of SPOOL, files that begin at FROM_US or later.  NULL: errno. */
struct journal_reader *journal_reader_open(const char *spool, int64_t from_us) MUST_USE;
void journal_reader_close(struct journal_reader *r);
/*
 * Calls FN with each line that is complete and was not read before: days in
 * their order, lines of a file in theirs.  -1: errno.
 */
int journal_read(struct journal_reader *r,
    void (*fn)(void *arg, const char *file, uint64_t number, struct str line),
    void *arg) MUST_USE;
/* From the beginning again. */
void journal_rewind(struct journal_reader *r);
/* When the oldest file begins, microseconds; INT64_MAX: there is none. */
int64_t journal_oldest(const struct journal_reader *r);
/* What there was to be read, octets. */
uint64_t journal_octets(const struct journal_reader *r);
/* Files whose last line is not complete. */
size_t journal_torn(const struct journal_reader *r);

#endif
