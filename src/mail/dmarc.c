/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dmarc -- the records by which domains say what is to become of mail that
 * they did not send.
 *
 * A tag that is unknown or broken counts for nothing, as RFC 9989 4.7 has it;
 * a record without a policy asks for none.
 */

#include "mail/dmarc.h"

static enum dmarc_policy
policy_of(struct str s)
{
	if (str_ieq(s, STR("reject")))
		return DMARC_REJECT;
	return str_ieq(s, STR("quarantine")) ? DMARC_QUARANTINE : DMARC_NONE;
}

bool
dmarc_parse(struct str text, struct dmarc *d)
{
	struct str tag, name, value;
	bool said = false, first = true;

	*d = (struct dmarc){ .psd = 'u' };
	while (text.n > 0) {
		str_cut(text, ';', &tag, &text);
		str_cut(tag, '=', &name, &value);
		name = str_trim(name);
		value = str_trim(value);
		/* RFC 9989 4.7: it comes first, and knows case. */
		if (first && (!str_eq(name, STR("v")) ||
		    !str_eq(value, STR("DMARC1"))))
			return false;
		first = false;
		if (str_ieq(name, STR("p"))) {
			d->policy = policy_of(value);
		} else if (str_ieq(name, STR("sp"))) {
			d->below = policy_of(value);
			said = true;
		} else if (str_ieq(name, STR("t"))) {
			d->testing = str_ieq(value, STR("y"));
		} else if (str_ieq(name, STR("psd")) && value.n == 1) {
			d->psd = char_lower(value.p[0]);
		}
	}
	if (!said)
		d->below = d->policy;
	return !first;
}

enum dmarc_policy
dmarc_asks(const struct dmarc *d, bool below)
{
	enum dmarc_policy p = below ? d->below : d->policy;

	return d->testing && p > DMARC_NONE ? (enum dmarc_policy)(p - 1) : p;
}

struct str
dmarc_next(struct str domain, unsigned looked)
{
	size_t labels = 1;
	struct str head;

	for (size_t i = 0; i < domain.n; i++)
		labels += domain.p[i] == '.';
	if (labels < 2 || looked >= DMARC_WALK_MAX)
		return STR("");
	/* Of a long name all but the last seven labels go at once. */
	do
		str_cut(domain, '.', &head, &domain);
	while (--labels > DMARC_WALK_MAX - 1);
	return domain;
}
