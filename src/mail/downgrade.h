/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_DOWNGRADE_PLAN_H
#define MAIL_DOWNGRADE_PLAN_H

/*
 * downgrade -- what the two passes share: an octet of the plan.
 *
 * Three bits for each target say what is done to the part's body, the next
 * that its text is UTF-8 (for a part that does not say what it is).
 */

#include "mail/downgrade.h"
#include "recode.h"

/* Beside enum recode. */
#define PLAN_RELABEL 5U		/* the encoding's name alone is changed */
#define PLAN_NOT 6U		/* cannot be done */
#define PLAN_BITS 3U
#define PLAN_MASK 7U
#define PLAN_UTF8 64U

/* A header word that is longer cannot be folded; and where lines are folded. */
#define FOLD_WORD_MAX 990
#define FOLD_COLUMN 900

static inline unsigned
plan_of(unsigned char part, enum downgrade_to to)
{
	return part >> (to * PLAN_BITS) & PLAN_MASK;
}

#endif
