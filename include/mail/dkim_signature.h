/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_DKIM_SIGNATURE_H
#define MAIL_DKIM_SIGNATURE_H

/*
 * dkim_signature -- what the field of a signature says: DKIM-Signature (RFC
 * 6376 3.5), ARC-Message-Signature and ARC-Seal (RFC 8617 4.1).
 */

#include "lib/buf.h"
#include "lib/digest.h"

enum dkim_kind { DKIM_SIGNATURE, DKIM_ARC_MESSAGE, DKIM_ARC_SEAL };

enum dkim_algorithm { DKIM_RSA_SHA256, DKIM_ED25519_SHA256, DKIM_RSA_SHA1, DKIM_ALGORITHM_UNKNOWN };

/* Instances of ARC (RFC 8617 4.2.1), and of none. */
#define ARC_INSTANCE_MAX 50
/* Octets of a signature by an RSA key of 4096 bits, and more. */
#define DKIM_PROOF_MAX 2048

struct dkim_signature {
	enum dkim_kind kind;
	enum dkim_algorithm algorithm;
	bool relaxed_header, relaxed_body;
	bool has_length;		/* "l=" */
	bool has_names;			/* "h=" */
	bool reports;			/* "r=y" (RFC 6651): a failure may be reported */
	uint64_t length;
	uint64_t made, expires;		/* seconds since 1970; 0: unsaid */
	unsigned instance;		/* of ARC */
	unsigned char body_hash[SHA256_SIZE];
	/* Views of the field. */
	struct str version, canonical, query, algorithm_name;
	struct str domain, selector;
	struct str identity;		/* "i=" of DKIM-Signature; empty: "@domain" */
	struct str names;		/* "h=" */
	struct str chain;		/* "cv=" of ARC-Seal */
	struct str proof;		/* "b=" in base64, with white space */
	struct str cut;			/* what stands behind "b=", for dkim_form_add_own() */
};

/*
 * Reads the value of a field.  NULL, or why it is no list of tags, or has not
 * those that it needs; what was understood is in S in any case.
 */
const char *dkim_signature_parse(struct str value, enum dkim_kind kind,
    struct dkim_signature *s) MUST_USE;
/* NULL, or why nobody can verify what was read: an unknown algorithm, no From (RFC 6376 6.1.1). */
const char *dkim_signature_flaw(const struct dkim_signature *s) MUST_USE;
/* Takes the next name of "h=" off *REST; false at its end. */
bool dkim_signature_name(struct str *rest, struct str *name);

/* Adds base64 TEXT without its white space, decoded; -1: it is none. */
int dkim_base64_add(struct buf *b, struct str text) MUST_USE;
/* The instance that an ARC-Authentication-Results field begins with (RFC 8617 4.1.1); 0: none. */
unsigned arc_results_instance(struct str value);

#endif
