/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTPD_SMTPD_TEXT_H
#define SMTPD_SMTPD_TEXT_H

/* smtpd_text -- the text of a message on its way to the spool. */

#include "lib/stream.h"
#include "mail/facts.h"
#include "mail/report.h"
#include "smtpd_answer.h"

struct session;
struct queue_msg;

/* What the header of a message says that matters here. */
struct header_facts {
	unsigned received;
	struct str message_id;	/* in the transaction's arena */
	bool has_date, has_from, has_message_id;
	enum report_kind report;
	bool no_tls;		/* RFC 8689 3: TLS-Required: No */
	bool none;		/* the message starts with its body */
	bool is_field;		/* its first line is one of the header */
	size_t scanned;		/* octets that hold no blank line */
};

/* The text of a message while it comes. */
struct text {
	bool open;		/* it has begun, and has no end yet */
	struct queue_msg *msg;	/* NULL: header not whole, or refused */
	struct answer refusal;	/* code 0: none */
	struct header_facts header;
	struct facts facts;	/* BDAT */
	struct str row;		/* what a report says of it (smtpd_dmarc.c), or empty */
	uint64_t octets;	/* so far */
	int64_t start;		/* when the client was asked for more */
	uint64_t octets_before;	/* and what the stream had read then */
};

/* What is read and thrown away of a message that is refused already. */
#define TEXT_FLOOD (64u << 20)

/* A text of the transaction, which has its recipients. */
void text_begin(struct session *s);
/* From now on the client is waited for. */
void text_await(struct session *s);
/* It has until then for its next octets. */
int64_t text_deadline(const struct session *s);
/*
 * S->text has OCTETS more.  FAULT: why they are not to be had, or code 0.
 * END: nothing will follow.
 */
void text_more(struct session *s, size_t octets, struct answer fault, bool end);
/* The header of S->text, which is gathered, with its blank line; nothing if it has none. */
struct str text_header(const struct session *s);
/* Takes the fields out of it of which FN is true; ARG is S. */
void text_strip(struct session *s, bool (*fn)(void *arg, const struct field *f));
/* What the lists among the recipients say of the header in S->text: code 0, or a refusal. */
struct answer smtpd_list(struct session *s) MUST_USE;
/* Who gets a copy becomes a recipient. */
void store_archive(struct session *s);
/* The first reason counts; nothing of the message is kept. */
void text_refuse(struct session *s, struct answer why);
bool text_is_too_large(const struct session *s, uint64_t octets);
struct answer text_too_large(void);
/* The text is whole: stored, or the reason why not.  The transaction is over. */
struct answer text_end(struct session *s);
/* The connection ended within it, for VERB; or too much came. */
struct answer text_cut_off(struct session *s, const char *verb, enum stream_result r);
struct answer text_flood(const struct session *s);
/* All recipients are postmasters or abuse desks, who are to see what others complain of. */
bool text_is_for_desk(const struct session *s);
/* Reads N octets of FD, from AT on, into B. */
bool text_read(int fd, off_t at, size_t n, struct buf *b) MUST_USE;
/* Leaves nothing behind. */
void text_abort(struct session *s);

#endif
