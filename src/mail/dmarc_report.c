/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dmarc_report -- an aggregate report of DMARC as it is sent.
 *
 * Whatever is put between two tags is escaped, whoever it is from.
 *
 * Nobody is to answer the message (RFC 3834 5), which is why it says that a program
 * wrote it; and its Message-ID is that of the report, so that one that comes
 * twice is known for the same.
 */

#include "mail/dmarc_report.h"

#include "mail/date.h"
#include "mail/header.h"
#include "mail/text.h"

/* RFC 2045 6.8, in octets before they are coded: lines of 76. */
#define LINE_OCTETS 57
#define DATE_OCTETS 10	/* of 2026-11-21T00:00:00Z */

/* ---- XML --------------------------------------------------------------------------- */

/* What may not stand in a text is escaped; what may not stand in XML at all is "?". */
static void
add_text(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		switch (s.p[i]) {
		case '&':
			buf_adds(b, "&amp;");
			break;
		case '<':
			buf_adds(b, "&lt;");
			break;
		case '>':
			buf_adds(b, "&gt;");
			break;
		default:
			buf_addc(b, (unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f ? '?' : s.p[i]);
			break;
		}
	}
}

static void
add_element(struct buf *b, const char *indent, const char *name, struct str value)
{
	buf_addf(b, "%s<%s>", indent, name);
	if (str_is_utf8(value))
		add_text(b, value);
	buf_addf(b, "</%s>\n", name);
}

static void
add_number(struct buf *b, const char *indent, const char *name, uint64_t n)
{
	buf_addf(b, "%s<%s>%llu</%s>\n", indent, name, (unsigned long long)n, name);
}

static void
add_metadata(struct buf *b, const struct dmarc_report *r)
{
	buf_adds(b, "  <report_metadata>\n");
	add_element(b, "    ", "org_name", r->org);
	add_element(b, "    ", "email", r->from);
	if (r->contact.n > 0)
		add_element(b, "    ", "extra_contact_info", r->contact);
	add_element(b, "    ", "report_id", r->id);
	buf_adds(b, "    <date_range>\n");
	add_number(b, "      ", "begin", (uint64_t)r->begin);
	add_number(b, "      ", "end", (uint64_t)r->end);
	buf_adds(b, "    </date_range>\n");
	if (r->left_out > 0)
		buf_addf(b, "    <error>%llu more messages are not in this report: their "
		    "rows would have been too many</error>\n",
		    (unsigned long long)r->left_out);
	add_element(b, "    ", "generator", r->generator);
	buf_adds(b, "  </report_metadata>\n");
}

static void
add_policy(struct buf *b, const struct dmarc_report *r)
{
	static const char *const names[DMARC_WHO_N] = { [DMARC_ITSELF] = "p",
		[DMARC_BELOW] = "sp", [DMARC_MISSING] = "np" };
	const struct dmarc *d = &r->record;

	buf_adds(b, "  <policy_published>\n");
	add_element(b, "    ", "domain", r->domain);
	add_element(b, "    ", "discovery_method", STR("treewalk"));
	for (size_t i = 0; i < DMARC_WHO_N; i++)
		add_element(b, "    ", names[i], str_c(dmarc_policy_name(d->policy[i])));
	add_element(b, "    ", "adkim", str_c(d->strict_dkim ? "s" : "r"));
	add_element(b, "    ", "aspf", str_c(d->strict_spf ? "s" : "r"));
	add_element(b, "    ", "testing", str_c(d->testing ? "y" : "n"));
	buf_adds(b, "  </policy_published>\n");
}

void
dmarc_report_begin(struct buf *b, const struct dmarc_report *r)
{
	buf_adds(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\">\n"
	    "  <version>1.0</version>\n");
	add_metadata(b, r);
	add_policy(b, r);
}

void
dmarc_report_end(struct buf *b)
{
	buf_adds(b, "</feedback>\n");
}

static void
add_evaluated(struct buf *b, const struct dmarc_row *row)
{
	buf_adds(b, "      <policy_evaluated>\n");
	add_element(b, "        ", "disposition", str_c(dmarc_disposition_name(row->disposition)));
	add_element(b, "        ", "dkim", str_c(row->dkim ? "pass" : "fail"));
	add_element(b, "        ", "spf", str_c(row->spf ? "pass" : "fail"));
	if (row->reason != DMARC_AS_PUBLISHED) {
		buf_adds(b, "        <reason>\n");
		add_element(b, "          ", "type", str_c(dmarc_reason_name(row->reason)));
		buf_adds(b, "        </reason>\n");
	}
	buf_adds(b, "      </policy_evaluated>\n");
}

