/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_FEEDBACK_H
#define IPC_FEEDBACK_H

/*
 * feedback -- what a report of others says of mail: facts, each a name and a
 * value.
 *
 * Those of the report as a whole are its head; what it has many of (recipients,
 * rows, policies) are its rows, of which some are kept and all are counted.
 * The names are those of the journal, of `baridctl report` and of its JSON.
 * Every value is foreign, and is what its writer wants it to be; but it is
 * clean: no control characters, valid UTF-8, and short.
 */

#include "lib/arena.h"
#include "lib/buf.h"

/* FACT(NAME, its name, whether its value is digits alone) */
#define FEEDBACK_FACTS(FACT) \
	/* Of the message that the report is about. */ \
	FACT(ABOUT, "about", false) \
	FACT(MESSAGE_ID, "message-id", false) \
	FACT(ENVID, "envid", false) \
	FACT(ORIGINAL_FROM, "original-from", false) \
	FACT(ORIGINAL_TO, "original-to", false) \
	/* Of who reports. */ \
	FACT(ORG, "org", false) \
	FACT(CONTACT, "contact", false) \
	FACT(EXTRA_CONTACT, "extra-contact", false) \
	FACT(REPORT_ID, "report-id", false) \
	FACT(AGENT, "agent", false) \
	FACT(REPORTING_MTA, "reporting-mta", false) \
	FACT(BEGIN, "begin", true) \
	FACT(END, "end", true) \
	FACT(ARRIVED, "arrived", false) \
	/* RFC 3464, RFC 8098. */ \
	FACT(RECIPIENT, "recipient", false) \
	FACT(ORIGINAL_RECIPIENT, "original-recipient", false) \
	FACT(ACTION, "action", false) \
	FACT(STATUS, "status", false) \
	FACT(DIAGNOSTIC, "diagnostic", false) \
	FACT(REMOTE_MTA, "remote-mta", false) \
	FACT(LAST_ATTEMPT, "last-attempt", false) \
	FACT(WILL_RETRY, "will-retry", false) \
	FACT(DISPOSITION, "disposition", false) \
	/* RFC 5965, 6591, 6692. */ \
	FACT(FEEDBACK_TYPE, "feedback-type", false) \
	FACT(SOURCE_IP, "source-ip", false) \
	FACT(SOURCE_PORT, "source-port", true) \
	FACT(REPORTED_DOMAIN, "reported-domain", false) \
	FACT(REPORTED_URI, "reported-uri", false) \
	FACT(INCIDENTS, "incidents", true) \
	FACT(AUTH_FAILURE, "auth-failure", false) \
	FACT(AUTH_RESULTS, "authentication-results", false) \
	FACT(DELIVERY_RESULT, "delivery-result", false) \
	FACT(DKIM_DOMAIN, "dkim-domain", false) \
	FACT(DKIM_SELECTOR, "dkim-selector", false) \
	FACT(DKIM_IDENTITY, "dkim-identity", false) \
	FACT(SPF_DNS, "spf-dns", false) \
	FACT(ALIGNMENT, "identity-alignment", false) \
	/* RFC 7489, 9990. */ \
	FACT(DOMAIN, "domain", false) \
	FACT(POLICY, "policy", false) \
	FACT(SUBDOMAIN_POLICY, "subdomain-policy", false) \
	FACT(MISSING_POLICY, "missing-policy", false) \
	FACT(ADKIM, "adkim", false) \
	FACT(ASPF, "aspf", false) \
	FACT(PERCENT, "percent", true) \
	FACT(TESTING, "testing", false) \
	FACT(OPTIONS, "failure-options", false) \
	FACT(DISCOVERY, "discovery", false) \
	FACT(ERRORS, "error", false) \
	FACT(MESSAGES, "messages", true) \
	FACT(PASSED, "passed", true) \
	FACT(FAILED, "failed", true) \
	FACT(QUARANTINED, "quarantined", true) \
	FACT(REJECTED, "rejected", true) \
	FACT(DKIM, "dkim", false) \
	FACT(SPF, "spf", false) \
	FACT(REASON, "override", false) \
	FACT(HEADER_FROM, "header-from", false) \
	FACT(ENVELOPE_FROM, "envelope-from", false) \
	FACT(ENVELOPE_TO, "envelope-to", false) \
	FACT(AUTH_DKIM, "auth-dkim", false) \
	FACT(AUTH_SPF, "auth-spf", false) \
	/* RFC 8460. */ \
	FACT(POLICY_TYPE, "policy-type", false) \
	FACT(POLICY_DOMAIN, "policy-domain", false) \
	FACT(MX_HOST, "mx-host", false) \
	FACT(RESULT, "result", false) \
	FACT(SENDING_IP, "sending-ip", false) \
	FACT(RECEIVING_MX, "receiving-mx", false) \
	FACT(RECEIVING_IP, "receiving-ip", false) \
	FACT(FAILURE_REASON, "failure-reason", false)

