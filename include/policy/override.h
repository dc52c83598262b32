/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef POLICY_OVERRIDE_H
#define POLICY_OVERRIDE_H

/* override -- DNS as the configuration has it, and names that it is not asked for. */

#include "conf/conf.h"
#include "net/dns.h"

/* What asks the servers of C, but not for the names of dns-override; NULL: errno. */
struct dns *resolver_new(const struct conf *c, struct loop *l) MUST_USE;
/* True if C has NAME. */
bool override_has(const struct conf *c, struct str name);

#endif
