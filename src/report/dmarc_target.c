/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dmarc_target -- where a domain wants its reports.
 *
 * Anybody can write anybody's address into a record.  So an address at another
 * organization counts only if that says, by a record of its own, that it wants
 * reports about this domain; and it may name another address of the same host.
 *
 * Questions go one after the other: nobody waits for reports.
 */

#include "dmarc_target.h"

#include "lib/arena.h"
#include "lib/idn.h"
#include "lib/map.h"
#include "lib/mem.h"
#include "policy/override.h"

/* RFC 1035 2.3.4, without the final dot. */
#define NAME_MAX_OCTETS 253
#define TEXTS_MAX 16
#define TEXT_MAX 4096
/* For one domain: names of the walks, and their texts. */
#define ARENA_MAX_OCTETS ((size_t)16 << 20)

/* What DNS has under a name. */
struct texts {
	enum dns_status status;
	struct str v[TEXTS_MAX];
	size_t n;
};

struct dmarc_asker {
	struct loop *loop;
	struct dns *dns;
	struct arena arena;	/* of one domain, as all below */
	struct map *known;	/* struct texts by name */
	struct texts *asked;	/* NULL: nothing is */
};

struct dmarc_asker *
dmarc_asker_new(const struct conf *c)
{
	struct dmarc_asker *k = mem_alloc(sizeof(*k));

	k->loop = loop_new();
	k->dns = resolver_new(c, k->loop);
	if (k->dns == NULL) {
		loop_free(k->loop);
		mem_free(k);
		return NULL;
	}
	arena_init(&k->arena, ARENA_MAX_OCTETS);
	k->known = map_new();
	return k;
}

void
dmarc_asker_free(struct dmarc_asker *k)
{
	if (k == NULL)
		return;
	dns_free(k->dns);
	loop_free(k->loop);
	map_free(k->known);
	arena_free(&k->arena);
	mem_free(k);
}

/* ---- DNS ----------------------------------------------------------------------------- */

static void
on_texts(void *arg, const struct dns_txt_answer *a)
{
	struct dmarc_asker *k = arg;
	struct texts *t = k->asked;

	t->status = a->status;
	for (size_t i = 0; a->status == DNS_OK && i < a->text_n && t->n < TEXTS_MAX; i++)
		if (a->text[i].n <= TEXT_MAX)
			t->v[t->n++] = arena_str(&k->arena, a->text[i]);
	k->asked = NULL;
}

/* NAME has a NUL behind it. */
static const struct texts *
ask(struct dmarc_asker *k, struct str name)
{
	struct texts *t = map_get(k->known, name);

	if (t != NULL)
		return t;
	t = arena_alloc(&k->arena, sizeof(*t));
	(void)map_put(k->known, name, t);
	k->asked = t;
	dns_txt(k->dns, name.p, on_texts, k);
	while (k->asked != NULL)
		loop_once(k->loop, true);
	return t;
}

/* dmarc_look: an answer is there at once. */
static enum dmarc_known
look(void *arg, struct str domain, struct dmarc *d)
{
	struct dmarc_asker *k = arg;
	const struct texts *t;
	struct str name = str_c(arena_printf(&k->arena, "_dmarc." STR_FMT, STR_ARG(domain)));

	/* Whether a domain is there is never asked here. */
	if (d == NULL || name.n > NAME_MAX_OCTETS)
		return DMARC_ABSENT;
	t = ask(k, name);
	if (t->status == DNS_TEMPORARY)
		return DMARC_UNKNOWN;
	return t->status == DNS_OK && dmarc_parse_only(t->v, t->n, d) ? DMARC_PRESENT :
								       DMARC_ABSENT;
}

/* ---- addresses elsewhere ----------------------------------------------------------------- */

