/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * blocklist -- blocks by addresses and in words.
 *
 * In the file that keeps them a time is one of the wall, since the clock of
 * the table begins anew with each boot.
 */

#include "policy/blocklist.h"

#include <arpa/inet.h>

#include "lib/clock.h"

/* ---- networks ----------------------------------------------------------------- */

/* Sets what stands behind the prefix to 0; true if it was. */
static bool
cut_bits(struct block_net *net)
{
	bool clean = true;

	for (unsigned i = 0; i < sizeof(net->octets); i++) {
		unsigned keep = net->bits > 8 * i ? net->bits - 8 * i : 0;
		unsigned char mask = keep >= 8 ? 0xff : (unsigned char)(0xff00 >> keep);

		clean = clean && (net->octets[i] & ~mask) == 0;
		net->octets[i] = (unsigned char)(net->octets[i] & mask);
	}
	return clean;
}

static bool
net_from(const struct addr *a, struct block_net *net)
{
	size_t n = addr_family(a) == AF_INET ? 4 : 16;

	*net = (struct block_net){ .family = addr_family(a), .bits = (unsigned)n * 8 };
	if (addr_octets(a) == NULL)
		return false;
	memcpy(net->octets, addr_octets(a), n);
	return true;
}

const char *
blocklist_net(struct str s, struct block_net *net)
{
	struct str address, length;
	struct addr a;
	uint64_t bits;
	bool slash = str_cut(s, '/', &address, &length);

	if (addr_parse(address, 0, &a) < 0 || !net_from(&a, net))
		return "is no network, expected an address or address/bits";
	if (!slash)
		return NULL;
	if (str_u64(length, net->bits, &bits) < 0)
		return net->family == AF_INET ? "has a bad prefix length, expected 0-32"
					      : "has a bad prefix length, expected 0-128";
	net->bits = (unsigned)bits;
	return cut_bits(net) ? NULL : "has bits behind its prefix, expected the first "
				      "address of the network";
}

bool
blocklist_net_of(const struct addr *a, struct block_net *net)
{
	if (!net_from(a, net))
		return false;
	if (net->family == AF_INET6)
		net->bits = 64;
	(void)cut_bits(net);
	return true;
}

void
blocklist_add_net(struct buf *b, const struct block_net *net)
{
	char text[INET6_ADDRSTRLEN];

	if (!inet_ntop(net->family, net->octets, text, sizeof(text)))
		return;
	buf_adds(b, text);
	if (net->bits < (net->family == AF_INET ? 32u : 128u))
		buf_addf(b, "/%u", net->bits);
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
	blocklist_add_net(b, &block->net);
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
	if (blocklist_net(str_word(&line), &b->net) != NULL ||
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
