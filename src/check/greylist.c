/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * greylist -- senders that nobody knows come again later.
 *
 *	head	magic, a secret
 *	entries	in groups of eight: {key, when it came first, when last, passes}
 *
 * A key is a hash of client, sender and recipient, or of a client alone, with the
 * secret, so that nobody can choose whose entry he takes.  A group that is full
 * loses the entry that is worth least: one that was never heard of again, the
 * oldest.  So a flood of new senders costs known ones nothing but the few that
 * share a group with each other, and the table never grows.
 */

#include "check/greylist.h"

#include "lib/hash.h"
#include "lib/random.h"

#define MAGIC UINT64_C(0x6261726964677901)
#define HEAD 4096
#define GROUP 8
/* Octets of an address of IPv4 and of IPv6 whose network counts as one client. */
#define OCTETS4 3
#define OCTETS6 8

struct head {
	uint64_t magic;
	uint64_t secret[2];
};

struct entry {
	uint64_t key;		/* 0: free */
	uint32_t first, last;	/* seconds since 1970 */
	uint32_t passes;
	uint32_t unused;
};

_Static_assert(sizeof(struct entry) * GREYLIST_ENTRIES + HEAD == GREYLIST_OCTETS,
    "the table has another size than is said");

void
greylist_begin(void *space)
{
	struct head *h = space;

	if (h->magic == MAGIC)
		return;
	memset(space, 0, GREYLIST_OCTETS);
	random_bytes(h->secret, sizeof(h->secret));
	h->magic = MAGIC;
}

static uint64_t
key_of(const void *space, const struct str *parts, size_t n)
{
	const struct head *h = space;
	uint64_t k = FNV1A_START ^ h->secret[0];

	for (size_t i = 0; i < n; i++) {
		uint64_t size = parts[i].n;

		/* Its size, so that no two of them run together. */
		k = fnv1a(k, str_n((const char *)&size, sizeof(size)));
		k = fnv1a_lower(k, parts[i]);
	}
	k = fnv1a(k, str_n((const char *)&h->secret[1], sizeof(h->secret[1])));
	return k != 0 ? k : 1;
}

static struct entry *
group_of(void *space, uint64_t key)
{
	struct entry *all = (struct entry *)(void *)((char *)space + HEAD);

	return all + (key >> 32) % (GREYLIST_ENTRIES / GROUP) * GROUP;
}

static bool
is_old(const struct entry *e, const struct greylist_rules *r, int64_t now)
{
	return now - e->last > (e->passes > 0 ? r->keep : r->window) || e->last > now;
}

/* True if A is worth less than B. */
static bool
is_less(const struct entry *a, const struct entry *b)
{
	if ((a->passes > 0) != (b->passes > 0))
		return a->passes == 0;
	return a->last < b->last;
}

static struct entry *
find(void *space, const struct greylist_rules *r, uint64_t key, int64_t now)
{
	struct entry *group = group_of(space, key);

	for (size_t i = 0; i < GROUP; i++)
		if (group[i].key == key)
			return is_old(&group[i], r, now) ? NULL : &group[i];
	return NULL;
}

/* An entry for KEY, which has none that counts; empty. */
static struct entry *
claim(void *space, const struct greylist_rules *r, uint64_t key, int64_t now)
{
	struct entry *group = group_of(space, key), *least = group;

	for (size_t i = 0; i < GROUP; i++) {
		if (group[i].key == key || group[i].key == 0 || is_old(&group[i], r, now)) {
			least = &group[i];
			break;
		}
		if (is_less(&group[i], least))
			least = &group[i];
	}
	*least = (struct entry){ .key = key, .first = (uint32_t)now, .last = (uint32_t)now };
	return least;
}

static void
pass(struct entry *e, int64_t now)
{
	e->last = (uint32_t)now;
	if (e->passes < UINT32_MAX)
		e->passes++;
}

int64_t
greylist_ask(void *space, const struct greylist_rules *r, struct str client, struct str sender,
    struct str recipient, int64_t now)
{
	struct str parts[] = { client, sender, recipient };
	uint64_t key = key_of(space, parts, 3), whole = key_of(space, parts, 1);
	struct entry *c = find(space, r, whole, now), *e;

	if (r->allow_after > 0 && c != NULL && c->passes >= r->allow_after) {
		pass(c, now);
		return 0;
	}
	e = find(space, r, key, now);
	if (e == NULL) {
		(void)claim(space, r, key, now);
		return r->delay > 0 ? r->delay : 1;
	}
	if (e->passes == 0 && now - e->first < r->delay)
		return r->delay - (now - e->first);
	/* Only who has waited says something of the client. */
	if (e->passes == 0)
		pass(c != NULL ? c : claim(space, r, whole, now), now);
	pass(e, now);
	return 0;
}

/* ---- who is asked about -------------------------------------------------------- */

/* Something of a client is looked at that could speak against it. */
static bool
something_is_looked_at(const struct conf *c)
{
	return c->dnsbl.list_n > 0 || c->check.iprev.enabled || c->check.helo.enabled ||
	    c->check.sender.enabled || c->check.spf.enabled;
}

const char *
greylist_reason(const struct conf *c, const struct greylist_facts *f)
{
	if (c->greylist.when == GREYLIST_ALWAYS)
		return "all are asked about";
	if (!something_is_looked_at(c))
		return "nothing else is known of it";
	if (f->score > 0)
		return "a list in DNS has it";
	if (f->name == IPREV_PERMERROR)
		return "its address has no name";
	if (f->name == IPREV_FAIL)
		return "the name of its address does not lead back to it";
	if (f->helo == EXISTS_NO)
		return "there is no such name as it calls itself";
	if (f->sender == EXISTS_NO)
		return "there is no such domain as it sends for";
	if (f->spf == SPF_FAIL || f->spf == SPF_SOFTFAIL)
		return "the domain of the sender does not vouch for it (SPF)";
	return NULL;
}

void
greylist_client_add(struct buf *b, const struct addr *client)
{
	const unsigned char *octets = addr_octets(client);

	for (size_t i = 0; i < (addr_family(client) == AF_INET ? OCTETS4 : OCTETS6); i++)
		buf_addf(b, "%02x", octets[i]);
}
