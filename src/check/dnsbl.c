/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dnsbl -- what lists of clients in DNS make of a client.
 *
 * Pure: the same for who decides about a session and for who explains it.  A
 * list that does not answer counts nothing, neither for nor against, so that
 * a dead one lets mail in and never keeps it out.
 */

#include "check/dnsbl.h"

#include <arpa/inet.h>

static const unsigned char digits[] = "0123456789abcdef";

/* ---- who is asked about ------------------------------------------------------- */

bool
dnsbl_is_public(const struct addr *client)
{
	static const char *const never[] = { "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10",
		"127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
		"::/128", "::1/128", "fc00::/7", "fe80::/10" };
	const void *octets = addr_octets(client);
	struct ip_range r;

	if (octets == NULL)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		if (ip_range_parse(str_c(never[i]), &r) == NULL &&
		    ip_range_has(&r, addr_family(client), octets))
			return false;
	return true;
}

void
dnsbl_add_name(struct buf *b, const struct addr *client, const char *zone)
{
	const unsigned char *p = addr_octets(client);

	if (addr_family(client) == AF_INET)
		buf_addf(b, "%u.%u.%u.%u.", p[3], p[2], p[1], p[0]);
	else
		for (int i = 15; i >= 0; i--)
			buf_addf(b, "%c.%c.", digits[p[i] & 15], digits[p[i] >> 4]);
	buf_adds(b, zone);
}

/* ---- what an answer means ------------------------------------------------------ */

bool
dnsbl_is_error(uint32_t answer)
{
	return answer >> 24 != 127 || answer >> 8 == 0x7fffff;
}

/* The first of A's answers that D counts; 0: none. */
static uint32_t
counted(const struct conf_dnsbl *d, const struct dnsbl_answer *a)
{
	for (size_t i = 0; i < a->n; i++) {
		uint32_t octets = htonl(a->v[i]);

		if (!dnsbl_is_error(a->v[i]) && conf_nets_have(&d->answers, AF_INET, &octets))
			return a->v[i];
	}
	return 0;
}

bool
dnsbl_has(const struct conf_dnsbl *d, const struct dnsbl_answer *a)
{
	return counted(d, a) != 0;
}

/* ---- the sum -------------------------------------------------------------------- */

/* Whatever stands in a TXT record becomes text that a reply may hold. */
static void
add_foreign(struct buf *b, struct str s)
{
	s = str_head(str_trim(s), DNSBL_TEXT_MAX);
	for (size_t i = 0; i < s.n; i++)
		buf_addc(b, s.p[i] < ' ' || s.p[i] > '~' ? '?' : s.p[i]);
}

/* Where "${...}" stands, what it is; true: S is behind it then. */
static bool
add_fact(struct buf *b, struct str *s, const struct addr *client, const char *zone, struct str text)
{
	if (str_starts(*s, STR("${client}"))) {
		addr_add(b, client);
		*s = str_skip(*s, 9);
	} else if (str_starts(*s, STR("${zone}"))) {
		buf_adds(b, zone);
		*s = str_skip(*s, 7);
	} else if (str_starts(*s, STR("${text}"))) {
		add_foreign(b, text);
		*s = str_skip(*s, 7);
	} else {
		return false;
	}
	return true;
}

static struct str
refusal_text(const struct conf_dnsbl *d, const struct addr *client, struct str text,
    struct arena *a)
{
	struct str s = str_c(d->refusal.text), all;
	struct buf b;

	buf_init(&b, 1024);
	while (s.n > 0)
		if (!add_fact(&b, &s, client, d->zone, text)) {
			buf_addc(&b, s.p[0]);
			s = str_skip(s, 1);
		}
	all = arena_str(a, str_trim(buf_str(&b)));
	buf_free(&b);
	/* Of a list that says nothing of itself. */
	while (all.n > 0 && (all.p[all.n - 1] == ';' || all.p[all.n - 1] == ' '))
		all.n--;
	return all;
}

struct dnsbl_verdict
dnsbl_judge(const struct conf_dnsbls *c, const struct addr *client,
    const struct dnsbl_answer *answers, struct arena *a)
{
	struct dnsbl_verdict v = { .text = STR("") };
	struct str text = STR("");
	struct buf why;

	buf_init(&why, 8192);
	for (size_t i = 0; i < c->list_n; i++) {
		const struct conf_dnsbl *d = &c->lists[i];
		uint32_t answer = counted(d, &answers[i]);

		if (answer == 0)
			continue;
		v.score += d->weight;
		if (v.by == NULL || d->weight > v.by->weight) {
			v.by = d;
			text = answers[i].text;
		}
		buf_addf(&why, "%s%s*%lld (%u.%u.%u.%u)", why.n > 0 ? " " : "", d->zone,
		    (long long)d->weight, answer >> 24, answer >> 16 & 255,
		    answer >> 8 & 255, answer & 255);
	}
	v.refused = c->threshold > 0 && v.score >= (int64_t)c->threshold;
	if (v.by != NULL)
		v.text = refusal_text(v.by, client, text, a);
	v.why = arena_str(a, buf_str(&why));
	buf_free(&why);
	return v;
}
