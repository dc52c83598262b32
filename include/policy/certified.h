/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef POLICY_CERTIFIED_H
#define POLICY_CERTIFIED_H

/* certified -- what a client's certificate lets it do: pure functions. */

#include "conf/conf.h"
#include "net/tls.h"

/* Whether clients of L, a listener of C, are asked for one at all. */
bool certified_is_asked(const struct conf *c, const struct conf_listen *l);
/* True if T may send to anybody (access.relay-certificates); NULL: there is none. */
bool certified_relays(const struct conf *c, const struct tls_client *t);
/*
 * Whose it is (auth.certificates), or NULL; borrowed from C.  By the
 * certificate's fingerprint before its key's.
 */
const char *certified_user(const struct conf *c, const struct tls_client *t);

#endif
