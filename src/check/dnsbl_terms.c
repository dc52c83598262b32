/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dnsbl_terms -- what lists in DNS are asked for, and what their answers are of.
 *
 * For who asks: barid-check, and baridctl.  Sessions have neither this nor the list
 * of public suffixes that it needs.
 */

#include "check/dnsbl_terms.h"

#include "check/registrable.h"
#include "mail/limits.h"

const struct dnsbl_probe dnsbl_probes[DNSBL_PROBES] = {
	{ 1u << DNSBL_CLIENT, "127.0.0.1", "1.0.0.127", "127.0.0.2", "2.0.0.127" },
	{ 1u << DNSBL_HELO | 1u << DNSBL_SENDER | 1u << DNSBL_URL, "INVALID", "invalid",
	  "TEST", "test" },
};

static void
add(struct dnsbl_terms *t, enum conf_dnsbl_of of, struct str text, struct str asked,
    struct arena *a)
{
	size_t i = 0;

	while (i < t->n && !str_eq(t->v[i].asked, asked))
		i++;
	if (i == DNSBL_TERMS_MAX)
		return;
	if (i == t->n)
		t->v[t->n++] = (struct dnsbl_term){ .text = arena_str(a, text),
			.asked = arena_str(a, asked) };
	t->v[i].of |= 1u << of;
}

static void
add_address(struct dnsbl_terms *t, enum conf_dnsbl_of of, const struct addr *address,
    struct arena *a)
{
	struct buf text, asked;

	buf_init(&text, 64);
	buf_init(&asked, 64);
	addr_add(&text, address);
	dnsbl_add_name(&asked, address, "");
	/* The dot before the zone. */
	buf_cut(&asked, asked.n - 1);
	add(t, of, buf_str(&text), buf_str(&asked), a);
	buf_free(&text);
	buf_free(&asked);
}

bool
dnsbl_terms_add(struct dnsbl_terms *t, enum conf_dnsbl_of of, struct str what,
    struct arena *a)
{
	struct addr address;
	struct str above;
	struct buf name;
	bool ok;

	/* A scope is of this host, and nothing to ask anybody for. */
	if (str_find(what, '%') < 0 && addr_parse(what, 0, &address) == 0) {
		if (dnsbl_is_public(&address))
			add_address(t, of, &address, a);
		return true;
	}
	buf_init(&name, DNS_NAME_MAX);
	ok = domain_add_host(&name, what) && buf_ok(&name);
	if (ok) {
		add(t, of, buf_str(&name), buf_str(&name), a);
		above = registrable_domain(buf_str(&name));
		if (above.n > 0)
			add(t, of, above, above, a);
	}
	buf_free(&name);
	return ok;
}

bool
dnsbl_term_add_name(struct buf *b, const struct dnsbl_term *t, const char *zone)
{
	if (t->asked.n + 1 + strlen(zone) > DNS_NAME_MAX)
		return false;
	buf_addf(b, STR_FMT ".%s", STR_ARG(t->asked), zone);
	return true;
}

/* The Kth answer of A, as an entry of what is OF. */
static struct dnsbl_entry
entry_of(const struct dnsbl_term *t, const char *zone, const struct dnsbl_answer *a, size_t k,
    unsigned of)
{
	return (struct dnsbl_entry){ .zone = str_c(zone), .of = (enum conf_dnsbl_of)of,
		.listed = t->text, .answer = a->v[k], .text = a->text };
}

void
dnsbl_term_note(const struct conf_dnsbls *c, const struct dnsbl_term *t, const char *zone,
    const struct dnsbl_answer *a, struct dnsbl_entry *found)
{
	for (unsigned of = 0; of < DNSBL_OF_N; of++)
		for (size_t k = 0; (t->of & 1u << of) != 0 && k < a->n; k++) {
			struct dnsbl_entry e = entry_of(t, zone, a, k, of);

			dnsbl_note(c, &e, found);
		}
}

static bool
counts_any(const struct conf_dnsbl *d, const struct dnsbl_term *t, const struct dnsbl_answer *a)
{
	for (unsigned of = 0; of < DNSBL_OF_N; of++)
		for (size_t k = 0; (t->of & 1u << of) != 0 && k < a->n; k++) {
			struct dnsbl_entry e = entry_of(t, d->zone, a, k, of);

			if (dnsbl_counts(d, &e))
				return true;
		}
	return false;
}

bool
dnsbl_term_wants_text(const struct conf_dnsbls *c, const struct dnsbl_term *t,
    const char *zone, const struct dnsbl_answer *a)
{
	for (size_t i = 0; i < c->list_n; i++)
		if (c->lists[i].weight > 0 && strstr(c->lists[i].reply, "${text}") != NULL &&
		    str_ieq(str_c(c->lists[i].zone), str_c(zone)) &&
		    counts_any(&c->lists[i], t, a))
			return true;
	return false;
}
