/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CHECK_SCAN_H
#define CHECK_SCAN_H

/*
 * scan -- a server is asked about one message: octets in, octets out, no
 * descriptor.
 *
 *	spamd	SpamAssassin's, by SPAMC/1.5: SYMBOLS, or PROCESS where the
 *		text is wanted back
 *	rspamd	POST /checkv2, by HTTP
 *	clamd	ClamAV's, by INSTREAM
 *
 * What goes out is scan_head(), scan_piece() with all of the text in pieces, and
 * scan_tail().  What comes in is taken as it comes, at any time; a server may
 * have its answer ready before it has heard everything.  Nothing that it says
 * is held beyond fixed sizes.
 */

#include "conf/checks.h"
#include "ipc/msg_scan.h"
#include "lib/arena.h"

enum scan_state {
	SCAN_MORE,	/* no answer yet */
	SCAN_DONE,	/* V is the answer, but that of rspamd is still to be read in BODY */
	SCAN_BROKEN	/* WHY it is none */
};

/* Of an answer: what stands before its body; a body that is read; the text that comes back. */
#define SCAN_HEAD_MAX 16384
#define SCAN_BODY_MAX ((size_t)256 << 10)
/* Octets that an edited text may be longer than what was sent. */
#define SCAN_EDIT_MORE ((uint64_t)256 << 10)
/* Octets of a piece, and what scan_piece() adds to one. */
#define SCAN_PIECE_MAX 32768
#define SCAN_PIECE_MORE 4

struct scan {
	enum scan_server server;
	const struct msg_scan *about;
	const char *user;	/* of spamd, or "" */
	bool edit;		/* of spamd: the text is wanted back */
	/* Takes a piece of that text; false: it cannot. */
	bool (*take)(void *arg, struct str piece);
	void *arg;

	enum scan_state state;
	bool in_body;
	uint64_t left;		/* octets of it still to come; UINT64_MAX: until the end */
	uint64_t edited;	/* octets that were taken */
	struct buf head, body;
	struct buf symbols, what;	/* what V points to */
	struct msg_scan_result v;
	const char *why;	/* static text */
};

/* ABOUT and USER are borrowed. */
void scan_init(struct scan *s, enum scan_server server, const struct msg_scan *about);
void scan_free(struct scan *s);

void scan_head(const struct scan *s, struct buf *out);
void scan_piece(const struct scan *s, struct buf *out, struct str text);
void scan_tail(const struct scan *s, struct buf *out);
/* BYTES came. */
enum scan_state scan_take(struct scan *s, struct str bytes);
/* The server has closed the connection. */
enum scan_state scan_end(struct scan *s);

/* What rspamd's ACTION means; false: it is none that is known. */
bool scan_take_action(struct scan *s, struct str action) MUST_USE;

/* ---- for who reads answers ------------------------------------------------- */

/* Adds a rule's name to what V has of them; what does not fit is left out. */
void scan_symbol(struct scan *s, struct str name);
/* TEXT is what V says; what may not stand in a header is replaced. */
void scan_say(struct scan *s, struct str text);
/* "-1.5", "1000": thousandths; false if it is no number, or one beyond bounds. */
bool scan_number(struct str text, int64_t *thousandths) MUST_USE;
/* Adds it as "-1.5". */
void scan_number_add(struct buf *b, int64_t thousandths);

/* ---- scan_fields.c: into the message, and for people ------------------------ */

/* Adds "spam (1000.0/5.0) tests=GTUBE": R in words, for a log. */
void scan_words_add(struct buf *b, const struct msg_scan_result *r);

/*
 * Adds the fields that say R of KIND: X-Spam-Flag, X-Spam-Score and
 * X-Spam-Status, or X-Virus-Status.  Nothing where nobody knows.
 */
void scan_fields_add(struct buf *b, enum scan_kind kind, const struct msg_scan_result *r);
/* True if NAME is a field that scan_fields_add() makes of KIND, or that is taken for one. */
bool scan_field_is_ours(enum scan_kind kind, struct str name) MUST_USE;

/* ---- scan_edit.c: a text that came back ------------------------------------- */

/*
 * Adds TEXT to OUT as a message that may be stored: TRACE, the fields of ours
 * that were sent with it, comes first and once, and lines end in CRLF; BINARY: those
 * of its header, since its body has none (RFC 3030).  NULL, or why it is no message.
 */
const char *scan_edited(struct buf *out, struct str text, struct str trace, bool binary)
    MUST_USE;
/* The names of rules in the X-Spam-Status of TEXT, as in struct msg_scan_result; in A. */
struct str scan_edited_symbols(struct str text, struct arena *a);

#endif
