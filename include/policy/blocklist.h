/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef POLICY_BLOCKLIST_H
#define POLICY_BLOCKLIST_H

/*
 * blocklist -- the blocks of ipc/blocks.h by addresses and in words.
 *
 * What is kept of those that were put in by hand is text: a network, the
 * second since 1970 in which it ends (0: never), and why, one block a line.
 */

#include "ipc/blocks.h"
#include "net/addr.h"

/* What an address is blocked by: itself, or the /64 of an IPv6 one.  False: it has none. */
bool blocklist_net_of(const struct addr *a, struct ip_range *net);

/* Whether A is blocked; COPY says by what. */
bool blocklist_has(struct blocks *t, const struct addr *a, struct block *copy);

/* Adds the lines of all that were put in by hand. */
void blocklist_put(struct blocks *t, struct buf *b);
/* Puts those of TEXT in force; what is over is left out.  The number of lines that are none. */
size_t blocklist_get(struct blocks *t, struct str text);

#endif
