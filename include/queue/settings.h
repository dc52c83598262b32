/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_SETTINGS_H
#define QUEUE_SETTINGS_H

/*
 * settings -- fields of a message's header that say how it is delivered.
 *
 * x-barid-* and, as MailerQ has them, x-mq-*: barid.conf(5), extract-headers.
 * Whether the sender may say so is the caller's to know.  Names of the
 * configuration (an upstream, a pool) must be there when the field is read;
 * what becomes of them later is the runner's business.
 */

#include "conf/conf.h"
#include "mail/header.h"
#include "queue/envelope.h"

struct settings {
	const struct conf *conf;
	struct arena *a;	/* of what is kept */
	int64_t now_us;
	bool may_store;		/* the text may stand elsewhere, and bring keys; false at first */
	unsigned seen;		/* bits by place in the table of fields */
	int64_t not_before_us;
	int64_t deadline_us;
	unsigned max_attempts;
	int priority;
	unsigned source_n;	/* addresses; all of them for a pool */
	struct str retry, source, route, envid, key, dkim;
	struct str host, user, password;	/* of a smarthost */
	uint16_t port;
	unsigned notify;
	enum dsn_ret ret;
};

void settings_init(struct settings *s, const struct conf *c, struct arena *a, int64_t now_us);
/* True if a field of that name is none of the message, whatever it says. */
bool settings_field(struct str name);
/* Takes such a field.  NULL, or a sentence in A that says what is wrong. */
const char *settings_take(struct settings *s, const struct field *f) MUST_USE;
/* Takes all such fields of the header at the start of TEXT. */
const char *settings_take_all(struct settings *s, struct str text) MUST_USE;
/*
 * Puts them into E, which has its recipients; what a client said by its own
 * protocol (NOTIFY, RET, ENVID) stays.  NULL, or why they contradict.
 */
const char *settings_apply(const struct settings *s, struct envelope *e) MUST_USE;
/* A time as these fields have it, in microseconds; -1: it is none, or too far away. */
#define SETTINGS_NO_TIME \
	"is no time within a year, such as \"2026-12-31 12:00:00\" (UTC) or \"+2h\""
int64_t settings_time(struct str v, int64_t now_us);
/* True if a message may choose ROUTE itself. */
bool settings_may_go(struct str route);

#endif
