/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * published -- whether those who verify find the key in DNS that mail is signed with.
 *
 * RFC 6376 3.6.2.2: what several records mean nobody knows.  The octets of the key
 * are compared, so that it does not matter how the record is written.
 */

#include "check/published.h"

#include "mail/dkim_record.h"
#include "net/dkim_key.h"

/* NULL: TEXT is the record of KEY. */
static const char *
compare(struct str text, const struct dkim_key *key, bool *testing)
{
	struct dkim_record r;
	const char *why = dkim_record_parse(text, &r);
	struct buf own;

	buf_init(&own, DKIM_RECORD_MAX);
	/* Not all who verify have to take that. */
	if (why == NULL && r.late_version)
		why = "v=DKIM1 does not stand first in it";
	if (why == NULL && !str_eq(r.type, str_c(dkim_key_type(key))))
		why = "the record is for a key of another kind";
	if (why == NULL && (dkim_key_public(key, &own) < 0 ||
	    !str_eq(buf_str(&own), buf_str(&r.key))))
		why = "the record is that of another key";
	*testing = why == NULL && r.testing;
	buf_free(&own);
	dkim_record_free(&r);
	return why;
}

const char *
published_why_not(const struct str *texts, size_t n, const struct dkim_key *key,
    bool *testing)
{
	*testing = false;
	if (n == 0)
		return "there is no record";
	if (n > 1)
		return "there are several records, expected one";
	if (texts[0].n > DKIM_RECORD_MAX)
		return "the record is too long";
	return compare(texts[0], key, testing);
}
