/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CHECK_DNSBL_TERMS_H
#define CHECK_DNSBL_TERMS_H

/*
 * dnsbl_terms -- what lists in DNS are asked for: an address by its octets turned
 * around, a domain by itself and by the one that was registered, which lists mostly
 * have (RFC 5782 2.1, 2.2).  Each once, however many things have it.
 */

#include "check/dnsbl.h"
#include "lib/arena.h"
#include "mail/path.h"

#define DNSBL_TERMS_MAX 64
/* Addresses of one answer that are looked at. */
#define DNSBL_ANSWERS_MAX 8

struct dnsbl_term {
	unsigned of;		/* 1 << enum conf_dnsbl_of, of each that it is asked for */
	struct str text;	/* "192.0.2.1", "bad.example.org" */
	struct str asked;	/* "1.2.0.192", "bad.example.org": what stands before a zone */
};

/* All zero: none. */
struct dnsbl_terms {
	struct dnsbl_term v[DNSBL_TERMS_MAX];
	size_t n;
};

/*
 * Adds WHAT, an address or a domain as domain_add_host() has it, that is OF; what
 * there is no room for is left out.  Copies go to A.  False: it is neither.
 */
bool dnsbl_terms_add(struct dnsbl_terms *t, enum conf_dnsbl_of of, struct str what,
    struct arena *a) MUST_USE;

/* Adds the name that T has in ZONE; false: that would be too long for a name. */
bool dnsbl_term_add_name(struct buf *b, const struct dnsbl_term *t, const char *zone) MUST_USE;

/* RFC 5782 5: of what each list has, and none has, for some kinds. */
struct dnsbl_probe {
	unsigned of;		/* bits of the kinds */
	const char *never, *never_asked;	/* "127.0.0.1", and "1.0.0.127" before the zone */
	const char *always, *always_asked;
};
#define DNSBL_PROBES 2
extern const struct dnsbl_probe dnsbl_probes[DNSBL_PROBES];

/* What a zone answers for a term.  All zero: it does not have it. */
struct dnsbl_answer {
	bool late;		/* nobody knows */
	uint32_t v[DNSBL_ANSWERS_MAX];	/* in host order */
	size_t n;
	struct str text;	/* of its TXT record; foreign */
};

/* Notes the answer A of ZONE for T in FOUND, as dnsbl_note() does. */
void dnsbl_term_note(const struct conf_dnsbls *c, const struct dnsbl_term *t, const char *zone,
    const struct dnsbl_answer *a, struct dnsbl_entry *found);
/* True if A is an entry that may refuse, whose text is wanted for that. */
bool dnsbl_term_wants_text(const struct conf_dnsbls *c, const struct dnsbl_term *t,
    const char *zone, const struct dnsbl_answer *a);

#endif
