/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * feedback_dmarc -- aggregate reports of DMARC (RFC 7489 C, RFC 9990 and the
 * drafts between): XML, as it streams by.
 *
 * Nothing is asked of its order, its version or its name space: receivers have
 * written all kinds of it for ten years.  What is wanted is an element within
 * another, by their names; those of extensions (RFC 9990 5) have others.  Some
 * records are kept; the sums are those of all.
 */

#include "feedback_parts.h"
#include "lib/mem.h"
#include "xml.h"

#define TEXT_MAX 1024

struct feedback_dmarc {
	struct feedback *f;
	struct xml *xml;
	struct str path[XML_DEPTH_MAX];	/* the elements that are open: constants */
	size_t depth;
	struct buf text;
	bool is_feedback;		/* the root is */
	struct feedback_row *row;	/* of the record that is open, if it is kept */
	uint64_t count;			/* of that record */
	bool passes;
	struct str disposition;		/* a constant, or empty */
	struct buf reason, dkim, spf;	/* of it, and what is open of them */
	uint64_t messages, passed, quarantined, rejected;
};

/* An element of text, within another. */
struct known {
	struct str parent, name;
	enum feedback_name fact;
};

#define F(text) { text, sizeof(text) - 1 }
/* clang-format off */
static const struct known of_report[] = {
	{ F("report_metadata"), F("org_name"), FACT_ORG },
	{ F("report_metadata"), F("email"), FACT_CONTACT },
	{ F("report_metadata"), F("extra_contact_info"), FACT_EXTRA_CONTACT },
	{ F("report_metadata"), F("report_id"), FACT_REPORT_ID },
	{ F("report_metadata"), F("error"), FACT_ERRORS },
	{ F("report_metadata"), F("generator"), FACT_AGENT },
	{ F("date_range"), F("begin"), FACT_BEGIN },
	{ F("date_range"), F("end"), FACT_END },
	{ F("policy_published"), F("domain"), FACT_DOMAIN },
	{ F("policy_published"), F("p"), FACT_POLICY },
	{ F("policy_published"), F("sp"), FACT_SUBDOMAIN_POLICY },
	{ F("policy_published"), F("np"), FACT_MISSING_POLICY },
	{ F("policy_published"), F("adkim"), FACT_ADKIM },
	{ F("policy_published"), F("aspf"), FACT_ASPF },
	{ F("policy_published"), F("pct"), FACT_PERCENT },
	{ F("policy_published"), F("testing"), FACT_TESTING },
	{ F("policy_published"), F("fo"), FACT_OPTIONS },
	{ F("policy_published"), F("discovery_method"), FACT_DISCOVERY },
};

static const struct known of_record[] = {
	{ F("row"), F("source_ip"), FACT_SOURCE_IP },
	{ F("row"), F("count"), FACT_MESSAGES },
	{ F("policy_evaluated"), F("disposition"), FACT_DISPOSITION },
	{ F("policy_evaluated"), F("dkim"), FACT_DKIM },
	{ F("policy_evaluated"), F("spf"), FACT_SPF },
	{ F("identifiers"), F("header_from"), FACT_HEADER_FROM },
	{ F("identifiers"), F("envelope_from"), FACT_ENVELOPE_FROM },
	{ F("identifiers"), F("envelope_to"), FACT_ENVELOPE_TO },
};
/* clang-format on */

/* ---- elements -------------------------------------------------------------------- */

static struct str
parent_of(const struct feedback_dmarc *d)
{
	return d->depth > 1 ? d->path[d->depth - 2] : STR("");
}

/* True if the element that is open is NAME within PARENT within GRAND. */
static bool
is_at(const struct feedback_dmarc *d, struct str grand, struct str parent, struct str name)
{
	return d->depth > 2 && str_eq(d->path[d->depth - 1], name) &&
	    str_eq(parent_of(d), parent) && str_eq(d->path[d->depth - 3], grand);
}

/* The same name, which outlives its element; "?" for one that means nothing here. */
static struct str
constant(struct str name)
{
	static const struct str others[] = { F("feedback"), F("record"), F("report_metadata"),
		F("date_range"), F("policy_published"), F("row"), F("policy_evaluated"),
		F("identifiers"), F("auth_results"), F("reason"), F("type"), F("comment"),
		F("selector"), F("result") };

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (str_eq(name, others[i]))
			return others[i];
	for (size_t i = 0; i < ARRAY_LEN(of_report); i++)
		if (str_eq(name, of_report[i].name))
			return of_report[i].name;
	for (size_t i = 0; i < ARRAY_LEN(of_record); i++)
		if (str_eq(name, of_record[i].name))
			return of_record[i].name;
	return STR("?");
}

static void
begin_record(struct feedback_dmarc *d)
{
	d->row = feedback_row(d->f);
	d->count = 0;
	d->passes = false;
	d->disposition = STR("");
	buf_reset(&d->reason);
	buf_reset(&d->dkim);
	buf_reset(&d->spf);
}

static void
on_begin(void *arg, struct str name)
{
	struct feedback_dmarc *d = arg;

	/* There is no more than XML_DEPTH_MAX of them. */
	d->path[d->depth++] = constant(name);
	buf_reset(&d->text);
	if (d->depth == 1)
		d->is_feedback = str_eq(name, STR("feedback"));
	else if (d->depth == 2 && str_eq(name, STR("record")))
		begin_record(d);
}

static void
on_text(void *arg, struct str text)
{
	struct feedback_dmarc *d = arg;

	/* What does not fit is not looked at. */
	buf_add(&d->text, str_head(text, TEXT_MAX - d->text.n));
}

static uint64_t
number_of(struct str text)
{
	uint64_t v;

	return str_u64(str_trim(text), 999999999999u, &v) == 0 ? v : 0;
}

