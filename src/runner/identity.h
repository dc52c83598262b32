/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_IDENTITY_H
#define RUNNER_IDENTITY_H

/* identity -- the certificates that servers are shown. */

struct conf_server;
struct runner;
struct tls_identity;

void identity_load(struct runner *r);	/* before the sandbox */
/* NULL: S has none. */
const struct tls_identity *identity_of(const struct runner *r, const struct conf_server *s);
void identities_free(struct runner *r);

#endif
