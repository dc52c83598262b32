/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_SCORE_H
#define IPC_SCORE_H

/*
 * score -- the scoreboard: one shared, anonymous mapping that the master
 * makes at its start.  A slot for each session, and counters for all.  A slot
 * is taken by an acceptor, written by its session and freed by the master.
 */

#include <stdatomic.h>
#include <sys/types.h>

#include "ipc/blocks.h"
#include "ipc/leader.h"
#include "ipc/tally.h"
#include "lib/str.h"

enum score_state {
	SCORE_FREE, SCORE_CONNECT, SCORE_TLS, SCORE_COMMAND, SCORE_AUTH, SCORE_DATA,
	SCORE_COMMIT, SCORE_TRANSACTION, SCORE_UPDATE,
	SCORE_ENDED	/* it says so; the slot is not given back yet */
};

struct score_slot {
	_Atomic pid_t pid;	/* 0: free */
	_Atomic int state;	/* enum score_state */
	int service;		/* enum conf_service */
	_Atomic uint64_t address;	/* addr_key() */
	int64_t since_ms;
	_Atomic uint64_t messages;
	_Atomic uint64_t bytes;
	char client[48];
	char user[32];
};

enum score_counter {
	COUNT_CONNECTIONS, COUNT_REFUSED, COUNT_MESSAGES_IN, COUNT_RCPT_REJECTED,
	COUNT_AUTH_OK, COUNT_AUTH_FAILED, COUNT_DELIVERED, COUNT_DEFERRED, COUNT_BOUNCED,
	COUNT_RUNNER_ACTIVE, COUNT_RUNNER_QUEUED, COUNT_SCAN_WANTED, COUNT_CRASHES,
	COUNT_JOURNAL_LOST, COUNT_REPORTS_IN,
	COUNT_RATE_LIMITED,
	COUNT_CONNECTIONS_OUT,	/* that there are */
	COUNT_N
};

struct score;

struct score *score_new(size_t slots) MUST_USE;	/* mapped shared; NULL: errno */
/*
 * A descriptor of the mapping (memfd) that helper programs inherit, and its
 * attachment there, which takes FD unless it fails.
 */
int score_fd(const struct score *s);
struct score *score_attach(int fd) MUST_USE;
void score_free(struct score *s);	/* NULL is fine */

/*
 * The book of the slots: of the master, which makes it, and of those that it
 * gives the descriptor to, so that they take slots and count them.  A child that
 * is forked has not got it.  score_attach_book() takes FD unless it fails (-1).
 */
int score_book_fd(struct score *s);
int score_attach_book(struct score *s, int fd) MUST_USE;
/*
 * In a child of the master that answers for it: it has the book from now on, for
 * score_look(), score_live() and the like, but only to read, and no descriptor of it.
 */
void score_only_look(struct score *s);

/*
 * With the book: takes a free slot, or NULL.  ADDRESS 0 is a client that is not
 * counted by its address: a socket of this host, or a proxy, whose session
 * says later for whom it speaks.
 */
struct score_slot *score_take(struct score *s, int service, uint64_t address, const char *client);
/*
 * Where the pid of its session belongs for score_find(), before that can end:
 * for the kernel to write (proc_fork_sibling()); the session's own is slot->pid.
 */
_Atomic pid_t *score_pid(struct score *s, const struct score_slot *slot);
/* Or writes both by hand. */
void score_started(struct score *s, struct score_slot *slot, pid_t pid);
void score_give(struct score *s, struct score_slot *slot);
/* Gives back what TAKER, which has ended, took for sessions that it did not come to fork. */
void score_forget(struct score *s, pid_t taker);
/*
 * Session: SLOT is that of a client at ADDRESS from now on, as a peer said
 * that is trusted with it.  How many other slots show that address.
 */
size_t score_speak_for(struct score *s, struct score_slot *slot, uint64_t address,
    const char *client);
/* Live slots in all, of one address, and the slot of a pid (NULL: none). */
size_t score_live(const struct score *s);
size_t score_live_from(const struct score *s, uint64_t address);
/*
 * With the book: whether one of these says that it has ended (SCORE_ENDED), and
 * only waits to be given back.  A session can say anything: a reason to look
 * again in a moment, and no more.
 */
bool score_any_ended(const struct score *s);
struct score_slot *score_find(struct score *s, pid_t pid);
struct score_slot *score_at(struct score *s, size_t i);	/* NULL at the end */
size_t score_slots(const struct score *s);	/* that there are, taken or not */
/*
 * Copies slot I for reading: its strings end, and with the book its
 * pid, address and client are those of score_take() and of the fork, whatever
 * the session has made of its slot; but who its client is says the session where
 * the master took ADDRESS 0.  For every use that believes a slot: a signal to
 * a pid, a line of text.  False behind the last one that was ever taken.
 */
bool score_look(const struct score *s, size_t i, struct score_slot *copy);
void score_look_at(const struct score *s, const struct score_slot *slot,
    struct score_slot *copy);

/*
 * Logins by the name of the mailbox: how many ms ago was the last, -1 if
 * nobody knows.  Only so many are known; the oldest is forgotten.
 */
int64_t score_since_login(const struct score *s, struct str name, int64_t now);
void score_logged_in(struct score *s, struct str name, int64_t now);

/*
 * What is counted of clients (ipc/tally.h), in tables of their own, so that
 * who floods one has no part in the others; and the keys of them.
 */
enum score_tally {
	TALLY_GUESS_ADDRESS,	/* wrong passwords, by address */
	TALLY_GUESS_USER,	/* and by the name that they were said for */
	TALLY_TARPIT,		/* unknown recipients, by address */
	TALLY_CLIENT, TALLY_USER, TALLY_SENDER, TALLY_RECIPIENT, TALLY_ALL,	/* mail */
	TALLY_N
};
struct tally *score_tally(struct score *s, enum score_tally which);
/* Who has most in it. */
struct leader *score_leader(struct score *s, enum score_tally which);
uint64_t score_key(const struct score *s, enum score_tally which, uint64_t value);
uint64_t score_key_str(const struct score *s, enum score_tally which, struct str text);
/* A service (enum conf_service) that takes nobody new, until it is told to or a restart. */
void score_turn_off(struct score *s, int service, bool off);
bool score_is_off(const struct score *s, int service);
/* No list of clients in DNS is asked before UNTIL (clock_ms; INT64_MAX: never again). */
void score_suspend_lists(struct score *s, int64_t until);
int64_t score_lists_suspended(const struct score *s);
/* Who is refused for a time. */
struct blocks *score_blocks(struct score *s);

/*
 * What a runner has under way, in its queue and open to servers goes up and
 * down, and would stay up when it is killed: so each has a cell of its own for them, which
 * is empty when it begins and is cleared when it has ended.
 */
#define SCORE_CELLS 64
void score_own(struct score *s, size_t cell);
void score_clear(struct score *s, size_t cell);

void score_add(struct score *s, enum score_counter c, int64_t by);
uint64_t score_get(const struct score *s, enum score_counter c);
const char *score_counter_name(enum score_counter c);
const char *score_state_name(int state);

#endif