/* Adds the text of an element to a list that is told in one value: "a=pass b=fail". */
static void
add_item(struct buf *b, const char *before, struct str text)
{
	text = str_trim(text);
	if (text.n == 0 || b->n + text.n > FEEDBACK_VALUE_MAX)
		return;
	if (b->n > 0)
		buf_adds(b, before);
	buf_add(b, text);
}

static void
end_record(struct feedback_dmarc *d)
{
	struct feedback *f = d->f;

	feedback_add(f, d->row, FACT_REASON, buf_str(&d->reason));
	feedback_add(f, d->row, FACT_AUTH_DKIM, buf_str(&d->dkim));
	feedback_add(f, d->row, FACT_AUTH_SPF, buf_str(&d->spf));
	d->messages += d->count;
	if (d->passes)
		d->passed += d->count;
	if (str_eq(d->disposition, STR("quarantine")))
		d->quarantined += d->count;
	else if (str_eq(d->disposition, STR("reject")))
		d->rejected += d->count;
	d->row = NULL;
}

/* What the sums need of a record, kept or not. */
static void
add_up(struct feedback_dmarc *d, enum feedback_name fact, struct str text)
{
	static const struct str ends[] = { { "quarantine", 10 }, { "reject", 6 } };

	text = str_trim(text);
	if (fact == FACT_MESSAGES)
		d->count = number_of(text);
	else if (fact == FACT_DKIM || fact == FACT_SPF)
		d->passes = d->passes || str_ieq(text, STR("pass"));
	else if (fact == FACT_DISPOSITION)
		for (size_t i = 0; i < ARRAY_LEN(ends); i++)
			if (str_ieq(text, ends[i]))
				d->disposition = ends[i];
}

static bool
is(const struct feedback_dmarc *d, const struct known *k)
{
	return str_eq(d->path[d->depth - 1], k->name) && str_eq(parent_of(d), k->parent);
}

static void
end_within_record(struct feedback_dmarc *d, struct str text)
{
	for (size_t i = 0; i < ARRAY_LEN(of_record); i++) {
		if (!is(d, &of_record[i]))
			continue;
		feedback_add(d->f, d->row, of_record[i].fact, text);
		add_up(d, of_record[i].fact, text);
		return;
	}
	if (is_at(d, STR("policy_evaluated"), STR("reason"), STR("type")))
		add_item(&d->reason, ", ", text);
	else if (is_at(d, STR("policy_evaluated"), STR("reason"), STR("comment")))
		add_item(&d->reason, " ", text);
	else if (is_at(d, STR("auth_results"), STR("dkim"), STR("domain")))
		add_item(&d->dkim, ", ", text);
	else if (is_at(d, STR("auth_results"), STR("dkim"), STR("selector")))
		add_item(&d->dkim, "/", text);
	else if (is_at(d, STR("auth_results"), STR("dkim"), STR("result")))
		add_item(&d->dkim, "=", text);
	else if (is_at(d, STR("auth_results"), STR("spf"), STR("domain")))
		add_item(&d->spf, ", ", text);
	else if (is_at(d, STR("auth_results"), STR("spf"), STR("result")))
		add_item(&d->spf, "=", text);
}

static void
on_end(void *arg, struct str name UNUSED)
{
	struct feedback_dmarc *d = arg;
	struct str text = buf_str(&d->text);
	bool in_record = d->depth > 1 && str_eq(d->path[1], STR("record"));

	if (d->depth == 0)
		return;
	if (d->is_feedback && in_record && d->depth > 2)
		end_within_record(d, text);
	else if (d->is_feedback && in_record)
		end_record(d);
	else if (d->is_feedback)
		for (size_t i = 0; i < ARRAY_LEN(of_report); i++)
			if (is(d, &of_report[i]))
				feedback_add(d->f, &d->f->head, of_report[i].fact, text);
	d->depth--;
	buf_reset(&d->text);
}

/* ---- life ------------------------------------------------------------------------ */

static const struct xml_events events = { on_begin, on_text, on_end };

struct feedback_dmarc *
feedback_dmarc_new(struct feedback *f)
{
	struct feedback_dmarc *d = mem_alloc(sizeof(*d));

	*d = (struct feedback_dmarc){ .f = f };
	buf_init(&d->text, TEXT_MAX);
	buf_init(&d->reason, TEXT_MAX);
	buf_init(&d->dkim, TEXT_MAX);
	buf_init(&d->spf, TEXT_MAX);
	d->xml = xml_new(&events, d);
	return d;
}

bool
feedback_dmarc_add(struct feedback_dmarc *d, struct str piece)
{
	return xml_add(d->xml, piece, false) && (d->depth == 0 || d->is_feedback);
}

const char *
feedback_dmarc_end(struct feedback_dmarc *d, bool whole)
{
	struct feedback *f = d->f;
	const char *why;

	if (whole && (d->depth == 0 || d->is_feedback))
		(void)!xml_add(d->xml, STR(""), true);
	why = xml_why(d->xml);
	if (d->is_feedback) {
		f->kind = "dmarc";
		feedback_add_number(f, &f->head, FACT_MESSAGES, d->messages);
		feedback_add_number(f, &f->head, FACT_PASSED, d->passed);
		feedback_add_number(f, &f->head, FACT_FAILED, d->messages - d->passed);
		feedback_add_number(f, &f->head, FACT_QUARANTINED, d->quarantined);
		feedback_add_number(f, &f->head, FACT_REJECTED, d->rejected);
	} else if (why == NULL) {
		why = "its XML is no report of DMARC";
	}
	xml_free(d->xml);
	buf_free(&d->text);
	buf_free(&d->reason);
	buf_free(&d->dkim);
	buf_free(&d->spf);
	mem_free(d);
	return why;
}