static void
add_results(struct buf *b, const struct dmarc_row *row)
{
	buf_adds(b, "    <auth_results>\n");
	for (size_t i = 0; i < row->signature_n; i++) {
		const struct dmarc_signature *s = &row->signatures[i];

		buf_adds(b, "      <dkim>\n");
		add_element(b, "        ", "domain", s->domain);
		add_element(b, "        ", "selector", s->selector);
		add_element(b, "        ", "result", s->result);
		buf_adds(b, "      </dkim>\n");
	}
	if (row->spf_result.n > 0) {
		buf_adds(b, "      <spf>\n");
		add_element(b, "        ", "domain", row->spf_domain);
		add_element(b, "        ", "scope", STR("mfrom"));
		add_element(b, "        ", "result", row->spf_result);
		buf_adds(b, "      </spf>\n");
	}
	buf_adds(b, "    </auth_results>\n");
}

void
dmarc_report_row(struct buf *b, const struct dmarc_row *row, uint64_t count)
{
	buf_adds(b, "  <record>\n    <row>\n");
	add_element(b, "      ", "source_ip", row->source);
	add_number(b, "      ", "count", count);
	add_evaluated(b, row);
	buf_adds(b, "    </row>\n    <identifiers>\n");
	/* RFC 7489 wants it, RFC 9990 lets it be empty. */
	add_element(b, "      ", "envelope_from", row->envelope_from);
	add_element(b, "      ", "header_from", row->header_from);
	buf_adds(b, "    </identifiers>\n");
	add_results(b, row);
	buf_adds(b, "  </record>\n");
}

/* ---- the message --------------------------------------------------------------------- */

void
dmarc_report_file_name(struct buf *b, const struct dmarc_report *r)
{
	buf_addf(b, STR_FMT "!" STR_FMT "!%lld!%lld!" STR_FMT ".xml.gz", STR_ARG(r->submitter),
	    STR_ARG(r->domain), (long long)r->begin, (long long)r->end, STR_ARG(r->id));
}

/* RFC 9990 3.5.2: the subject is what it is sorted by elsewhere, so it has no other form. */
static void
add_header(struct buf *b, const struct dmarc_report *r, struct str to, int64_t now)
{
	buf_adds(b, "Date: ");
	date_add(b, now);
	buf_adds(b, "\r\nFrom: ");
	phrase_add(b, r->org);
	buf_addf(b, " <" STR_FMT ">\r\n", STR_ARG(r->from));
	field_add(b, "To", to);
	buf_addf(b, "Subject: Report Domain: " STR_FMT "\r\n Submitter: " STR_FMT
	    "\r\n Report-ID: " STR_FMT "\r\n", STR_ARG(r->domain), STR_ARG(r->submitter),
	    STR_ARG(r->id));
	buf_addf(b, "Message-ID: <" STR_FMT "." STR_FMT "@" STR_FMT ">\r\n", STR_ARG(r->id),
	    STR_ARG(r->domain), STR_ARG(r->submitter));
	buf_adds(b, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n");
}

/* "2026-11-21" */
static void
add_day(struct buf *b, int64_t t)
{
	size_t n = b->n;

	date_add_iso(b, t);
	buf_cut(b, n + DATE_OCTETS);
}

static void
add_words(struct buf *b, const struct dmarc_report *r)
{
	buf_addf(b, "This is an aggregate report of DMARC about mail that says it is from\r\n"
	    STR_FMT ", as it came to " STR_FMT " on ", STR_ARG(r->domain),
	    STR_ARG(r->submitter));
	add_day(b, r->begin);
	buf_adds(b, " (UTC).\r\n\r\nA program wrote it, for a program (RFC 9990).  It was sent "
	    "to you\r\nbecause the DMARC record of the domain asks for it.\r\n");
}

static void
add_base64(struct buf *b, struct str octets)
{
	while (octets.n > 0) {
		base64_add(b, str_head(octets, LINE_OCTETS));
		buf_adds(b, "\r\n");
		octets = str_skip(octets, LINE_OCTETS);
	}
}

void
dmarc_report_message(struct buf *b, const struct dmarc_report *r, struct str to, int64_t now,
    struct str packed)
{
	add_header(b, r, to, now);
	/* "=_" stands in neither quoted-printable nor base64, nor in what is written above. */
	buf_addf(b, "Content-Type: multipart/mixed; boundary=\"=_" STR_FMT "\"\r\n\r\n"
	    "--=_" STR_FMT "\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n",
	    STR_ARG(r->id), STR_ARG(r->id));
	add_words(b, r);
	buf_addf(b, "\r\n--=_" STR_FMT "\r\nContent-Type: application/gzip\r\n"
	    "Content-Transfer-Encoding: base64\r\n"
	    "Content-Disposition: attachment;\r\n filename=\"", STR_ARG(r->id));
	dmarc_report_file_name(b, r);
	buf_adds(b, "\"\r\n\r\n");
	add_base64(b, packed);
	buf_addf(b, "\r\n--=_" STR_FMT "--\r\n", STR_ARG(r->id));
}
