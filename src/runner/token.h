/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_TOKEN_H
#define RUNNER_TOKEN_H

/* token -- access tokens that barid-http is given for what it alone knows. */

#include "conf/conf.h"

struct runner;

/* True if S has its token from barid-http. */
bool token_is_given(const struct conf_server *s);
/* The token for S as long as it is good; NULL: token_ask() for it. */
const char *token_get(struct runner *r, const struct conf_server *s);
/*
 * Asks for it, unless that was done.  What comes of it is told to the
 * connections that wait (conn_token()), never from inside.
 */
void token_ask(struct runner *r, const struct conf_server *s);
/* S did not take it: another one is to be asked for. */
void token_refused(struct runner *r, const struct conf_server *s);
void token_free_all(struct runner *r);

#endif
