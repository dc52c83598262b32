/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * report -- mail that tells what became of other mail.
 *
 * The header says it: the type multipart/report and its report-type (RFC
 * 6522 3), the Subject of RFC 7489 7.2.1.1, or the field that Exim puts into
 * its reports.  Nothing is decided by it but how the mail is counted, so
 * whoever writes a header that looks like one gains nothing.
 */

#include "mail/report.h"

/* Of a Subject, what is looked at. */
#define SUBJECT_MAX 1000

static const struct {
	struct str type;
	enum report_kind kind;
} types[] = {
	{ { "delivery-status", 15 }, REPORT_DSN },
	{ { "global-delivery-status", 22 }, REPORT_DSN },
	{ { "global-disposition-notification", 31 }, REPORT_MDN },
	{ { "disposition-notification", 24 }, REPORT_MDN },
	{ { "feedback-report", 15 }, REPORT_ABUSE },
	{ { "tlsrpt", 6 }, REPORT_TLS },
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct str
trim(struct str s)
{
	while (s.n > 0 && is_blank(s.p[0]))
		s = str_skip(s, 1);
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* The kind that the parameters of a multipart/report name. */
static enum report_kind
kind_of(struct str parameters)
{
	struct str one, name, value;
	bool more = true;

	while (more) {
		more = str_cut(parameters, ';', &one, &parameters);
		if (!str_cut(one, '=', &name, &value) ||
		    !str_ieq(trim(name), STR("report-type")))
			continue;
		value = trim(value);
		if (value.n > 1 && value.p[0] == '"' &&
		    value.p[value.n - 1] == '"')
			value = str_n(value.p + 1, value.n - 2);
		for (size_t i = 0; i < ARRAY_LEN(types); i++)
			if (str_ieq(value, types[i].type))
				return types[i].kind;
	}
	return REPORT_OTHER;
}

/*
 * "Report Domain: example.org Submitter: mail.example Report-ID: <1@x>"; some have
 * a word or two before that ("[Preview]").
 */
static bool
is_dmarc(struct str subject)
{
	subject = str_head(trim(subject), SUBJECT_MAX);
	while (subject.n > 0 && !str_istarts(subject, STR("Report Domain:"))) {
		/* An answer to one, or one that was sent on. */
		if (subject.p[0] == ':')
			return false;
		subject = str_skip(subject, 1);
	}
	while (subject.n > 0 && !str_istarts(subject, STR("Submitter:")))
		subject = str_skip(subject, 1);
	return subject.n > 0;
}

void
report_look(enum report_kind *kind, const struct field *f)
{
	struct str type, parameters;

	if (str_ieq(f->name, STR("Content-Type"))) {
		(void)str_cut(f->value, ';', &type, &parameters);
		if (str_ieq(trim(type), STR("multipart/report")))
			*kind = kind_of(parameters);
	} else if (*kind == REPORT_NONE &&
	    str_ieq(f->name, STR("X-Failed-Recipients"))) {
		*kind = REPORT_OTHER;
	} else if (*kind == REPORT_NONE && str_ieq(f->name, STR("Subject")) &&
	    is_dmarc(f->value)) {
		/* A report of TLS has the same Subject, and a type (RFC 8460 5.3). */
		*kind = REPORT_DMARC;
	}
}

const char *
report_name(enum report_kind kind)
{
	static const char *const names[] = { "", "other", "dsn", "mdn",
		"abuse", "tls", "dmarc" };

	return names[kind];
}