#define FEEDBACK_ENUM(name, text, number) FACT_##name,
enum feedback_name { FEEDBACK_FACTS(FEEDBACK_ENUM) FACT_N };
#undef FEEDBACK_ENUM

/* Octets of a value; facts of a head or a row; rows that can be kept. */
#define FEEDBACK_VALUE_MAX 255
#define FEEDBACK_FACTS_MAX 32
#define FEEDBACK_ROWS_MAX 100
/* Of a number. */
#define FEEDBACK_DIGITS_MAX 15

struct feedback_fact {
	enum feedback_name name;
	struct str value;	/* never empty */
};

struct feedback_row {
	size_t n;
	struct feedback_fact facts[FEEDBACK_FACTS_MAX];
};

struct feedback {
	const char *kind;	/* as report_name() has it; "": nothing in it is a report */
	const char *why;	/* it cannot be read, or not to its end; or NULL */
	struct feedback_row head;
	size_t row_max;		/* that are kept */
	size_t row_n;
	uint64_t row_total;	/* that it has */
	struct feedback_row *rows;
	struct arena *arena;	/* of rows and values */
};

/* "source-ip" */
const char *feedback_name(enum feedback_name name);
bool feedback_is_number(enum feedback_name name);

/* Rows that are kept: at most FEEDBACK_ROWS_MAX.  A borrowed. */
void feedback_init(struct feedback *f, struct arena *a, size_t rows);
/* Another row; NULL: it is counted, and not kept. */
struct feedback_row *feedback_row(struct feedback *f);
/*
 * Adds a fact, with RAW made clean.  Not if nothing is left of it, if ROW is
 * NULL or full, if it has one of that name, or a number is none.
 */
void feedback_add(struct feedback *f, struct feedback_row *row, enum feedback_name name,
    struct str raw);
void feedback_add_number(struct feedback *f, struct feedback_row *row,
    enum feedback_name name, uint64_t v);
/* The value; empty: it has none. */
struct str feedback_find(const struct feedback_row *row, enum feedback_name name);

/* ---- between processes, as in ipc/msg.h ------------------------------------- */

/* barid-runner asks barid-check; the way to answer brings MSG_HINT and the message. */
struct msg_feedback {
	uint64_t at;		/* where in the file its text begins, */
	uint64_t size;		/* and its octets */
	uint64_t rows;		/* that are to be kept */
};
void msg_feedback_put(struct buf *b, const struct msg_feedback *m);
bool msg_feedback_get(struct str packet, struct msg_feedback *m) MUST_USE;

/* Rows that find no room in a packet are left out. */
void msg_feedback_result_put(struct buf *b, const struct feedback *f);
/*
 * F is initialised; values are views into PACKED, and what is KIND and WHY is in F's
 * arena.  False also for what is not clean.
 */
bool msg_feedback_result_get(struct str packet, struct feedback *f) MUST_USE;

#endif