/* DOMAIN in ASCII and lower case; empty: it has no such form. */
static struct str
ascii(struct dmarc_asker *k, struct str domain)
{
	struct buf b;
	struct str s = STR("");

	buf_init(&b, NAME_MAX_OCTETS + 1);
	if (idn_add(&b, domain) == NULL && buf_ok(&b))
		s = arena_lower(&k->arena, buf_str(&b));
	buf_free(&b);
	return s;
}

/* The organization of DOMAIN (RFC 9989 4.10). */
static enum dmarc_known
organization(struct dmarc_asker *k, struct str domain, struct str *org)
{
	struct dmarc_found found;
	struct dmarc_wants w = { .n = 0 };
	enum dmarc_known known = dmarc_discover(domain, look, k, &w, &found);

	*org = found.organization;
	return known;
}

/* Puts into R the address of the same host that RUA names in its place, if it does. */
static bool
take_other(struct dmarc_asker *k, struct str rua, struct str host, struct path *r)
{
	struct path others[DMARC_RUA_MAX];
	size_t n = dmarc_rua_parse(rua, &k->arena, others);

	for (size_t i = 0; i < n; i++)
		if (!str_eq(ascii(k, others[i].domain), host))
			return false;
	if (n > 0)
		*r = others[0];
	return n > 0 || rua.n == 0;
}

/* RFC 9990 4: whether HOST, of another organization, takes reports about DOMAIN. */
static enum dmarc_known
takes(struct dmarc_asker *k, struct str domain, struct str host, struct path *r)
{
	struct str name = str_c(arena_printf(&k->arena, STR_FMT "._report._dmarc." STR_FMT,
	    STR_ARG(domain), STR_ARG(host)));
	const struct texts *t;
	struct dmarc d;

	if (name.n > NAME_MAX_OCTETS)
		return DMARC_ABSENT;
	t = ask(k, name);
	if (t->status == DNS_TEMPORARY)
		return DMARC_UNKNOWN;
	for (size_t i = 0; t->status == DNS_OK && i < t->n; i++)
		if (dmarc_parse(t->v[i], &d))
			return take_other(k, d.rua, host, r) ? DMARC_PRESENT : DMARC_ABSENT;
	return DMARC_ABSENT;
}

/* PRESENT: R, which a record of DOMAIN has, is to be written to. */
static enum dmarc_known
verify(struct dmarc_asker *k, struct str domain, struct path *r)
{
	struct str host = ascii(k, r->domain), here, there;

	if (host.n == 0)
		return DMARC_ABSENT;
	if (str_eq(host, domain))
		return DMARC_PRESENT;
	if (organization(k, domain, &here) == DMARC_UNKNOWN ||
	    organization(k, host, &there) == DMARC_UNKNOWN)
		return DMARC_UNKNOWN;
	return str_eq(here, there) ? DMARC_PRESENT : takes(k, domain, host, r);
}

enum dmarc_wish
dmarc_target(struct dmarc_asker *k, struct str domain, bool patient, struct dmarc_targets *t)
{
	struct path all[DMARC_RUA_MAX];
	enum dmarc_known known;
	size_t n;

	arena_reset(&k->arena);
	map_free(k->known);
	k->known = map_new();
	*t = (struct dmarc_targets){ .n = 0 };
	known = look(k, domain, &t->record);
	t->why = "it has no record any more";
	if (known != DMARC_PRESENT)
		return known == DMARC_UNKNOWN && patient ? DMARC_NOT_KNOWN_NOW :
							   DMARC_UNWANTED;
	n = dmarc_rua_parse(t->record.rua, &k->arena, all);
	t->why = n == 0 ? "its record has no address that mail can be sent to" :
			  "those whom its record names do not say that they want them";
	for (size_t i = 0; i < n; i++) {
		known = verify(k, domain, &all[i]);
		if (known == DMARC_UNKNOWN && patient)
			return DMARC_NOT_KNOWN_NOW;
		if (known == DMARC_PRESENT)
			t->v[t->n++] = all[i];
	}
	return t->n > 0 ? DMARC_WANTED : DMARC_UNWANTED;
}
