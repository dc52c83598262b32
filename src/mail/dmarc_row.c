/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dmarc_row -- what an aggregate report says of messages that are alike.
 *
 *	DOMAIN SOURCE DISPOSITION REASON DKIM SPF HEADER_FROM ENVELOPE_FROM
 *	    SPF_DOMAIN SPF_RESULT [SIGNATURE_DOMAIN/SELECTOR/RESULT]...
 *	DOMAIN *
 *
 * Words of printable ASCII with one space between them; "-" is an empty one.
 * Whoever reads one trusts nobody: a line comes from a session that may have been
 * taken over, or from a disk.
 */

#include "mail/dmarc_row.h"

#include "mail/path.h"

#define WORD_MAX 255
#define SOURCE_MAX 45
#define EMPTY STR("-")
#define REST STR("*")

static const char *const dispositions[] = { "none", "pass", "quarantine", "reject" };
static const char *const reasons[DMARC_REASONS] = { "", "local_policy",
	"trusted_forwarder", "policy_test_mode" };

/* RFC 8601 2.7.1 and 2.7.2 together; "none" is in both. */
static const char *const dkim_results[] = { "none", "pass", "fail", "policy", "neutral",
	"temperror", "permerror" };
static const char *const spf_results[] = { "none", "neutral", "pass", "fail", "softfail",
	"temperror", "permerror" };

const char *
dmarc_disposition_name(enum dmarc_disposition d)
{
	return dispositions[d];
}

const char *
dmarc_reason_name(enum dmarc_reason r)
{
	return reasons[r];
}

/* ---- writing ----------------------------------------------------------------------- */

/* Adds BEFORE, and S as a word. */
static void
add_word(struct buf *b, char before, struct str s)
{
	s = str_head(s, WORD_MAX);
	buf_addc(b, before);
	for (size_t i = 0; i < s.n; i++) {
		char c = char_lower(s.p[i]);

		buf_addc(b, c > ' ' && c <= '~' && c != '/' ? c : '?');
	}
	if (s.n == 0)
		buf_add(b, EMPTY);
}

void
dmarc_row_add(struct buf *b, const struct dmarc_row *r)
{
	buf_add_lower(b, r->domain);
	if (r->rest) {
		add_word(b, ' ', REST);
		return;
	}
	add_word(b, ' ', r->source);
	add_word(b, ' ', str_c(dispositions[r->disposition]));
	add_word(b, ' ', str_c(dmarc_reason_name(r->reason)));
	add_word(b, ' ', str_c(r->dkim ? "pass" : "fail"));
	add_word(b, ' ', str_c(r->spf ? "pass" : "fail"));
	add_word(b, ' ', r->header_from);
	add_word(b, ' ', r->envelope_from);
	add_word(b, ' ', r->spf_domain);
	add_word(b, ' ', r->spf_result);
	for (size_t i = 0; i < r->signature_n; i++) {
		const struct dmarc_signature *s = &r->signatures[i];

		add_word(b, ' ', s->domain);
		add_word(b, '/', s->selector);
		add_word(b, '/', s->result);
	}
}

/* ---- reading ----------------------------------------------------------------------- */

/* Takes a word off *REST; false: there is none, or it is none. */
static bool
take_word(struct str *rest, struct str *word)
{
	(void)str_cut(*rest, ' ', word, rest);
	if (word->n == 0 || word->n > WORD_MAX)
		return false;
	for (size_t i = 0; i < word->n; i++)
		if (word->p[i] <= ' ' || word->p[i] > '~')
			return false;
	if (str_eq(*word, EMPTY))
		word->n = 0;
	return true;
}

static bool
take_name(struct str *rest, struct str *name)
{
	return take_word(rest, name) && str_find(*name, '/') < 0;
}

/* The place of WORD among N NAMES; N: it is not there. */
static size_t
place(struct str word, const char *const *names, size_t n)
{
	size_t i = 0;

	while (i < n && !str_eq(word, str_c(names[i])))
		i++;
	return i;
}

/* Four groups of digits with dots, or what only an address of IPv6 has. */
static bool
is_address(struct str s)
{
	bool six = str_find(s, ':') >= 0;

	if (s.n == 0 || s.n > SOURCE_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool digit = c >= '0' && c <= '9';

		if (!digit && c != '.' && !(six && (c == ':' || (c >= 'a' && c <= 'f'))))
			return false;
	}
	return true;
}

static bool
take_verdict(struct str *rest, bool *pass)
{
	static const char *const words[] = { "fail", "pass" };
	struct str word;
	size_t i;

	if (!take_word(rest, &word) || (i = place(word, words, 2)) == 2)
		return false;
	*pass = i == 1;
	return true;
}

static bool
take_disposition(struct str *rest, struct dmarc_row *r)
{
	struct str word;
	size_t i;

	if (!take_word(rest, &word) ||
	    (i = place(word, dispositions, ARRAY_LEN(dispositions))) == ARRAY_LEN(dispositions))
		return false;
	r->disposition = (enum dmarc_disposition)i;
	if (!take_word(rest, &word))
		return false;
	i = place(word, reasons, DMARC_REASONS);
	if (i == DMARC_REASONS)
		return false;
	r->reason = (enum dmarc_reason)i;
	return true;
}

static bool
take_spf(struct str *rest, struct dmarc_row *r)
{
	return take_name(rest, &r->spf_domain) && take_word(rest, &r->spf_result) &&
	    (r->spf_result.n == 0 ? r->spf_domain.n == 0 :
	    place(r->spf_result, spf_results, ARRAY_LEN(spf_results)) <
	    ARRAY_LEN(spf_results));
}

static bool
take_signature(struct str *rest, struct dmarc_row *r)
{
	struct dmarc_signature *s = &r->signatures[r->signature_n];
	struct str word, more;

	if (r->signature_n == DMARC_SIGNATURES_MAX)
		return false;
	(void)str_cut(*rest, ' ', &word, rest);
	if (!str_cut(word, '/', &s->domain, &more) ||
	    !str_cut(more, '/', &s->selector, &s->result) ||
	    !take_name(&s->domain, &word) || s->domain.n > 0)
		return false;
	s->domain = word;
	if (!take_name(&s->selector, &word) || s->selector.n > 0)
		return false;
	s->selector = word;
	r->signature_n++;
	return place(s->result, dkim_results, ARRAY_LEN(dkim_results)) <
	    ARRAY_LEN(dkim_results);
}

bool
dmarc_row_parse(struct str line, struct dmarc_row *r)
{
	struct str rest = line;

	*r = (struct dmarc_row){ .rest = false };
	if (line.n > DMARC_ROW_MAX || line.n == 0 || line.p[line.n - 1] == ' ' ||
	    !take_name(&rest, &r->domain) || !domain_valid(r->domain))
		return false;
	r->rest = str_eq(rest, REST);
	if (r->rest)
		return true;
	if (!take_word(&rest, &r->source) || !is_address(r->source) ||
	    !take_disposition(&rest, r) ||
	    !take_verdict(&rest, &r->dkim) || !take_verdict(&rest, &r->spf) ||
	    !take_name(&rest, &r->header_from) || r->header_from.n == 0 ||
	    !take_name(&rest, &r->envelope_from) || !take_spf(&rest, r))
		return false;
	while (rest.n > 0)
		if (!take_signature(&rest, r))
			return false;
	return true;
}
