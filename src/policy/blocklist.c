/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * blocklist -- blocks by addresses and in words.
 *
 * In the file that keeps them a time is one of the wall, since the clock of
 * the table begins anew with each boot.
 */

#include "policy/blocklist.h"

#include "lib/clock.h"

bool
blocklist_net_of(const struct addr *a, struct ip_range *net)
{
	int family = addr_family(a);

	if (addr_octets(a) == NULL)
		return false;
	*net = ip_range_of(family, addr_octets(a), family == AF_INET ? 32 : 64);
	return true;
}

bool
blocklist_has(struct blocks *t, const struct addr *a, struct block *copy)
{
	const void *octets = addr_octets(a);

	return octets != NULL && blocks_find(t, addr_family(a), octets, clock_ms(), copy);
}

/* ---- lines ---------------------------------------------------------------------- */

static void
put_line(struct buf *b, const struct block *block, int64_t now, int64_t wall)
{
	int64_t end = 0;

	if (block->until_ms != INT64_MAX)
		end = wall + (block->until_ms - now + 999) / 1000;
	ip_range_add(b, &block->net);
	buf_addf(b, " %lld %s\n", (long long)end, block->why);
}

void
blocklist_put(struct blocks *t, struct buf *b)
{
	int64_t now = clock_ms(), wall = clock_wall();
	struct block block;

	for (size_t i = 0; i < BLOCKS_MAX; i++)
		if (blocks_at(t, i, now, &block) && block.by_hand)
			put_line(b, &block, now, wall);
}

/* False: LINE is none. */
static bool
get_line(struct str line, int64_t now, int64_t wall, struct block *b)
{
	uint64_t end;

	*b = (struct block){ .by_hand = true, .until_ms = INT64_MAX };
	if (ip_range_parse(str_word(&line), &b->net) != NULL ||
	    str_u64(str_word(&line), INT64_MAX / 1000, &end) < 0 || str_has_ctl(line))
		return false;
	if (end > 0)
		b->until_ms = now + ((int64_t)end - wall) * 1000;
	line = str_head(str_trim(line), BLOCK_WHY_MAX);
	memcpy(b->why, line.p, line.n);
	return true;
}

size_t
blocklist_get(struct blocks *t, struct str text)
{
	int64_t now = clock_ms(), wall = clock_wall();
	struct block b;
	struct str line;
	size_t bad = 0;

	while (text.n > 0) {
		(void)str_cut(text, '\n', &line, &text);
		if (!get_line(line, now, wall, &b) ||
		    (b.until_ms > now && !blocks_add(t, &b, now)))
			bad++;
	}
	return bad;
}
