/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef POLICY_OVERRIDE_H
#define POLICY_OVERRIDE_H

/* override -- names that DNS is not asked for (dns-override). */

#include "conf/conf.h"
#include "net/dns.h"

/* Tells D of all that C has. */
void override_all(const struct conf *c, struct dns *d);
/* True if C has NAME. */
bool override_has(const struct conf *c, struct str name);

#endif
