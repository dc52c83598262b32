/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef REPORT_AUDIT_TABLE_H
#define REPORT_AUDIT_TABLE_H

/* audit_table -- what is known of each message, in little memory. */

#include "queue/id.h"

/* Recipients whose outcome stands in the entry itself. */
#define AUDIT_FEW 8
#define AUDIT_NOWHERE 15	/* no place of the spool */

enum audit_flag {
	AUDIT_SAID = 1,		/* received, or queued, or a report: it was accepted */
	AUDIT_WHOLE = 2,	/* ... and all that followed is in the journal */
	AUDIT_REMOVED = 4,
	AUDIT_ERASED = 8,	/* deleted */
	AUDIT_WAS_DEAD = 16,
	AUDIT_LOOKED = 32,	/* its place was looked up by its name */
	AUDIT_ENDED = 64,	/* an outcome was told */
	AUDIT_OWN = 128		/* it was accepted, by a line of its own runner */
};

struct audit_entry {
	struct queue_number id;
	uint32_t rcpt_n;	/* 0: not known */
	uint8_t flags;
	uint8_t place;		/* enum queue_place, AUDIT_NOWHERE */
	union {
		uint8_t few[AUDIT_FEW];
		uint8_t *many;	/* where RCPT_N is larger */
	} u;			/* outcome + 1, or 0: none */
};

struct audit_table;

struct audit_table *audit_table_new(void) MUST_USE;
void audit_table_free(struct audit_table *t);
void audit_table_reset(struct audit_table *t);
uint32_t audit_table_count(const struct audit_table *t);
/* The entry of ID (which is one), made if it is not there; good until the next. */
struct audit_entry *audit_table_get(struct audit_table *t, struct str id);
struct audit_entry *audit_table_at(struct audit_table *t, uint32_t i);
/* Microseconds since 1970, as the id says. */
int64_t audit_id_time(struct str id);
uint32_t audit_id_hash(struct str id);
/* Says how many recipients there are; more than before. */
void audit_entry_grow(struct audit_entry *e, uint32_t rcpt_n);
/* The place of recipient I, which is below RCPT_N. */
uint8_t *audit_entry_rcpt(struct audit_entry *e, uint32_t i);

#endif
