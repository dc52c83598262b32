/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MASTER_SIGNER_H
#define MASTER_SIGNER_H

/*
 * signer -- the way from sessions to barid-sign, of what was read at one time:
 * certificates, which sessions have, and their keys, which barid-sign has.
 */

#include "conf/conf.h"
#include "net/tls.h"

struct master;
struct signer;

struct signer *signer_new(void) MUST_USE;	/* NULL: errno */
/* In an acceptor: that of the master, by its end for sessions.  signer_begin(): from now on. */
struct signer *signer_attach(int client_end) MUST_USE;
void signer_begin(struct signer *s);
int signer_client_end(const struct signer *s);
/* Nobody is started at its end from here on.  NULL is fine. */
void signer_free(struct signer *s);
/* Takes the keys of all certificates of C, which were read before.  In a child; -1: errno. */
int signer_keep(struct signer *s, const struct conf *c) MUST_USE;
const struct tls_signer *signer_tls(const struct signer *s);
int signer_server_end(const struct signer *s);
int signer_keys(const struct signer *s);	/* a file that has them */
/* Takes the place of M's, which those have yet that were forked with it. */
void signer_in_force(struct master *m, struct signer *s);
/* In a session that has no TLS. */
void signer_withhold(const struct master *m);

#endif
