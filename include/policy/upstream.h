/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef POLICY_UPSTREAM_H
#define POLICY_UPSTREAM_H

/* upstream -- in which order the servers of an upstream are tried. */

#include "conf/conf.h"

/*
 * Fills ORDER (u->server_n places) with indices: those that are no backup
 * in random order by weight without replacement, then the backups the same
 * way.  RANDOM gives a number in [0, BELOW).
 */
void upstream_order(const struct conf_upstream *u, uint32_t (*random)(uint32_t below),
    size_t *order);

#endif
