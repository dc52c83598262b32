/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CHECK_DKIM_H
#define CHECK_DKIM_H

/*
 * dkim -- whether a message's signatures are good: DKIM (RFC 6376) and the
 * chain of ARC (RFC 8617).  Pure: bytes and answers in, verdicts out.
 *
 * A message is read once, in pieces, as it is received: its header whole, then
 * its body; nothing of either is kept.  The calls come in this order:
 *
 *     dkim_check_new(), dkim_check_header()
 *     dkim_check_key_count(), dkim_check_key_name()  from here on
 *     dkim_check_body() for each piece, dkim_check_end()
 *     dkim_check_key() for each name that has an answer
 *     dkim_check_count(), dkim_check_verdict(), dkim_check_arc()
 *
 * so that DNS can be asked while the body still comes.  All texts in verdicts
 * are printable ASCII, without spaces but for reasons.
 */

#include "check/result.h"
#include "ipc/msg_txt.h"

/* Signatures that are looked at, from the top; dkim_check_ignored() counts the others. */
#define DKIM_CHECK_MAX 8

/* The words of RFC 8601 2.7.1. */
enum dkim_result {
	DKIM_PASS,
	DKIM_FAIL,	/* it does not fit what it came with */
	DKIM_NEUTRAL,	/* it cannot be read */
	DKIM_POLICY,	/* it may be good, but does not count here: expired, a part of the body */
	DKIM_TEMPERROR,	/* DNS has no answer now */
	DKIM_PERMERROR	/* nobody could verify it: no key, no From, an old algorithm */
};
/* "pass"; static. */
const char *dkim_result_name(enum dkim_result r);

struct dkim_verdict {
	enum dkim_result result;
	struct str reason;	/* empty with a pass */
	struct str domain;	/* "d=", in lower case and ASCII; empty: there is none to be read */
	struct str selector;	/* "s=", the same */
	struct str identity;	/* "i=", "@domain" where it says none; empty: the same */
	struct str algorithm;	/* "a=" */
	struct str b;		/* so many octets of "b=" that no other begins so (RFC 6008 4) */
	bool testing;		/* the key says "t=y": a failure is to mean nothing */
	bool reports;		/* it says "r=y": a failure may be reported (RFC 6651) */
};

enum arc_result { ARC_NONE, ARC_PASS, ARC_FAIL };
const char *arc_result_name(enum arc_result r);

struct arc_verdict {
	enum arc_result result;
	struct str reason;	/* of a failure */
	bool temporary;		/* it failed because DNS has no answer now */
	unsigned instance;	/* the highest, also of a chain that failed; 0: unknown */
	/* RFC 8617 5.2 5, with a pass: since when the text is as it is; 0: from the first on. */
	unsigned oldest_pass;
	struct str domain;	/* of the highest seal; or empty */
	struct str selector;
};

struct dkim_check;

enum { DKIM_CHECK_DKIM = 1, DKIM_CHECK_ARC = 2 };

/* WHAT is to be looked at; NOW in seconds since 1970. */
struct dkim_check *dkim_check_new(unsigned what, int64_t now) MUST_USE;
void dkim_check_free(struct dkim_check *c);	/* NULL is fine */
/* HEADER with CRLF line ends, with or without the blank line. */
void dkim_check_header(struct dkim_check *c, struct str header);
void dkim_check_body(struct dkim_check *c, struct str piece);
void dkim_check_end(struct dkim_check *c);

/* Names whose TXT records are wanted, each once; may be more than one question holds. */
size_t dkim_check_key_count(const struct dkim_check *c);
struct str dkim_check_key_name(const struct dkim_check *c, size_t i);
/* What DNS has of name I.  A name without answer is one that DNS could not tell. */
void dkim_check_key(struct dkim_check *c, size_t i, const struct txt_answer *a);

size_t dkim_check_count(const struct dkim_check *c);
size_t dkim_check_ignored(const struct dkim_check *c);
/* The texts are good as long as C. */
struct dkim_verdict dkim_check_verdict(const struct dkim_check *c, size_t i);
struct arc_verdict dkim_check_arc(struct dkim_check *c);
/*
 * Adds all of them, the chain first; "none" where there is no signature.  CLIENT is
 * the address that the message came from, or empty.  R points into both then.
 */
void dkim_check_results(struct dkim_check *c, struct str client, struct results *r);

#endif
