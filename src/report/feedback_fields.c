/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * feedback_fields -- reports that are written as fields of a header: what became
 * of a message (RFC 3464), what its reader did with it (RFC 8098), complaints
 * and failures (RFC 5965, 6591, 6692); and the header of the message itself.
 *
 * A line that is no field is left out, as is a field that nobody knows.  That a
 * message was ours is read from its Received: the one that we put into it has
 * our name and the id that it had here.  Whoever has seen such a line can
 * write it again: so it leads to a message, and proves nothing.
 */

#include "feedback_parts.h"
#include "mail/header.h"
#include "queue/envelope.h"

/* What is done with a value. */
enum form {
	PLAIN,
	TYPED,		/* "rfc822; a@b": what stands behind the type */
	WORD		/* the first word: a comment may follow */
};

struct known {
	struct str field;
	enum feedback_name name;
	enum form form;
};

#define F(text) { text, sizeof(text) - 1 }
/* clang-format off */
static const struct known of_message[] = {
	{ F("Original-Envelope-Id"), FACT_ENVID, PLAIN },
	{ F("Reporting-MTA"), FACT_REPORTING_MTA, TYPED },
	{ F("Arrival-Date"), FACT_ARRIVED, PLAIN },
};

static const struct known of_recipient[] = {
	{ F("Final-Recipient"), FACT_RECIPIENT, TYPED },
	{ F("Original-Recipient"), FACT_ORIGINAL_RECIPIENT, TYPED },
	{ F("Action"), FACT_ACTION, WORD },
	{ F("Status"), FACT_STATUS, WORD },
	{ F("Diagnostic-Code"), FACT_DIAGNOSTIC, TYPED },
	{ F("Remote-MTA"), FACT_REMOTE_MTA, TYPED },
	{ F("Last-Attempt-Date"), FACT_LAST_ATTEMPT, PLAIN },
	{ F("Will-Retry-Until"), FACT_WILL_RETRY, PLAIN },
};

static const struct known of_notification[] = {
	{ F("Reporting-UA"), FACT_AGENT, PLAIN },
	{ F("Final-Recipient"), FACT_RECIPIENT, TYPED },
	{ F("Original-Recipient"), FACT_ORIGINAL_RECIPIENT, TYPED },
	{ F("Original-Message-ID"), FACT_MESSAGE_ID, PLAIN },
	{ F("Disposition"), FACT_DISPOSITION, PLAIN },
};

static const struct known of_complaint[] = {
	{ F("Feedback-Type"), FACT_FEEDBACK_TYPE, WORD },
	{ F("User-Agent"), FACT_AGENT, PLAIN },
	{ F("Original-Mail-From"), FACT_ORIGINAL_FROM, PLAIN },
	{ F("Original-Rcpt-To"), FACT_ORIGINAL_TO, PLAIN },
	{ F("Original-Envelope-Id"), FACT_ENVID, PLAIN },
	{ F("Arrival-Date"), FACT_ARRIVED, PLAIN },
	{ F("Received-Date"), FACT_ARRIVED, PLAIN },
	{ F("Reporting-MTA"), FACT_REPORTING_MTA, TYPED },
	{ F("Source-IP"), FACT_SOURCE_IP, WORD },
	{ F("Source-Port"), FACT_SOURCE_PORT, WORD },
	{ F("Incidents"), FACT_INCIDENTS, WORD },
	{ F("Reported-Domain"), FACT_REPORTED_DOMAIN, WORD },
	{ F("Reported-URI"), FACT_REPORTED_URI, PLAIN },
	{ F("Authentication-Results"), FACT_AUTH_RESULTS, PLAIN },
	{ F("Auth-Failure"), FACT_AUTH_FAILURE, WORD },
	{ F("Delivery-Result"), FACT_DELIVERY_RESULT, WORD },
	{ F("DKIM-Domain"), FACT_DKIM_DOMAIN, WORD },
	{ F("DKIM-Selector"), FACT_DKIM_SELECTOR, WORD },
	{ F("DKIM-Identity"), FACT_DKIM_IDENTITY, WORD },
	{ F("SPF-DNS"), FACT_SPF_DNS, PLAIN },
	{ F("Identity-Alignment"), FACT_ALIGNMENT, PLAIN },
};
/* clang-format on */

/* ---- fields -------------------------------------------------------------------- */

static struct str
value_of(const struct field *f, enum form form)
{
	struct str v = str_trim(f->value), type, rest;

	if (form == TYPED && str_cut(v, ';', &type, &rest))
		return str_trim(rest);
	if (form == WORD) {
		(void)str_cut(v, '\n', &v, &rest);
		rest = str_trim(v);
		v = str_word(&rest);
	}
	return v;
}

