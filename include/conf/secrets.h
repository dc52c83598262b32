/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_SECRETS_H
#define CONF_SECRETS_H

/*
 * secrets -- what a process overwrites of a configuration because it has no use
 * for it, so that whoever takes it over finds none.
 */

struct conf;

/* Overwrites the passwords of upstreams and collectors, for a process that forks sessions. */
void conf_forget_secrets(struct conf *c);
/* Each half of that. */
void conf_forget_upstreams(struct conf *c);
void conf_forget_collects(struct conf *c);
/* Of them, what tokens are given for: only barid-http needs it. */
void conf_forget_refresh(struct conf *c);
/* What the URLs of auth.backends and admin.auth hold: only barid-auth needs it. */
void conf_forget_backends(struct conf *c);
/* That of http-proxy, likewise. */
void conf_forget_proxy(struct conf *c);

#endif
