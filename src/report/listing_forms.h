/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef REPORT_LISTING_FORMS_H
#define REPORT_LISTING_FORMS_H

/* listing_forms -- what the files of the listing share. */

#include "report/listing.h"

struct summary;

/* A message that is listed. */
struct listing_one {
	const struct queue_file *f;	/* NULL: it cannot be read */
	const char *id;
	enum listing_state state;
	int64_t mtime;
	uint64_t size;		/* of the file */
	const char *reason;	/* why it cannot be read */
	const struct queue_attempt *last;	/* for each recipient */
};

struct listing {
	const struct listing_filter *filter;
	const struct listing_facts *facts;
	struct queue *queue;
	enum listing_form form;
	FILE *out;
	uint64_t count, octets;
	struct summary *summary;
	struct arena *arena;	/* of the message under way */
};

const char *listing_state_name(enum listing_state s);
/* True if something is still to be done for R. */
bool listing_open(const struct queue_file *f, const struct envelope_rcpt *r);

/* listing_text.c */
void listing_mailq_one(struct listing *l, const struct listing_one *m);
void listing_mailq_end(const struct listing *l);
void listing_show_one(struct listing *l, const struct listing_one *m);

/* listing_json.c */
void listing_json_one(const struct listing_one *m, FILE *out);

/* listing_summary.c */
struct summary *summary_new(bool by_sender, int64_t now_us) MUST_USE;
void summary_free(struct summary *s);
void summary_add(struct summary *s, const struct queue_file *f);
void summary_write(const struct summary *s, bool json, FILE *out);

#endif
