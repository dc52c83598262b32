/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * feedback_read -- finds the report in a message, and who can read it.
 *
 * The types of parts say what is written as fields.  Reports of DMARC and TLS
 * come under any type and name that there is, so that for these the octets
 * count: gzip, a zip, XML, JSON.  The first part that is a report is the report;
 * one that only looks like one is why there is none, if there is none.
 */

#include "report/feedback_read.h"

#include <time.h>

#include "feedback_parts.h"
#include "lib/json.h"
#include "mail/parts.h"

/* Of JSON, which is read as a whole. */
#define JSON_MAX ((size_t)5 << 20)

enum form { FORM_UNSEEN, FORM_XML, FORM_JSON, FORM_OTHER };

struct reader {
	struct feedback *f;
	struct str hostname;
	const char *why;	/* what looked like a report is none */
	bool done;
	/* The document that is being read. */
	enum form form;
	struct feedback_dmarc *dmarc;
	struct buf json;
};

/* ---- documents -------------------------------------------------------------------- */

/* Without what may stand before a document, and some have before their XML. */
static struct str
skip_front(struct str text)
{
	if (str_starts(text, STR("\xef\xbb\xbf")))
		text = str_skip(text, 3);
	while (text.n > 0 && text.p[0] != '\0' && strchr(" \t\r\n", text.p[0]) != NULL)
		text = str_skip(text, 1);
	return text;
}

static enum form
form_of(struct str text)
{
	if (str_starts(text, STR("\xff\xfe")) || str_starts(text, STR("\xfe\xff")))
		return FORM_XML;
	text = skip_front(text);
	return text.n == 0 ? FORM_OTHER : text.p[0] == '<' ? FORM_XML :
	    text.p[0] == '{' ? FORM_JSON : FORM_OTHER;
}

static bool
on_piece(void *arg, struct str piece)
{
	struct reader *r = arg;

	if (r->form == FORM_UNSEEN) {
		r->form = form_of(piece);
		piece = skip_front(piece);
		if (r->form == FORM_XML)
			r->dmarc = feedback_dmarc_new(r->f);
	}
	if (r->form == FORM_XML)
		return feedback_dmarc_add(r->dmarc, piece);
	if (r->form == FORM_JSON)
		buf_add(&r->json, piece);
	return r->form == FORM_JSON && buf_ok(&r->json);
}

/* What is wrong with the document; STOPPED: so is how it was packed. */
static const char *
end_document(struct reader *r, const char *packed)
{
	const char *why = NULL;

	if (r->form == FORM_XML)
		why = feedback_dmarc_end(r->dmarc, packed == NULL);
	else if (packed == NULL && r->form == FORM_JSON)
		why = buf_ok(&r->json) ? feedback_tls(r->f, buf_str(&r->json)) :
					 "its JSON is larger than is read";
	else if (packed == NULL)
		why = "what it has is neither XML nor JSON";
	return packed != NULL ? packed : why;
}

static void
read_document(struct reader *r, struct str text)
{
	const char *why = NULL;

	r->form = FORM_UNSEEN;
	buf_init(&r->json, JSON_MAX);
	if (feedback_is_packed(text))
		why = feedback_unpack(text, on_piece, r);
	else
		(void)on_piece(r, text);
	why = end_document(r, why);
	buf_free(&r->json);
	r->done = r->f->kind[0] != '\0';
	if (r->done)
		r->f->why = why;
	else if (r->why == NULL)
		r->why = why;
}

/* ---- messages --------------------------------------------------------------------- */

struct reading {
	struct str type;
	void (*read)(struct feedback *f, struct str body);
};

#define T(text) { text, sizeof(text) - 1 }
static const struct reading readings[] = {
	{ T("message/delivery-status"), feedback_dsn },
	{ T("message/global-delivery-status"), feedback_dsn },
	{ T("message/disposition-notification"), feedback_mdn },
	{ T("message/global-disposition-notification"), feedback_mdn },
	{ T("message/feedback-report"), feedback_arf },
};

static bool
is_original(struct str type)
{
	return str_eq(type, STR("message/rfc822")) ||
	    str_eq(type, STR("text/rfc822-headers")) ||
	    str_eq(type, STR("message/global-headers"));
}

/* Text for people is no report, if it is not one of XML under that name. */
static bool
may_be_document(const struct part *p)
{
	if (str_eq(p->type, STR("text/html")))
		return false;
	if (str_eq(p->type, STR("text/plain")))
		return str_starts(p->body, STR("<?xml")) || str_starts(p->body, STR("<feedback"));
	return feedback_is_packed(p->body) || form_of(p->body) != FORM_OTHER;
}

static bool
on_part(void *arg, const struct part *p)
{
	struct reader *r = arg;

	if (is_original(p->type)) {
		feedback_original(r->f, p->body, r->hostname);
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(readings) && !r->done; i++)
		if (str_eq(p->type, readings[i].type)) {
			readings[i].read(r->f, p->body);
			r->done = true;
		}
	if (!r->done && may_be_document(p))
		read_document(r, p->body);
	return true;
}

void
feedback_read_prepare(void)
{
	json_prepare();
	tzset();
}

void
feedback_read(struct feedback *f, struct str text, struct str hostname)
{
	struct reader r = { .f = f, .hostname = hostname };

	if (feedback_is_packed(text) || form_of(text) != FORM_OTHER)
		read_document(&r, text);
	else
		parts_each(text, on_part, &r);
	if (!r.done)
		f->why = r.why != NULL ? r.why : "nothing in it is a report that can be read";
}
