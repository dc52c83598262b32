/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef REPORT_JSON_H
#define REPORT_JSON_H

/* json -- what --json prints, a line or a block each. */

#include <stdio.h>

#include "conf/conf.h"
#include "ipc/feedback.h"
#include "queue/queue.h"
#include "report/audit.h"
#include "report/steps.h"
#include "report/view.h"

/* A message that stands in PLACE; LAST has an attempt for each recipient. */
void json_message(const struct queue_file *f, const char *place, const struct queue_attempt *last,
    FILE *out);
/* One that cannot be read, and why. */
void json_unreadable(const char *id, const char *place, uint64_t size, const char *reason,
    FILE *out);

/* A line that json_message() or json_unreadable() has written, read again. */
#define JSON_ROW_RCPTS 500
struct json_row {
	struct str place, id, sender, client, user;
	struct str unreadable;	/* why; empty: it is not */
	uint64_t size;
	int64_t arrival, next;	/* seconds since 1970; 0: unsaid */
	struct json_row_rcpt {
		struct str address, state, status, relay, reply;
		int64_t last;	/* the last attempt; 0: none */
	} *rcpts;
	size_t rcpt_n;		/* more than JSON_ROW_RCPTS are left out */
};
/* What R points to is in A.  False: TEXT is no such line. */
bool json_row(struct str text, struct arena *a, struct json_row *r) MUST_USE;

/* A row of a summary: recipients of a domain, by their age. */
#define SUMMARY_AGES 10
#define SUMMARY_FIRST_MINUTES 5	/* the end of the first column; each next is twice that */
struct summary_row {
	struct str domain;
	uint64_t n;
	uint64_t ages[SUMMARY_AGES];
};
void json_summary(const struct summary_row *rows, size_t n, bool by_sender, FILE *out);

/* Things that are collected and then printed within another. */
struct json_list;
struct json_list *json_list_new(void) MUST_USE;
void json_list_free(struct json_list *l);	/* NULL is fine */
void json_finding(struct json_list *l, const struct audit_finding *f);
/* Takes L. */
void json_audit(const struct audit_sum *s, struct json_list *l, FILE *out);

void json_steps(const char *subject, const struct steps *s, FILE *out);
void json_view(const struct view *v, int64_t now, FILE *out);

/* The lines "key value" of a status; keys that repeat become lists. */
void json_status(struct str text, FILE *out);
/* The lines of CONTROL_BLOCKS: an array of objects. */
void json_blocks(struct str text, FILE *out);
/* The lines of CONTROL_COLLECT: an array of objects. */
void json_collects(struct str text, FILE *out);
/* What CONTROL_AUTH says of USER: its verdict, and the answer of each backend. */
/* Of `baridctl dns-records`: a record that should be, and what is known of it. */
struct json_record {
	const char *name, *type, *value;
	const char *state;	/* "ok", "missing", "differs", "unknown" */
	const char *found;	/* what is there instead, or why nobody knows; or "" */
};
void json_records(const char *domain, const struct json_record *v, size_t n, FILE *out);
void json_answers(struct str user, struct str text, FILE *out);
/* Each option with its value, file and line. */
void json_config(const struct conf *c, FILE *out);

/* What the server of a token answers (RFC 6749 5.1, 5.2); empty: not there. */
struct json_token {
	struct str token;
	int64_t seconds;	/* that it is good for; 0: unsaid */
	struct str refresh;	/* another one to be used from now on */
	struct str error, words;
};
/* Foreign TEXT; what T points to is in A.  False: it is no JSON object. */
bool json_token(struct str text, struct arena *a, struct json_token *t) MUST_USE;

/* What a server says of a token (RFC 7662 2.2). */
struct json_introspection {
	bool active;
	struct str user;	/* the claim that was asked for, or empty */
	struct str scope;	/* words */
	int64_t not_before, expires;	/* seconds since 1970; 0: unsaid */
	bool for_audience;	/* it is one of those that the token is for */
};
/*
 * Reads TEXT; CLAIM is what names the user, AUDIENCE NULL or who we are.
 * What I points to is in A.  False: it is no such answer.
 */
bool json_introspection(struct str text, const char *claim, const char *audience,
    struct arena *a, struct json_introspection *i) MUST_USE;

/* What Rspamd says of a message: the answer to /checkv2. */
struct json_rspamd {
	double score, required;
	struct str action;
	struct str words;	/* for the client, or empty */
	struct str symbols[64];	/* rules that match; more are left out */
	size_t symbol_n;
	struct str subject;	/* what it should be, or empty */
	/* What it wants of the header ("milter"): more is left out. */
	struct json_rspamd_field {
		bool remove;
		struct str name, value;
		bool ordered;	/* of what is added: a place is said */
		int64_t which;	/* that, or which of them is to go */
	} fields[64];
	size_t field_n;
};
/* Foreign TEXT; what R points to is in A.  False: it is no such answer. */
bool json_rspamd(struct str text, struct arena *a, struct json_rspamd *r) MUST_USE;

/* ---- any other foreign document ---------------------------------------------- */

struct json;

/* NULL: TEXT is none. */
struct json *json_open(struct str text) MUST_USE;
void json_close(struct json *j);	/* NULL is fine */
/* What J has under NAME; what it has at place I; and how many there are.  NULL is fine. */
const struct json *json_member(const struct json *j, const char *name);
const struct json *json_item(const struct json *j, size_t i);
size_t json_items(const struct json *j);
/* A string, good until the end of the document; a number, in digits in A; or empty. */
struct str json_text(const struct json *j, struct arena *a);
/* A number that is none below 0; else 0. */
uint64_t json_number(const struct json *j);
/* For who will be confined: what jansson opens once is open then. */
void json_prepare(void);

/* A report of others as an object, with the name of its FILE. */
void json_feedback(const char *file, const struct feedback *f, FILE *out);

#endif
