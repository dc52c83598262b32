/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * cache -- what a server has said of recipients, for a while.
 *
 * A table of a fixed size without chains: who comes to a place that is taken
 * takes it.  So nobody who tries many names makes it grow, and the worst that
 * comes of it is one more question.
 */

#include "verify.h"

#include "lib/hash.h"
#include "lib/mem.h"

#define PLACES 4096
/* An answer is a line or two; what is longer is not kept. */
#define PACKET_MAX 2048

struct place {
	char *recipient;	/* NULL: free */
	char *packet;
	size_t n;
	int64_t until_ms;
};

struct cache {
	struct place places[PLACES];
};

struct cache *
cache_new(void)
{
	return mem_alloc(sizeof(struct cache));
}

static void
forget(struct place *p)
{
	mem_free(p->recipient);
	mem_free(p->packet);
	*p = (struct place){ .recipient = NULL };
}

void
cache_free(struct cache *c)
{
	for (size_t i = 0; c != NULL && i < PLACES; i++)
		forget(&c->places[i]);
	mem_free(c);
}

static struct place *
place_of(struct cache *c, struct str recipient)
{
	return &c->places[str_hash(recipient) % PLACES];
}

void
cache_put(struct cache *c, struct str recipient, struct str packet, int64_t until_ms)
{
	struct place *p = place_of(c, recipient);

	if (packet.n > PACKET_MAX)
		return;
	forget(p);
	*p = (struct place){ .recipient = mem_dup(recipient),
		.packet = mem_dup(packet), .n = packet.n, .until_ms = until_ms };
}

struct str
cache_get(struct cache *c, struct str recipient, int64_t now_ms)
{
	struct place *p = place_of(c, recipient);

	if (p->recipient == NULL || !str_eq(str_c(p->recipient), recipient))
		return STR("");
	if (p->until_ms <= now_ms) {
		forget(p);
		return STR("");
	}
	return str_n(p->packet, p->n);
}
