/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CHECK_SPF_H
#define CHECK_SPF_H

/*
 * spf -- whether a domain lets a client send its mail (RFC 7208).
 *
 * A pure function of a client and of what DNS says.  What it lacks it names:
 * whoever calls asks DNS for that and calls again, until there is a verdict.
 * All text of a verdict is printable ASCII.
 */

#include "lib/arena.h"
#include "lib/buf.h"
#include "net/dns.h"

/* RFC 7208 2.6. */
enum spf_code { SPF_NONE, SPF_NEUTRAL, SPF_PASS, SPF_FAIL, SPF_SOFTFAIL, SPF_TEMPERROR,
	SPF_PERMERROR };
#define SPF_CODES 7
/* "none", "neutral" ... */
const char *spf_name(enum spf_code code);

/* A longer record is a permerror, as is one with more terms. */
#define SPF_RECORD_MAX 4096
#define SPF_TERMS_MAX 512
/* Of a verdict, octets. */
#define SPF_TEXT_MAX 400

/* ---- what DNS says ------------------------------------------------------------ */

enum spf_type { SPF_TXT, SPF_A, SPF_AAAA, SPF_MX, SPF_PTR };

/* A question; its answer belongs to who made it. */
struct spf_question {
	enum spf_type type;
	const char *name;	/* any octets but NUL; labels and length are those of a name */
};

struct spf_facts;

struct spf_facts *spf_facts_new(void) MUST_USE;
void spf_facts_free(struct spf_facts *f);
/* A question that was never returned before, or NULL. */
const struct spf_question *spf_facts_lacking(struct spf_facts *f);
/* The answer to Q: texts, or names of hosts by preference. */
void spf_facts_text(struct spf_facts *f, const struct spf_question *q,
    enum dns_status status, const struct str *v, size_t n);
/* To one for addresses. */
void spf_facts_addr(struct spf_facts *f, const struct spf_question *q,
    enum dns_status status, const struct addr *v, size_t n);

/*
 * Asks D for all that F lacks, so many questions; each answer goes into F, and
 * then FN is called with how long it counts (UINT32_MAX: that says nothing).
 */
size_t spf_ask(struct dns *d, struct spf_facts *f, void (*fn)(void *arg, uint32_t ttl),
    void *arg);

/* ---- the verdict --------------------------------------------------------------- */

struct spf_client {
	struct addr address;	/* IPv4 or IPv6 */
	struct str helo;	/* what it calls itself, whatever that is */
	struct str local, domain;	/* of the sender; the local part may be empty */
	struct str receiver;	/* our name */
	struct str explanation;	/* a macro-string for who has none; or empty */
	int64_t now;		/* seconds since 1970 */
};

struct spf_verdict {
	enum spf_code code;
	struct str domain;	/* that was asked about */
	struct str mechanism;	/* that matched, as it stands in the record; "default" */
	struct str problem;	/* of an error; else empty */
	struct str explanation;	/* of a fail; or empty */
};

/* What there is of one message. */
struct spf_result {
	bool checked;
	struct spf_verdict helo;	/* of what the client calls itself */
	struct spf_verdict from;	/* of MAIL FROM, or of HELO if that is empty */
};

/*
 * RFC 7208 4.  False: F lacks something.  What V views is F's, or is as old as
 * the program.
 */
bool spf_check(const struct spf_client *c, struct spf_facts *f, struct spf_verdict *v) MUST_USE;

/*
 * Adds a field Received-SPF (9.1), folded, with its line end, about V on C,
 * whose sender is SENDER; HELO: it is about what the client calls itself.
 */
void spf_add_field(struct buf *b, const struct spf_client *c, struct str sender, bool helo,
    const struct spf_verdict *v);
/* Adds the same in one line, behind its name. */
void spf_add_line(struct buf *b, const struct spf_client *c, struct str sender, bool helo,
    const struct spf_verdict *v);

/* A domain as DNS knows it, in A; one that has no such form is empty. */
struct str spf_domain(struct str domain, struct arena *a);

/* RFC 7208 7.1: false if S is no macro-string as an explanation may be. */
bool spf_explanation_valid(struct str s);

#endif
