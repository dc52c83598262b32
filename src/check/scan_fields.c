/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * scan_fields -- what a server of spam or viruses found, as fields of the header.
 *
 * They have the names and the form that SpamAssassin and clamav-milter gave
 * them, which is what filters of mailboxes look for.  So a stranger's are taken
 * out: whoever sends spam could say that it is none.
 */

#include "check/scan.h"

/* RFC 5322 2.1.1, with the comma. */
#define LINE_LENGTH 76

/* Names with commas between them, on as many lines as it takes. */
static void
add_names(struct buf *b, struct str names, size_t column)
{
	struct str name;
	bool more = true;

	while (more) {
		more = str_cut(names, ',', &name, &names);
		if (column + name.n > LINE_LENGTH) {
			buf_adds(b, "\r\n\t");
			column = 8;
		}
		buf_add(b, name);
		if (more)
			buf_addc(b, ',');
		column += name.n + 1;
	}
}

static void
add_spam(struct buf *b, const struct msg_scan_result *r)
{
	bool spam = r->result == SCAN_SPAM || r->result == SCAN_SPAM_REJECT;
	size_t start;

	if (spam)
		buf_adds(b, "X-Spam-Flag: YES\r\n");
	if (r->scored) {
		buf_adds(b, "X-Spam-Score: ");
		scan_number_add(b, r->score);
		buf_adds(b, "\r\n");
	}
	start = b->n;
	buf_addf(b, "X-Spam-Status: %s", spam ? "Yes" : "No");
	if (r->scored) {
		buf_adds(b, ", score=");
		scan_number_add(b, r->score);
		buf_adds(b, " required=");
		scan_number_add(b, r->required);
	}
	buf_adds(b, " tests=");
	add_names(b, r->symbols.n > 0 ? r->symbols : STR("none"), b->n - start);
	buf_adds(b, "\r\n");
}

void
scan_fields_add(struct buf *b, enum scan_kind kind, const struct msg_scan_result *r)
{
	if (r->result == SCAN_FAILED)
		return;
	if (kind == SCAN_KIND_SPAM)
		add_spam(b, r);
	else if (r->result == SCAN_VIRUS)
		buf_addf(b, "X-Virus-Status: Infected (" STR_FMT ")\r\n", STR_ARG(r->what));
	else
		buf_adds(b, "X-Virus-Status: Clean\r\n");
}

void
scan_words_add(struct buf *b, const struct msg_scan_result *r)
{
	static const char *const words[] = { [SCAN_FAILED] = "no verdict", [SCAN_CLEAN] = "clean",
		[SCAN_SPAM] = "spam", [SCAN_SPAM_REJECT] = "spam, to be refused",
		[SCAN_LATER] = "later", [SCAN_VIRUS] = "virus" };

	buf_adds(b, words[r->result]);
	if (r->scored) {
		buf_adds(b, " (");
		scan_number_add(b, r->score);
		buf_addc(b, '/');
		scan_number_add(b, r->required);
		buf_addc(b, ')');
	}
	if (r->symbols.n > 0)
		buf_addf(b, " tests=" STR_FMT, STR_ARG(r->symbols));
	if (r->what.n > 0)
		buf_addf(b, "%s" STR_FMT, r->result == SCAN_FAILED ? ": " : " ",
		    STR_ARG(r->what));
}

bool
scan_field_is_ours(enum scan_kind kind, struct str name)
{
	static const char *const spam[] = { "X-Spam-Flag", "X-Spam-Status",
		"X-Spam-Score", "X-Spam-Level" };

	if (kind == SCAN_KIND_VIRUS)
		return str_ieq(name, STR("X-Virus-Status"));
	for (size_t i = 0; i < ARRAY_LEN(spam); i++)
		if (str_ieq(name, str_c(spam[i])))
			return true;
	return false;
}
