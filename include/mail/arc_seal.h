/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_ARC_SEAL_H
#define MAIL_ARC_SEAL_H

/*
 * arc_seal -- the fields by which who passes a message on says what he found of
 * it, and that all said so far is as he got it (RFC 8617 5.1).
 *
 * A set is made of three: the results, a signature of the message as it leaves
 * (dkim_field_begin() with an instance), and a seal of all sets.
 */

#include "mail/dkim.h"
#include "mail/dkim_signature.h"

/* The sets that HEADER has; -1: they are no chain, or more cannot be added. */
int arc_sets(struct str header) MUST_USE;
/* Adds ARC-Authentication-Results with the value of a field Authentication-Results. */
void arc_results_add(struct buf *b, unsigned instance, struct str value);
/*
 * Writes an ARC-Seal up to its "b=" into FIELD, which is empty, and what is to be
 * signed into DIGEST: the sets of HEADER, which has one less than the instance of
 * S, and NEW, the other two fields of this one.  The chain is good so far.
 * dkim_field_end() ends it.  -1: no digest can be made.
 */
int arc_seal_begin(struct str header, struct str new, const struct dkim_signer *s,
    struct buf *field, unsigned char digest[SHA256_SIZE]) MUST_USE;

#endif
