/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * spamd -- SpamAssassin's server, by SPAMC/1.5.
 *
 *	SYMBOLS SPAMC/1.5			SPAMD/1.1 0 EX_OK
 *	Content-length: 1234			Content-length: 12
 *	User: alice				Spam: True ; 15.0 / 5.0
 *	(blank line, and the text)		(blank line) GTUBE,MISSING
 *
 * PROCESS has the whole message back in place of the names; these are read from
 * the field that SpamAssassin puts into its header, by whoever looks at it.
 */

#include "scan_kinds.h"

static void
head(const struct scan *s, struct buf *out)
{
	buf_addf(out, "%s SPAMC/1.5\r\nContent-length: ", s->edit ? "PROCESS" : "SYMBOLS");
	buf_addu(out, s->about->size);
	buf_adds(out, "\r\n");
	if (s->user[0] != '\0')
		buf_addf(out, "User: %s\r\n", s->user);
	buf_adds(out, "\r\n");
}

/* "True ; 15.0 / 5.0" */
static bool
take_verdict(struct scan *s, struct str value)
{
	struct str verdict, score, required;

	if (!str_cut(value, ';', &verdict, &score) ||
	    !str_cut(score, '/', &score, &required) ||
	    !scan_number(str_trim(score), &s->v.score) ||
	    !scan_number(str_trim(required), &s->v.required))
		return false;
	verdict = str_trim(verdict);
	s->v.scored = true;
	if (str_ieq(verdict, STR("True")) || str_ieq(verdict, STR("Yes")))
		s->v.result = SCAN_SPAM;
	else if (str_ieq(verdict, STR("False")) || str_ieq(verdict, STR("No")))
		s->v.result = SCAN_CLEAN;
	return s->v.result != SCAN_FAILED;
}

static enum scan_state
take_head(struct scan *s, struct str head)
{
	struct str rest = head, first, version, code, value;

	(void)str_cut(rest, '\n', &first, &rest);
	version = str_word(&first);
	code = str_word(&first);
	if (!str_starts(version, STR("SPAMD/")))
		return scan_broken(s, "it does not speak as spamd does");
	if (!str_eq(code, STR("0")))
		return scan_broken(s, "it says that it cannot");
	if (!scan_field(head, STR("Spam"), &value) || !take_verdict(s, value))
		return scan_broken(s, "its answer has no verdict");
	if (!scan_field(head, STR("Content-length"), &value))
		s->left = UINT64_MAX;
	else if (str_u64(value, UINT64_MAX - 1, &s->left) < 0)
		return scan_broken(s, "its answer has no length");
	return SCAN_MORE;
}

static enum scan_state
take_body(struct scan *s)
{
	struct str rest = buf_str(&s->body), name;

	if (s->edit)
		return s->edited > 0 ? SCAN_DONE :
		    scan_broken(s, "it sends no text back");
	while (rest.n > 0) {
		(void)str_cut(rest, ',', &name, &rest);
		scan_symbol(s, str_trim(name));
	}
	return SCAN_DONE;
}

const struct scan_kind_ops scan_spamd = { .head_end = "\r\n\r\n", .head_end_n = 4,
	.head = head, .take_head = take_head, .take_body = take_body };