static void
take_field(struct feedback *f, struct feedback_row *row, const struct known *known, size_t n,
    const struct field *field)
{
	for (size_t i = 0; i < n; i++)
		if (str_ieq(field->name, known[i].field))
			feedback_add(f, row, known[i].name, value_of(field, known[i].form));
}

/*
 * Takes the fields up to the next empty line off *BODY.  False: there was not even
 * one that looks like one.
 */
static bool
take_group(struct feedback *f, struct feedback_row *row, const struct known *known, size_t n,
    struct str *body)
{
	struct field field;
	struct str line;
	bool any = false;
	int r;

	while (body->n > 0 && (r = field_next(body, &field)) != 0) {
		if (r > 0) {
			take_field(f, row, known, n, &field);
			any = true;
		} else {
			(void)str_cut(*body, '\n', &line, body);
		}
	}
	return any;
}

/* True if the first group of BODY is that of a recipient, as some leave the other out. */
static bool
begins_with_recipient(struct str body)
{
	struct field field;

	while (field_next(&body, &field) > 0)
		if (str_ieq(field.name, STR("Final-Recipient")) ||
		    str_ieq(field.name, STR("Original-Recipient")))
			return true;
	return false;
}

/* Takes what is not even the beginning of a line off *BODY. */
static void
skip_blank(struct str *body)
{
	while (body->n > 0 && strchr(" \t\r\n", body->p[0]) != NULL && body->p[0] != '\0')
		*body = str_skip(*body, 1);
}

static void
take_recipient(struct feedback *f, struct str *body)
{
	struct feedback_row row = { .n = 0 }, *kept;
	bool keep = f->row_n < f->row_max;

	if (!take_group(f, keep ? &row : NULL, of_recipient, ARRAY_LEN(of_recipient), body) ||
	    (keep && row.n == 0))
		return;
	kept = feedback_row(f);
	if (kept != NULL)
		*kept = row;
}

void
feedback_dsn(struct feedback *f, struct str body)
{
	f->kind = "dsn";
	skip_blank(&body);
	if (!begins_with_recipient(body))
		(void)take_group(f, &f->head, of_message, ARRAY_LEN(of_message), &body);
	for (skip_blank(&body); body.n > 0; skip_blank(&body))
		take_recipient(f, &body);
}

void
feedback_mdn(struct feedback *f, struct str body)
{
	f->kind = "mdn";
	(void)take_group(f, &f->head, of_notification, ARRAY_LEN(of_notification), &body);
}

void
feedback_arf(struct feedback *f, struct str body)
{
	f->kind = "abuse";
	(void)take_group(f, &f->head, of_complaint, ARRAY_LEN(of_complaint), &body);
}

/* ---- the message ----------------------------------------------------------------- */

/* Takes words off *S up to WORD; false: it is not there. */
static bool
skip_to(struct str *s, struct str word)
{
	struct str w;

	while ((w = str_word(s)).n > 0)
		if (str_ieq(w, word))
			return true;
	return false;
}

/* "from ... by HOSTNAME (barid) with ESMTP id QUEUE-ID ...": the id, or empty. */
static struct str
our_id(struct arena *a, const struct field *f, struct str hostname)
{
	struct str s = field_unfold(a, f), id;

	if (!skip_to(&s, STR("by")) || !str_ieq(str_word(&s), hostname) ||
	    !skip_to(&s, STR("id")))
		return STR("");
	id = str_word(&s);
	if (id.n > 0 && id.p[id.n - 1] == ';')
		id.n--;
	return queue_id_valid(id) ? id : STR("");
}

void
feedback_original(struct feedback *f, struct str header, struct str hostname)
{
	struct str rest = header, line;
	struct field field;
	struct arena a;
	int r;

	arena_init(&a, 1 << 20);
	while (rest.n > 0 && (r = field_next(&rest, &field)) != 0) {
		if (r < 0)
			(void)str_cut(rest, '\n', &line, &rest);
		else if (str_ieq(field.name, STR("Message-ID")))
			feedback_add(f, &f->head, FACT_MESSAGE_ID, str_trim(field.value));
		else if (hostname.n > 0 && str_ieq(field.name, STR("Received")) &&
		    field.value.n < 4096)
			feedback_add(f, &f->head, FACT_ABOUT, our_id(&a, &field, hostname));
		arena_reset(&a);
	}
	arena_free(&a);
}
