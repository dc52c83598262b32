/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dnsbl -- what lists in DNS make of a client and of the domains that it names.
 *
 * Pure: the same for who decides about a session and for who explains it.  A
 * list that does not answer counts nothing, neither for nor against, so that
 * a dead one lets mail in and never keeps it out.
 */

#include "check/dnsbl.h"

#include <arpa/inet.h>

/* RFC 5321 4.5.3.1.5: what a line of a reply has room for, behind its codes. */
#define REFUSAL_MAX 480
/* 64 lists and what each of them has. */
#define WHY_MAX 32768

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

/* What lists of domains say to who asks them for an address, as of a URL. */
#define NO_ADDRESSES 0x7f0001ffu

bool
dnsbl_counts(const struct conf_dnsbl *d, const struct dnsbl_entry *e)
{
	uint32_t octets = htonl(e->answer);
	struct addr a;

	if ((d->of & 1u << e->of) == 0 || dnsbl_is_error(e->answer))
		return false;
	if (e->answer == NO_ADDRESSES && e->of == DNSBL_URL && addr_parse(e->listed, 0, &a) == 0)
		return false;
	return conf_nets_have(&d->answers, AF_INET, &octets);
}

void
dnsbl_note(const struct conf_dnsbls *c, const struct dnsbl_entry *e,
    struct dnsbl_entry *found)
{
	for (size_t i = 0; i < c->list_n; i++)
		if (str_ieq(str_c(c->lists[i].zone), e->zone) &&
		    (found[i].answer == 0 || e->of < found[i].of) &&
		    dnsbl_counts(&c->lists[i], e))
			found[i] = *e;
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
add_fact(struct buf *b, struct str *s, const struct addr *client, const char *zone,
    const struct dnsbl_entry *e)
{
	if (str_starts(*s, STR("${client}"))) {
		addr_add(b, client);
		*s = str_skip(*s, 9);
	} else if (str_starts(*s, STR("${listed}"))) {
		add_foreign(b, e->listed);
		*s = str_skip(*s, 9);
	} else if (str_starts(*s, STR("${zone}"))) {
		buf_adds(b, zone);
		*s = str_skip(*s, 7);
	} else if (str_starts(*s, STR("${text}"))) {
		add_foreign(b, e->text);
		*s = str_skip(*s, 7);
	} else {
		return false;
	}
	return true;
}

static struct str
refusal_text(const struct conf_dnsbl *d, const struct addr *client,
    const struct dnsbl_entry *e, struct arena *a)
{
	struct str s = str_c(d->refusal.text), all;
	struct buf b;

	buf_init(&b, 4096);
	while (s.n > 0)
		if (!add_fact(&b, &s, client, d->zone, e)) {
			buf_addc(&b, s.p[0]);
			s = str_skip(s, 1);
		}
	all = arena_str(a, str_head(str_trim(buf_str(&b)), REFUSAL_MAX));
	buf_free(&b);
	/* Of a list that says nothing of itself. */
	while (all.n > 0 && (all.p[all.n - 1] == ';' || all.p[all.n - 1] == ' '))
		all.n--;
	return all;
}

static bool
same_subject(const struct dnsbl_entry *a, const struct dnsbl_entry *b)
{
	return a->of == b->of && str_eq(a->listed, b->listed);
}

/* The lists from FIRST on that have what it has. */
static void
add_lists(struct buf *b, const struct conf_dnsbls *c, const struct dnsbl_entry *found,
    size_t first)
{
	buf_adds(b, " is listed:");
	for (size_t i = first; i < c->list_n; i++) {
		uint32_t v = found[i].answer;

		if (v != 0 && same_subject(&found[i], &found[first]))
			buf_addf(b, " %s*%lld (%u.%u.%u.%u)", c->lists[i].zone,
			    (long long)c->lists[i].weight, v >> 24, v >> 16 & 255,
			    v >> 8 & 255, v & 255);
	}
}

/* What is listed, one after the other, each with its lists. */
static void
add_why(struct buf *b, const struct conf_dnsbls *c, const struct dnsbl_entry *found)
{
	for (unsigned of = 0; of < DNSBL_OF_N; of++)
		for (size_t i = 0; i < c->list_n; i++) {
			size_t k = 0;

			if (found[i].answer == 0 || found[i].of != of)
				continue;
			while (found[k].answer == 0 || !same_subject(&found[k], &found[i]))
				k++;
			if (k < i)
				continue;
			if (of != DNSBL_CLIENT) {
				buf_addf(b, "%s %s ", b->n > 0 ? ";" : ":",
				    conf_dnsbl_of_name((enum conf_dnsbl_of)of));
				add_foreign(b, found[i].listed);
			}
			add_lists(b, c, found, i);
		}
}

struct dnsbl_verdict
dnsbl_judge(const struct conf_dnsbls *c, const struct addr *client,
    const struct dnsbl_entry *found, struct arena *a)
{
	struct dnsbl_verdict v = { .text = STR("") };
	const struct dnsbl_entry *most = NULL;
	struct buf why;

	for (size_t i = 0; i < c->list_n; i++) {
		if (found[i].answer == 0)
			continue;
		v.score += c->lists[i].weight;
		if (v.by == NULL || c->lists[i].weight > v.by->weight) {
			v.by = &c->lists[i];
			most = &found[i];
		}
	}
	v.refused = c->threshold > 0 && v.score >= (int64_t)c->threshold;
	if (most != NULL)
		v.text = refusal_text(v.by, client, most, a);
	buf_init(&why, WHY_MAX);
	add_why(&why, c, found);
	v.why = arena_str(a, buf_str(&why));
	buf_free(&why);
	return v;
}
